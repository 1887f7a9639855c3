internal import StreamCore

/// The hash that decides a key's shard: `StableHash` of its encoded bytes.
/// - Complexity: O(bytes); a text is hashed where it lies, other keys are encoded first.
package func stableHash<Key: StateCodable>(_ key: Key) -> UInt64 {
    if Key.self == String.self {
        // Safety: the types are the same.
        return StableHash.hash(unsafe unsafeBitCast(key, to: String.self))
    }
    var writer = StateWriter()
    key.encode(to: &writer)
    return StableHash.hash(writer.bytes)
}

/// As the generic one, for who already knows.
package func stableHash(_ key: String) -> UInt64 { StableHash.hash(key) }
