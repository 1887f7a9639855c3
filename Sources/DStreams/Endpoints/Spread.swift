import CommitProtocol
import StreamEngine

/// The sending side of `repartition`: deals a task's elements out to the tasks of the next stage in turn.
final class SpreadWriter<Element: Sendable>: Endpoint {
    private let node: Int
    private let level: Int
    private let partCount: Int
    private let firstPart: Int
    private let scope: RecordScope
    private var elements: [Element] = []
    private var lastSerial = -1
    private var mark = 0

    /// - Parameter firstPart: gets the first element; differs from sender to sender, so that the rests of their
    ///   divisions do not all go to the same task.
    init(node: Int, level: Int, partCount: Int, firstPart: Int, scope: RecordScope) {
        self.node = node
        self.level = level
        self.partCount = partCount
        self.firstPart = firstPart
        self.scope = scope
    }

    func push(_ element: Element) {
        if scope.reached(&lastSerial) { mark = elements.count }
        elements.append(element)
    }

    func undoRecord() {
        if scope.isAt(lastSerial) { elements.removeSubrange(mark...) }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        let all = elements
        elements = []
        for turn in 0..<min(partCount, all.count) {
            let part = stride(from: turn, to: all.count, by: partCount).map { all[$0] }
            let task = (firstPart + turn) % partCount
            output.exchanges.append((task, Parcel(node: node, level: level, task: task, payload: part)))
        }
    }

    func reset() { elements = [] }
}
