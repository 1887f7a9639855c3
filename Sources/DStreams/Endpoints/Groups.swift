import CommitProtocol
import StreamEngine

/// The sending side of `groupByKey` and `cogroup`: holds the values of each key in its task until the batch ends.
final class GroupWriter<Key: Hashable & Sendable, Value: Sendable>: Endpoint {
    private let node: Int
    private let level: Int
    private let taskCount: Int
    private let scope: RecordScope
    private let isUndoable: Bool
    private var groups: [Key: [Value]] = [:]
    /// The keys that the record at hand gave a value to, oldest first; kept only where it may be taken back. The values
    /// themselves are not kept twice: a copy of a group for each of its values would be quadratic.
    private var journal: [Key] = []
    private var lastSerial = -1

    init(node: Int, level: Int, taskCount: Int, scope: RecordScope, isUndoable: Bool) {
        self.node = node
        self.level = level
        self.taskCount = taskCount
        self.scope = scope
        self.isUndoable = isUndoable
    }

    func add(_ key: Key, _ value: Value) {
        if scope.reached(&lastSerial) { journal.removeAll(keepingCapacity: true) }
        groups[key, default: []].append(value)
        if isUndoable { journal.append(key) }
    }

    func undoRecord() {
        guard scope.isAt(lastSerial) else { return }
        for key in journal {
            groups[key]?.removeLast()
            if groups[key]?.isEmpty == true { groups[key] = nil }
        }
        journal.removeAll(keepingCapacity: true)
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        let all = groups
        groups = [:]
        for (task, part) in KeySplit.parts(all, count: taskCount) {
            output.exchanges.append((task, Parcel(node: node, level: level, task: task, payload: part)))
        }
    }

    func reset() {
        groups = [:]
        journal = []
    }
}

/// The receiving side: holds a batch's groups until another endpoint of its task, further on in the graph, takes them.
final class GroupCollector<Key: Hashable & Sendable, Value: Sendable>: Endpoint {
    private var groups: [Key: [Value]] = [:]

    func receive(_ payload: any Sendable) throws {
        guard let part = payload as? [Key: [Value]] else { throw Parcel.misdirected }
        if groups.isEmpty {
            groups = part
        } else {
            for (key, values) in part { groups[key, default: []] += values }
        }
    }

    func take() -> [Key: [Value]] {
        defer { groups = [:] }
        return groups
    }

    func reset() { groups = [:] }
}
