import CommitProtocol
import StreamEngine

/// The sending side of a shuffle: combines the values of each key in its task, and sends one combiner a key at the
/// batch's end. What happens to each element is inlinable, so that it is specialised where the program is compiled.
@usableFromInline
final class CombineWriter<Key: Hashable & Sendable, Value, Combiner: Sendable>: Endpoint {
    private let node: Int
    private let level: Int
    private let taskCount: Int
    @usableFromInline let scope: RecordScope
    @usableFromInline let isUndoable: Bool
    @usableFromInline let create: (Value) throws -> Combiner
    @usableFromInline let mergeValue: (Combiner, Value) throws -> Combiner
    private let taskOf: ((Key) -> Int)?
    @exclusivity(unchecked) @usableFromInline var combiners: [Key: Combiner] = [:]
    /// What the record at hand has changed, oldest first; kept only where it may be taken back.
    @exclusivity(unchecked) @usableFromInline var journal: [(key: Key, before: Combiner?)] = []
    @exclusivity(unchecked) @usableFromInline var lastSerial = -1

    /// - Parameter taskOf: which task a key goes to; nil: any, as long as it is the same for all of a batch.
    @usableFromInline
    init(
        node: Int, level: Int, taskCount: Int, scope: RecordScope, isUndoable: Bool,
        create: @escaping (Value) throws -> Combiner, mergeValue: @escaping (Combiner, Value) throws -> Combiner,
        taskOf: ((Key) -> Int)? = nil
    ) {
        self.taskOf = taskOf
        self.node = node
        self.level = level
        self.taskCount = taskCount
        self.scope = scope
        self.isUndoable = isUndoable
        self.create = create
        self.mergeValue = mergeValue
    }

    @inlinable
    func add(_ key: Key, _ value: Value) throws {
        let isFirst = scope.reached(&lastSerial)
        guard isUndoable else { return try merge(value, into: &combiners[key]) }
        if isFirst { journal.removeAll(keepingCapacity: true) }
        let before = combiners[key]
        try merge(value, into: &combiners[key])
        journal.append((key, before))
    }

    @inlinable
    @inline(__always)
    func merge(_ value: Value, into place: inout Combiner?) throws {
        if let old = place { place = try mergeValue(old, value) } else { place = try create(value) }
    }

    func undoRecord() {
        guard scope.isAt(lastSerial) else { return }
        for change in journal.reversed() { combiners[change.key] = change.before }
        journal.removeAll(keepingCapacity: true)
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        let all = combiners
        combiners = [:]
        for (task, part) in KeySplit.parts(all, count: taskCount, taskOf) {
            output.exchanges.append((task, Parcel(node: node, level: level, task: task, payload: part)))
        }
    }

    func reset() {
        combiners = [:]
        journal = []
    }
}

/// A shuffle whose values are combined with each other.
@usableFromInline
typealias ShuffleWriter<Key: Hashable & Sendable, Value: Sendable> = CombineWriter<Key, Value, Value>

extension CombineWriter where Combiner == Value {
    @inlinable
    convenience init(
        node: Int, level: Int, taskCount: Int, scope: RecordScope, isUndoable: Bool,
        combine: @escaping (Value, Value) throws -> Value, taskOf: ((Key) -> Int)? = nil
    ) {
        self.init(
            node: node, level: level, taskCount: taskCount, scope: scope, isUndoable: isUndoable, create: { $0 },
            mergeValue: combine, taskOf: taskOf)
    }
}

/// Divides what belongs to keys among the tasks of a stage.
enum KeySplit {
    /// The parts that are not empty, with their tasks.
    /// - Parameter taskOf: nil: any hash will do for a batch, since it need not be the same in another process.
    static func parts<Key: Hashable, Value>(
        _ all: [Key: Value], count: Int, _ taskOf: ((Key) -> Int)? = nil
    ) -> [(task: Int, part: [Key: Value])] {
        guard !all.isEmpty else { return [] }
        guard count > 1 else { return [(0, all)] }
        var parts = [[Key: Value]](repeating: [:], count: count)
        for (key, value) in all {
            parts[taskOf?(key) ?? Int(UInt(bitPattern: key.hashValue) % UInt(count))][key] = value
        }
        return parts.enumerated().filter { !$0.element.isEmpty }.map { ($0.offset, $0.element) }
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
