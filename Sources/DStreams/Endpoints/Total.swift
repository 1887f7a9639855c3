import CommitProtocol
import StreamEngine

/// The sending side of `count` and `reduce`: combines what its task sees into one value.
final class TotalWriter<Element, Total: Sendable>: Endpoint {
    private let node: Int
    private let level: Int
    private let scope: RecordScope
    private let create: (Element) throws -> Total
    private let merge: (Total, Element) throws -> Total
    private var total: Total?
    /// The total as it was before the record at hand.
    private var before: Total?
    private var lastSerial = -1

    init(
        node: Int, level: Int, scope: RecordScope, create: @escaping (Element) throws -> Total,
        merge: @escaping (Total, Element) throws -> Total
    ) {
        self.node = node
        self.level = level
        self.scope = scope
        self.create = create
        self.merge = merge
    }

    func add(_ element: Element) throws {
        if scope.reached(&lastSerial) { before = total }
        if let old = total { total = try merge(old, element) } else { total = try create(element) }
    }

    func undoRecord() {
        if scope.isAt(lastSerial) { total = before }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        guard let total else { return }
        reset()
        output.exchanges.append((0, Parcel(node: node, level: level, task: 0, payload: total)))
    }

    func reset() {
        total = nil
        before = nil
    }
}

/// The receiving side, in one task: gives on the batch's one value.
final class TotalReader<Total: Sendable>: Endpoint {
    private let empty: Total?
    private let combine: (Total, Total) throws -> Total
    private let push: Push<Total>
    private var total: Total?

    /// - Parameter empty: the value of a batch without elements; nil: it has none.
    init(empty: Total?, combine: @escaping (Total, Total) throws -> Total, push: @escaping Push<Total>) {
        self.empty = empty
        self.combine = combine
        self.push = push
    }

    func receive(_ payload: any Sendable) throws {
        guard let part = payload as? Total else { throw Parcel.misdirected }
        if let old = total { total = try combine(old, part) } else { total = part }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {
        let result = total ?? empty
        total = nil
        if let result { try push(result) }
    }

    func reset() { total = nil }
}
