// What looks at the parts of a batch that the tasks have, and what divides a batch anew.

extension DStream {
    /// Each task's part of a batch as a whole, turned into any number of elements: for work that is set up once a
    /// batch.
    ///
    /// Called once in each batch by every task, also with an empty part. The part is held in memory until the batch
    /// ends. A throw cannot be put down to one record: it stops the query.
    /// - Parameter transform: gets the elements in the order in which the task saw them.
    public func mapPartitions<Elements: Sequence>(
        _ transform: @escaping @Sendable ([Element]) throws -> Elements
    ) -> DStream<Elements.Element> {
        parts { _, push in
            { part in
                for out in try transform(part) { try push(out) }
            }
        }
    }

    /// As `mapPartitions`, with the number of the part.
    /// - Parameter transform: gets the task's number in its stage, from 0, and its part. A union of streams from
    ///   several stages has a part, and so a call, in each of these stages.
    public func mapPartitionsWithIndex<Elements: Sequence>(
        _ transform: @escaping @Sendable (Int, [Element]) throws -> Elements
    ) -> DStream<Elements.Element> {
        parts { index, push in
            { part in
                for out in try transform(index, part) { try push(out) }
            }
        }
    }

    /// Each task's part of a batch as one array: one for each task and batch, also where the part is empty.
    public func glom() -> DStream<[Element]> {
        mapPartitions { [$0] }
    }

    /// Divides a batch evenly among the tasks of a new stage, whatever partitions it was read from.
    ///
    /// Each task deals its elements out in turn, so the parts differ by one element at most for each task that deals.
    /// No order is promised. The elements are held in memory until the batch ends. The query gets an owner.
    /// - Parameter count: how many tasks get a part. At least 1; a stage has no more than `StreamingOptions.taskCount`
    ///   tasks, so a larger number means all of them.
    public func repartition(_ count: Int) -> DStream<Element> where Element: Sendable {
        let parts = context.addNode(using: [node], isShuffle: true)
        let result = context.addNode(using: [parts])
        let target = level + 1
        return DStream(context, node: result, level: target) { builder, push in
            guard builder.level <= target else { return false }
            let partCount = min(max(1, count), builder.taskCounts[target])
            if builder.level == target {
                guard builder.task < partCount else { return false }
                let collector = BatchCollector<Element>()
                builder.add(collector, node: parts)
                builder.add(EpochEnd { _ in for element in collector.take() { try push(element) } }, node: result)
                return true
            }
            let writer = SpreadWriter<Element>(
                node: parts, level: target, partCount: partCount, firstPart: builder.task, scope: builder.scope)
            if connect(builder, writer.push) { builder.add(writer, node: parts) }
            return false
        }
    }

    // MARK: - Private

    /// - Parameter makeFlush: gets the task's number and what follows, and gives what is called with the task's part.
    private func parts<Out>(
        _ makeFlush: @escaping @Sendable (Int, @escaping Push<Out>) -> ([Element]) throws -> Void
    ) -> DStream<Out> {
        let node = context.addNode(using: [node], runsInEmptyBatches: true)
        return DStream<Out>(context, node: node, level: level) { builder, push in
            let buffer = PartitionBuffer<Element>(scope: builder.scope, flush: makeFlush(builder.task, push))
            // A stage in which nothing of this stream comes up has no part of it.
            guard connect(builder, buffer.push) else { return false }
            builder.add(buffer, node: node)
            return true
        }
    }
}
