// Joins of two batches of pairs. A key with n values here and m there gives n times m pairs. Keys come in the order in
// which they occur first, those of this batch before those that only the other one has.

extension Batch {
    /// For each key of either batch, its values in this one and its values in the other; an empty array where a side
    /// does not have the key.
    /// - Complexity: O(n + m)
    public func cogroup<Key: Hashable, Value, Other>(
        _ other: Batch<(Key, Other)>
    ) -> Batch<(Key, ([Value], [Other]))> where Element == (Key, Value) {
        let others = other.groupByKey()
        var unmatched = others.collectAsMap()
        var result: [(Key, ([Value], [Other]))] = groupByKey().elements.map { key, values in
            (key, (values, unmatched.removeValue(forKey: key) ?? []))
        }
        for (key, values) in others.elements where unmatched[key] != nil { result.append((key, ([], values))) }
        return Batch<(Key, ([Value], [Other]))>(result)
    }

    /// Each value of a key with each value that the other batch has of it.
    /// - Complexity: O(n + m), and what comes out
    public func join<Key: Hashable, Value, Other>(
        _ other: Batch<(Key, Other)>
    ) -> Batch<(Key, (Value, Other))> where Element == (Key, Value) {
        cogroup(other).flatMapValues { values, others in
            values.flatMap { value in others.map { (value, $0) } }
        }
    }

    /// As `join`; a value whose key the other batch does not have comes once, with nil.
    /// - Complexity: O(n + m), and what comes out
    public func leftOuterJoin<Key: Hashable, Value, Other>(
        _ other: Batch<(Key, Other)>
    ) -> Batch<(Key, (Value, Other?))> where Element == (Key, Value) {
        cogroup(other).flatMapValues { values, others in
            let sides = Join.orNil(others)
            return values.flatMap { value in sides.map { (value, $0) } }
        }
    }

    /// As `join`; a value of the other batch whose key this one does not have comes once, with nil.
    /// - Complexity: O(n + m), and what comes out
    public func rightOuterJoin<Key: Hashable, Value, Other>(
        _ other: Batch<(Key, Other)>
    ) -> Batch<(Key, (Value?, Other))> where Element == (Key, Value) {
        cogroup(other).flatMapValues { values, others in
            Join.orNil(values).flatMap { value in others.map { (value, $0) } }
        }
    }

    /// As `join`; a value of either batch whose key the other one does not have comes once, with nil.
    /// - Complexity: O(n + m), and what comes out
    public func fullOuterJoin<Key: Hashable, Value, Other>(
        _ other: Batch<(Key, Other)>
    ) -> Batch<(Key, (Value?, Other?))> where Element == (Key, Value) {
        cogroup(other).flatMapValues { values, others in
            let sides = Join.orNil(others)
            return Join.orNil(values).flatMap { value in sides.map { (value, $0) } }
        }
    }
}

enum Join {
    /// A side of an outer join: its values, or one nil where there are none.
    static func orNil<Value>(_ values: [Value]) -> [Value?] {
        values.isEmpty ? [nil] : values
    }
}
