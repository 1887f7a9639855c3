// Bringing the values of a key together as they are.

extension DStream {
    /// For each key of a batch, all its values.
    ///
    /// Every value travels to the key's task and is held in memory until the batch ends: `reduceByKey` and
    /// `combineByKey` cost far less where they will do. No order of keys or values is promised. An empty batch gives
    /// nothing. The query gets an owner.
    public func groupByKey<Key: Hashable & Sendable, Value: Sendable>() -> DStream<(Key, [Value])>
    where Element == (Key, Value) {
        let parts = context.addNode(using: [node], isShuffle: true)
        let result = context.addNode(using: [parts])
        let target = level + 1
        return DStream<(Key, [Value])>(context, node: result, level: target) { builder, push in
            guard let groups = collectGroups(builder, node: parts, level: target) else { return false }
            builder.add(EpochEnd { _ in for (key, values) in groups.take() { try push((key, values)) } }, node: result)
            return true
        }
    }

    /// For each key that either stream has in a batch, its values in this one and its values in the other. A side
    /// without the key gives an empty array. Costs and guarantees are those of `groupByKey`.
    /// - Precondition: both are of one context.
    public func cogroup<Key: Hashable & Sendable, Value: Sendable, Other: Sendable>(
        _ other: DStream<(Key, Other)>
    ) -> DStream<(Key, ([Value], [Other]))> where Element == (Key, Value) {
        precondition(other.context === context, "streams of two contexts cannot be joined")
        let left = context.addNode(using: [node], isShuffle: true)
        let right = context.addNode(using: [other.node], isShuffle: true)
        let result = context.addNode(using: [left, right])
        let target = max(level, other.level) + 1
        return DStream<(Key, ([Value], [Other]))>(context, node: result, level: target) { builder, push in
            // Both sides are connected, also where the first one is not collected here.
            let lefts: GroupCollector<Key, Value>? = collectGroups(builder, node: left, level: target)
            let rights: GroupCollector<Key, Other>? = other.collectGroups(builder, node: right, level: target)
            guard let lefts, let rights else { return false }
            let end = EpochEnd { _ in
                var others = rights.take()
                for (key, values) in lefts.take() {
                    try push((key, (values, others.removeValue(forKey: key) ?? [])))
                }
                for (key, values) in others { try push((key, ([], values))) }
            }
            builder.add(end, node: result)
            return true
        }
    }

    /// Brings the values of each key to the key's task in a later stage.
    /// - Returns: in that stage, what holds them when the batch ends; nil in the others.
    private func collectGroups<Key: Hashable & Sendable, Value: Sendable>(
        _ builder: StageBuilder, node: Int, level target: Int
    ) -> GroupCollector<Key, Value>? where Element == (Key, Value) {
        if builder.level == target {
            let collector = GroupCollector<Key, Value>()
            builder.add(collector, node: node)
            return collector
        }
        if builder.level < target {
            let writer = GroupWriter<Key, Value>(
                node: node, level: target, taskCount: builder.taskCounts[target], scope: builder.scope,
                isUndoable: builder.isUndoable)
            if connect(builder, { pair in writer.add(pair.0, pair.1) }) { builder.add(writer, node: node) }
        }
        return nil
    }
}
