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
        let node = context.addNode(using: [node], runsInEmptyBatches: true)
        return DStream<Elements.Element>(context, node: node, level: level) { builder, push in
            let buffer = PartitionBuffer<Element>(scope: builder.scope) { part in
                for out in try transform(part) { try push(out) }
            }
            // A stage in which nothing of this stream comes up has no part of it.
            guard connect(builder, buffer.push) else { return false }
            builder.add(buffer, node: node)
            return true
        }
    }
}
