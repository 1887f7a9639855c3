// Combining the values of a key into something of another type.

extension DStream {
    /// For each key of a batch, its values combined into one thing of another type.
    ///
    /// Values are combined in the task that reads them, then sent to the key's task, once per key and batch. No order
    /// of values or pairs is promised. An empty batch gives nothing. A throw in the task that reads is a fault of the
    /// record at hand; a throw while combiners are merged stops the query. The query gets an owner.
    /// - Parameters:
    ///   - create: the combiner of the first value that a task sees of a key.
    ///   - mergeValue: a combiner with one more value.
    ///   - mergeCombiners: brings the combiners of two tasks together.
    @inlinable
    public func combineByKey<Key: Hashable & Sendable, Value, Combiner: Sendable>(
        create: @escaping @Sendable (Value) throws -> Combiner,
        mergeValue: @escaping @Sendable (Combiner, Value) throws -> Combiner,
        mergeCombiners: @escaping @Sendable (Combiner, Combiner) throws -> Combiner
    ) -> DStream<(Key, Combiner)> where Element == (Key, Value) {
        let node = context.addNode(using: [node], isShuffle: true)
        let target = level + 1
        return DStream<(Key, Combiner)>(context, node: node, level: target) { builder, push in
            if builder.level == target {
                builder.addReader(node: node, combine: mergeCombiners, push: push)
                return true
            }
            if builder.level < target {
                let writer = CombineWriter<Key, Value, Combiner>(
                    node: node, level: target, taskCount: builder.taskCounts[target], scope: builder.scope,
                    isUndoable: builder.isUndoable, create: create, mergeValue: mergeValue)
                if connect(builder, { pair in try writer.add(pair.0, pair.1) }) {
                    builder.addWriter(writer, node: node)
                }
            }
            return false
        }
    }

    /// `combineByKey` that begins with a neutral value.
    /// - Parameter zero: where each task begins with each key; so it must change nothing when it is merged.
    @inlinable
    public func aggregateByKey<Key: Hashable & Sendable, Value, Total: Sendable>(
        _ zero: Total, _ mergeValue: @escaping @Sendable (Total, Value) throws -> Total,
        _ mergeTotals: @escaping @Sendable (Total, Total) throws -> Total
    ) -> DStream<(Key, Total)> where Element == (Key, Value) {
        combineByKey(create: { try mergeValue(zero, $0) }, mergeValue: mergeValue, mergeCombiners: mergeTotals)
    }

    /// `reduceByKey` that begins with a neutral value.
    /// - Parameter zero: where each task begins with each key; so it must change nothing when it is merged.
    @inlinable
    public func foldByKey<Key: Hashable & Sendable, Value: Sendable>(
        _ zero: Value, _ merge: @escaping @Sendable (Value, Value) throws -> Value
    ) -> DStream<(Key, Value)> where Element == (Key, Value) {
        aggregateByKey(zero, merge, merge)
    }
}
