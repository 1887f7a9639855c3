// Joins see one batch: a pair matches only what the other stream has of its key in the same batch. For a longer time,
// window a stream first. A key with n values here and m there gives n times m pairs. Costs are those of `cogroup`.

extension DStream {
    /// Each value of a key with each value that the other stream has of it in the same batch.
    /// - Precondition: both are of one context.
    public func join<Key: Hashable & Sendable, Value: Sendable, Other: Sendable>(
        _ other: DStream<(Key, Other)>
    ) -> DStream<(Key, (Value, Other))> where Element == (Key, Value) {
        cogroup(other).flatMapValues { values, others in values.lazy.flatMap { value in others.map { (value, $0) } } }
    }

    /// As `join`; a value whose key the other stream does not have in the batch comes once, with nil.
    /// - Precondition: both are of one context.
    public func leftOuterJoin<Key: Hashable & Sendable, Value: Sendable, Other: Sendable>(
        _ other: DStream<(Key, Other)>
    ) -> DStream<(Key, (Value, Other?))> where Element == (Key, Value) {
        cogroup(other).flatMapValues { values, others in
            let sides = Join.orNil(others)
            return values.lazy.flatMap { value in sides.map { (value, $0) } }
        }
    }

    /// As `join`; a value of the other stream whose key this one does not have in the batch comes once, with nil.
    /// - Precondition: both are of one context.
    public func rightOuterJoin<Key: Hashable & Sendable, Value: Sendable, Other: Sendable>(
        _ other: DStream<(Key, Other)>
    ) -> DStream<(Key, (Value?, Other))> where Element == (Key, Value) {
        cogroup(other).flatMapValues { values, others in
            Join.orNil(values).lazy.flatMap { value in others.map { (value, $0) } }
        }
    }

    /// As `join`; a value of either stream whose key the other one does not have in the batch comes once, with nil.
    /// - Precondition: both are of one context.
    public func fullOuterJoin<Key: Hashable & Sendable, Value: Sendable, Other: Sendable>(
        _ other: DStream<(Key, Other)>
    ) -> DStream<(Key, (Value?, Other?))> where Element == (Key, Value) {
        cogroup(other).flatMapValues { values, others in
            let sides = Join.orNil(others)
            return Join.orNil(values).lazy.flatMap { value in sides.map { (value, $0) } }
        }
    }
}
