// Transformations that bring elements of one key together: each begins a new stage. Keyed state and windows will attach
// here too, as endpoints behind a shuffle whose overlay `Endpoint.committed` and `Endpoint.reset` keep or take back.

extension DStream {
    /// For each key of a batch, its values reduced to one.
    ///
    /// Values are combined in the task that reads them, then sent to the key's task, once per key and batch; so
    /// `combine` must be associative and commutative. No order of the pairs is promised. An empty batch gives
    /// nothing. A throw in the task that reads is a fault of the record at hand; a throw while parts are merged stops
    /// the query.
    ///
    /// The query gets an owner: one instance runs it, others stand by.
    @inlinable
    public func reduceByKey<Key: Hashable & Sendable, Value: Sendable>(
        _ combine: @escaping @Sendable (Value, Value) throws -> Value
    ) -> DStream<(Key, Value)> where Element == (Key, Value) {
        let node = context.addNode(using: [node], isShuffle: true)
        let target = level + 1
        return DStream(context, node: node, level: target) { builder, push in
            if builder.level == target {
                builder.addReader(node: node, combine: combine, push: push)
                return true
            }
            if builder.level < target {
                let writer = ShuffleWriter<Key, Value>(
                    node: node, level: target, taskCount: builder.taskCounts[target], scope: builder.scope,
                    isUndoable: builder.isUndoable, combine: combine)
                if connect(builder, { pair in try writer.add(pair.0, pair.1) }) {
                    builder.addWriter(writer, node: node)
                }
            }
            return false
        }
    }
}
