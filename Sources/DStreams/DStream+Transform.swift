// Any function over a whole batch.

extension DStream {
    /// A batch as a whole turned into another: whatever a `Batch` can do.
    ///
    /// Called once in each batch, also in an empty one, in one task of a new stage, where the elements of all tasks
    /// come together and are held in memory until the batch ends. What comes out comes up in that one task;
    /// `repartition` brings it to several. A throw stops the query. The query gets an owner.
    /// - Parameter body: gets the elements, in no promised order, and the time of the batch.
    public func transform<Out>(
        _ body: @escaping @Sendable (Batch<Element>, BatchTime) throws -> Batch<Out>
    ) -> DStream<Out> where Element: Sendable {
        let parts = context.addNode(using: [node], isShuffle: true)
        let result = context.addNode(using: [parts], runsInEmptyBatches: true)
        let target = level + 1
        return DStream<Out>(context, node: result, level: target) { builder, push in
            guard let batch = collectBatch(builder, node: parts, level: target) else { return false }
            let end = EpochEnd { plan in
                let time = BatchTime(milliseconds: plan.batchTimeMs)
                for out in try body(Batch(batch.take()), time) { try push(out) }
            }
            builder.add(end, node: result)
            return true
        }
    }

    /// `transform` that needs no time.
    public func transform<Out>(
        _ body: @escaping @Sendable (Batch<Element>) throws -> Batch<Out>
    ) -> DStream<Out> where Element: Sendable {
        transform { batch, _ in try body(batch) }
    }

    /// The same batch of two streams turned into one: whatever two `Batch`es can do. Costs and guarantees are those of
    /// `transform`.
    /// - Precondition: both are of one context.
    /// - Parameter body: gets the elements of this stream and of the other, and the time of the batch.
    public func transformWith<Other: Sendable, Out>(
        _ other: DStream<Other>,
        _ body: @escaping @Sendable (Batch<Element>, Batch<Other>, BatchTime) throws -> Batch<Out>
    ) -> DStream<Out> where Element: Sendable {
        precondition(other.context === context, "streams of two contexts cannot be transformed together")
        let left = context.addNode(using: [node], isShuffle: true)
        let right = context.addNode(using: [other.node], isShuffle: true)
        let result = context.addNode(using: [left, right], runsInEmptyBatches: true)
        let target = max(level, other.level) + 1
        return DStream<Out>(context, node: result, level: target) { builder, push in
            // Both streams are connected, also where the first one is not collected here.
            let lefts = collectBatch(builder, node: left, level: target)
            let rights = other.collectBatch(builder, node: right, level: target)
            guard let lefts, let rights else { return false }
            let end = EpochEnd { plan in
                let time = BatchTime(milliseconds: plan.batchTimeMs)
                for out in try body(Batch(lefts.take()), Batch(rights.take()), time) { try push(out) }
            }
            builder.add(end, node: result)
            return true
        }
    }

    /// Brings the elements to the first task of a later stage.
    /// - Returns: in that task, what holds them when the batch ends; nil in the others and in earlier stages.
    private func collectBatch(
        _ builder: StageBuilder, node: Int, level target: Int
    ) -> BatchCollector<Element>? where Element: Sendable {
        if builder.level == target, builder.task == 0 {
            let collector = BatchCollector<Element>()
            builder.add(collector, node: node)
            return collector
        }
        if builder.level < target {
            let writer = GatherWriter<Element>(node: node, level: target, limit: nil, scope: builder.scope)
            if connect(builder, writer.push) { builder.add(writer, node: node) }
        }
        return nil
    }
}
