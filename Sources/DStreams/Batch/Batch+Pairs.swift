// Operations on pairs of key and value. Results by key come in the order in which the keys occur first.

extension Batch {
    /// Each pair with its value turned into another; the key stays.
    @inlinable
    public func mapValues<Key, Value, Out>(_ transform: (Value) throws -> Out) rethrows -> Batch<(Key, Out)>
    where Element == (Key, Value) {
        try map { ($0.0, try transform($0.1)) }
    }

    /// Each pair turned into one pair for each value that its own value is turned into; the key stays.
    @inlinable
    public func flatMapValues<Key, Value, Values: Sequence>(
        _ transform: (Value) throws -> Values
    ) rethrows -> Batch<(Key, Values.Element)> where Element == (Key, Value) {
        try flatMap { pair in try transform(pair.1).map { (pair.0, $0) } }
    }

    /// The key of each pair.
    public func keys<Key, Value>() -> Batch<Key> where Element == (Key, Value) { map(\.0) }

    /// The value of each pair.
    public func values<Key, Value>() -> Batch<Value> where Element == (Key, Value) { map(\.1) }

    /// For each key, its values reduced to one, from the first to the last.
    public func reduceByKey<Key: Hashable, Value>(
        _ combine: (Value, Value) throws -> Value
    ) rethrows -> Batch<(Key, Value)> where Element == (Key, Value) {
        try combineByKey(create: { $0 }, mergeValue: combine)
    }

    /// For each key, its values combined into one thing of another type, from the first to the last. A batch is in one
    /// part, so there is no function that merges two combiners.
    public func combineByKey<Key: Hashable, Value, Combiner>(
        create: (Value) throws -> Combiner, mergeValue: (Combiner, Value) throws -> Combiner
    ) rethrows -> Batch<(Key, Combiner)> where Element == (Key, Value) {
        try combined(create: create) { $0 = try mergeValue($0, $1) }
    }

    /// For each key, its values merged into `zero`, from the first to the last.
    public func aggregateByKey<Key: Hashable, Value, Total>(
        _ zero: Total, _ merge: (Total, Value) throws -> Total
    ) rethrows -> Batch<(Key, Total)> where Element == (Key, Value) {
        try combineByKey(create: { try merge(zero, $0) }, mergeValue: merge)
    }

    /// For each key, all its values.
    public func groupByKey<Key: Hashable, Value>() -> Batch<(Key, [Value])> where Element == (Key, Value) {
        combined(create: { [$0] }, merge: { $0.append($1) })
    }

    /// The pairs by the order of their keys.
    /// - Complexity: O(n log n)
    public func sortByKey<Key: Comparable, Value>(ascending: Bool = true) -> Batch<(Key, Value)>
    where Element == (Key, Value) {
        sortBy(ascending: ascending) { $0.0 }
    }

    /// All values of a key.
    public func lookup<Key: Equatable, Value>(_ key: Key) -> [Value] where Element == (Key, Value) {
        elements.compactMap { $0.0 == key ? $0.1 : nil }
    }

    /// The pairs as a dictionary; of several values of a key the last one stays.
    public func collectAsMap<Key: Hashable, Value>() -> [Key: Value] where Element == (Key, Value) {
        Dictionary(elements) { _, last in last }
    }

    /// How many pairs each key has.
    public func countByKey<Key: Hashable, Value>() -> [Key: Int] where Element == (Key, Value) {
        keys().countByValue()
    }

    /// The pairs whose keys the other batch does not have.
    public func subtractByKey<Key: Hashable, Value, Other>(_ other: Batch<(Key, Other)>) -> Batch<(Key, Value)>
    where Element == (Key, Value) {
        let others = Set(other.elements.lazy.map(\.0))
        return filter { !others.contains($0.0) }
    }

    // MARK: - Private

    /// For each key something made of its first value, with the others merged into it where it is.
    private func combined<Key: Hashable, Value, Combiner>(
        create: (Value) throws -> Combiner, merge: (inout Combiner, Value) throws -> Void
    ) rethrows -> Batch<(Key, Combiner)> where Element == (Key, Value) {
        var places: [Key: Int] = [:]
        var result: [(Key, Combiner)] = []
        for (key, value) in elements {
            if let place = places[key] {
                try merge(&result[place].1, value)
            } else {
                places[key] = result.count
                result.append((key, try create(value)))
            }
        }
        return Batch<(Key, Combiner)>(result)
    }
}
