import CommitProtocol
import StreamEngine

/// The sending side of `foreachBatch`, `print` and `transform`: holds a task's elements until the batch ends.
final class GatherWriter<Element: Sendable>: Endpoint {
    private let node: Int
    private let level: Int
    private let limit: Int
    private let scope: RecordScope
    private var elements: [Element] = []
    private var lastSerial = -1
    private var mark = 0

    /// - Parameter limit: what comes behind so many elements is not kept; nil: everything is.
    init(node: Int, level: Int, limit: Int?, scope: RecordScope) {
        self.node = node
        self.level = level
        self.limit = limit ?? .max
        self.scope = scope
    }

    func push(_ element: Element) {
        if scope.reached(&lastSerial) { mark = elements.count }
        if elements.count < limit { elements.append(element) }
    }

    func undoRecord() {
        if scope.isAt(lastSerial) { elements.removeSubrange(mark...) }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        guard !elements.isEmpty else { return }
        output.exchanges.append((0, Parcel(node: node, level: level, task: 0, payload: elements)))
        elements = []
    }

    func reset() { elements = [] }
}

/// The receiving side, in the last stage's only task: makes one piece of user output of each batch, also of an empty
/// one.
final class GatherReader<Element: Sendable>: Endpoint {
    private let body: @Sendable ([Element], BatchInfo) throws -> Void
    private var elements: [Element] = []

    init(body: @escaping @Sendable ([Element], BatchInfo) throws -> Void) { self.body = body }

    func receive(_ payload: any Sendable) throws {
        guard let part = payload as? [Element] else { throw Parcel.misdirected }
        if elements.isEmpty { elements = part } else { elements += part }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        let batch = elements
        let body = body
        elements = []
        output.userOutputs.append(
            UserOutput { plan in
                let info = BatchInfo(
                    epoch: plan.epoch, batchTimeMs: plan.batchTimeMs,
                    ranges: plan.ranges.sorted { $0.split < $1.split },
                    isReplay: plan.isReplay)
                try body(batch, info)
            })
    }

    func reset() { elements = [] }
}
