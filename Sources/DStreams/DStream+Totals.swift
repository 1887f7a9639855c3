// One value, or a few, for a whole batch.

extension DStream {
    /// How many elements a batch has: exactly one number for each batch, 0 for an empty one.
    ///
    /// Counted in the tasks that see the elements, then added up in one task. The query gets an owner.
    public func count() -> DStream<Int> {
        total(empty: 0, create: { _ in 1 }, merge: { count, _ in count + 1 }, combine: +)
    }

    /// A batch's elements reduced to one; nothing for an empty batch.
    ///
    /// Reduced in the tasks that see the elements, then in one task; so `combine` must be associative and commutative.
    /// A throw in the task that reads is a fault of the record at hand; a throw while parts are combined stops the
    /// query. The query gets an owner.
    public func reduce(_ combine: @escaping @Sendable (Element, Element) throws -> Element) -> DStream<Element>
    where Element: Sendable {
        total(empty: nil, create: { $0 }, merge: combine, combine: combine)
    }

    /// How often each distinct element of a batch occurs. An empty batch gives nothing. The query gets an owner.
    public func countByValue() -> DStream<(Element, Int)> where Element: Hashable & Sendable {
        map { ($0, 1) }.reduceByKey(+)
    }

    // MARK: - Private

    private func total<Total: Sendable>(
        empty: Total?, create: @escaping @Sendable (Element) throws -> Total,
        merge: @escaping @Sendable (Total, Element) throws -> Total,
        combine: @escaping @Sendable (Total, Total) throws -> Total
    ) -> DStream<Total> {
        let node = context.addNode(using: [node], isShuffle: true, runsInEmptyBatches: empty != nil)
        let target = level + 1
        return DStream<Total>(context, node: node, level: target) { builder, push in
            if builder.level == target {
                // One task has the value; in the others nothing comes up.
                guard builder.task == 0 else { return false }
                builder.add(TotalReader(empty: empty, combine: combine, push: push), node: node)
                return true
            }
            if builder.level < target {
                let writer = TotalWriter(node: node, level: target, scope: builder.scope, create: create, merge: merge)
                if connect(builder, writer.add) { builder.add(writer, node: node) }
            }
            return false
        }
    }
}
