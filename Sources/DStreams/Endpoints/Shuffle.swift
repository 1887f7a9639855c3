import CommitProtocol
import StreamEngine

/// The sending side of a shuffle: combines the values of each key in its task, and sends one value a key at the
/// batch's end.
final class ShuffleWriter<Key: Hashable & Sendable, Value: Sendable>: Endpoint {
    private let node: Int
    private let level: Int
    private let taskCount: Int
    private let scope: RecordScope
    private let isUndoable: Bool
    private let combine: (Value, Value) throws -> Value
    private let taskOf: (Key) -> Int
    private var values: [Key: Value] = [:]
    /// What the record at hand has changed, oldest first; kept only where it may be taken back.
    private var journal: [(key: Key, before: Value?)] = []
    private var lastSerial = -1

    /// - Parameter taskOf: which task a key goes to; nil: any, as long as it is the same for all of a batch.
    init(
        node: Int, level: Int, taskCount: Int, scope: RecordScope, isUndoable: Bool,
        combine: @escaping (Value, Value) throws -> Value, taskOf: ((Key) -> Int)? = nil
    ) {
        // Any hash will do for a batch: it need not be the same in another process.
        self.taskOf = taskOf ?? { Int(UInt(bitPattern: $0.hashValue) % UInt(taskCount)) }
        self.node = node
        self.level = level
        self.taskCount = taskCount
        self.scope = scope
        self.isUndoable = isUndoable
        self.combine = combine
    }

    func add(_ key: Key, _ value: Value) throws {
        let isFirst = scope.reached(&lastSerial)
        guard isUndoable else { return try merge(value, into: &values[key]) }
        if isFirst { journal.removeAll(keepingCapacity: true) }
        let before = values[key]
        try merge(value, into: &values[key])
        journal.append((key, before))
    }

    private func merge(_ value: Value, into place: inout Value?) throws {
        if let old = place { place = try combine(old, value) } else { place = value }
    }

    func undoRecord() {
        guard scope.isAt(lastSerial) else { return }
        for change in journal.reversed() { values[change.key] = change.before }
        journal.removeAll(keepingCapacity: true)
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        guard !values.isEmpty else { return }
        let all = values
        values = [:]
        guard taskCount > 1 else { return send(all, to: 0, &output) }
        var parts = [[Key: Value]](repeating: [:], count: taskCount)
        for (key, value) in all { parts[taskOf(key)][key] = value }
        for (task, part) in parts.enumerated() where !part.isEmpty { send(part, to: task, &output) }
    }

    private func send(_ values: [Key: Value], to task: Int, _ output: inout TaskOutput) {
        output.exchanges.append((task, Parcel(node: node, level: level, task: task, payload: values)))
    }

    func reset() {
        values = [:]
        journal = []
    }
}

/// The receiving side: merges what the tasks of earlier stages have combined, and gives on each key at the batch's end.
final class ShuffleReader<Key: Hashable & Sendable, Value: Sendable>: Endpoint {
    private let combine: (Value, Value) throws -> Value
    private let push: Push<(Key, Value)>
    private var values: [Key: Value] = [:]

    init(combine: @escaping (Value, Value) throws -> Value, push: @escaping Push<(Key, Value)>) {
        self.combine = combine
        self.push = push
    }

    func receive(_ payload: any Sendable) throws {
        guard let part = payload as? [Key: Value] else { throw Parcel.misdirected }
        if values.isEmpty {
            values = part
        } else {
            try values.merge(part, uniquingKeysWith: combine)
        }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {
        let all = values
        values = [:]
        for (key, value) in all { try push((key, value)) }
    }

    func reset() { values = [:] }
}
