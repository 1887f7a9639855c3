import CommitProtocol
import StreamEngine

/// Holds a task's part of a batch until its end, for `mapPartitions`.
final class PartitionBuffer<Element>: Endpoint {
    private let scope: RecordScope
    private let flush: ([Element]) throws -> Void
    private var elements: [Element] = []
    private var lastSerial = -1
    private var mark = 0

    init(scope: RecordScope, flush: @escaping ([Element]) throws -> Void) {
        self.scope = scope
        self.flush = flush
    }

    func push(_ element: Element) {
        if scope.reached(&lastSerial) { mark = elements.count }
        elements.append(element)
    }

    func undoRecord() {
        if scope.isAt(lastSerial) { elements.removeSubrange(mark...) }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {
        let part = elements
        elements = []
        try flush(part)
    }

    func reset() { elements = [] }
}
