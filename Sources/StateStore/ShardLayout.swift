/// How the keys of a query's state are spread: a key belongs to a shard, a shard to a changelog partition and, in each
/// run, to a task. Shards and partitions are fixed at a query's first start; tasks may change with every one.
package struct ShardLayout: Sendable, Hashable {
    package let shards: Int
    package let partitions: Int

    /// - Parameters:
    ///   - shards: 1 to 65535, a multiple of `partitions`.
    ///   - partitions: of each changelog topic.
    package init(shards: Int = 16, partitions: Int = 4) {
        precondition(shards >= 1 && shards <= Int(UInt16.max), "1 to 65535 shards")
        precondition(partitions >= 1 && shards.isMultiple(of: partitions), "shards are a multiple of partitions")
        self.shards = shards
        self.partitions = partitions
    }

    package func shard(ofKeyHash hash: UInt64) -> Int { Int(hash % UInt64(shards)) }
    package func partition(ofShard shard: Int) -> Int { shard % partitions }
    package func task(ofShard shard: Int, taskCount: Int) -> Int { shard % taskCount }

    /// Rising; empty for a task beyond the shards.
    package func shards(ofTask task: Int, taskCount: Int) -> [Int] {
        Array(stride(from: task, to: shards, by: taskCount))
    }
}
