import CommitProtocol
import StreamEngine

/// The receiving side of whole batches: holds a batch's elements until another endpoint of its task, further on in the
/// graph, takes them.
final class BatchCollector<Element: Sendable>: Endpoint {
    private var elements: [Element] = []

    func receive(_ payload: any Sendable) throws {
        guard let part = payload as? [Element] else { throw Parcel.misdirected }
        if elements.isEmpty { elements = part } else { elements += part }
    }

    func take() -> [Element] {
        defer { elements = [] }
        return elements
    }

    func reset() { elements = [] }
}

/// Runs once in each batch, after all of it has come to the endpoints before it in the graph.
final class EpochEnd: Endpoint {
    private let body: (EpochPlan) throws -> Void

    init(_ body: @escaping (EpochPlan) throws -> Void) { self.body = body }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws { try body(plan) }
}
