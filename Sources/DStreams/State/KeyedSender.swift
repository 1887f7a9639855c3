import CommitProtocol
import StateStore
import StreamEngine

/// The sending side of keyed state: pairs to the task that holds their key's shard, in order, block by block.
final class KeyedSender<Key: Hashable & StateCodable & Sendable, Value: Sendable>: Endpoint {
    private let node: Int
    private let level: Int
    private let layout: ShardLayout
    private let scope: RecordScope
    private var parts: [[(Key, Value)]]
    private var lastSerial = -1
    /// Lengths of the parts before the record at hand.
    private var marks: [Int]

    init(node: Int, level: Int, taskCount: Int, layout: ShardLayout, scope: RecordScope) {
        self.node = node
        self.level = level
        self.layout = layout
        self.scope = scope
        parts = [[(Key, Value)]](repeating: [], count: taskCount)
        marks = [Int](repeating: 0, count: taskCount)
    }

    func push(_ pair: (Key, Value)) {
        if scope.reached(&lastSerial) {
            for index in parts.indices { marks[index] = parts[index].count }
        }
        parts[task(of: pair.0)].append(pair)
    }

    private func task(of key: Key) -> Int {
        guard parts.count > 1 else { return 0 }
        return layout.task(ofShard: layout.shard(ofKeyHash: stableHash(key)), taskCount: parts.count)
    }

    func undoRecord() {
        guard scope.isAt(lastSerial) else { return }
        for index in parts.indices { parts[index].removeSubrange(marks[index]...) }
    }

    func drain(into output: inout TaskOutput) {
        for task in parts.indices where !parts[task].isEmpty {
            output.exchanges.append((task, Parcel(node: node, level: level, task: task, payload: parts[task])))
            // The next block is likely to be like this one.
            let capacity = parts[task].count
            parts[task] = []
            parts[task].reserveCapacity(capacity)
        }
    }

    func reset() {
        for task in parts.indices { parts[task] = [] }
    }
}
