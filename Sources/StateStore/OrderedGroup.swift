internal import StreamCore

/// What entries of an `OrderedTable` belong to: a key of a join, a user with sessions. A group lies in one shard, so
/// that it is in one task whatever their number. Made by its table, and kept where many entries are asked for.
///
/// An entry's key, as the table, the disk and, behind the table's id, the changelog have it, is the shard (two bytes,
/// big endian), the length of the group and one more (7 bits a byte), the group, and the key in the group.
package struct OrderedGroup: Sendable, Hashable {
    /// How the keys of all its entries begin, and no others.
    let start: [UInt8]

    /// The shard is that of a `StateTable`'s key with the same bytes.
    init(_ bytes: some Collection<UInt8>, _ layout: ShardLayout) {
        let bytes = Array(bytes)
        self.init(shard: layout.shard(ofKeyHash: StableHash.hash(bytes)), count: bytes.count + 1, bytes)
    }

    /// The group that a shard has of its own, for what is not one key's alone.
    init(shard: Int) { self.init(shard: shard, count: 0, []) }

    private init(shard: Int, count: Int, _ bytes: [UInt8]) {
        var writer = StateWriter()
        writer.append(UInt16(shard).bigEndian)
        writer.append(count: count)
        writer.append(contentsOf: bytes)
        start = writer.bytes
    }

    /// The group of an entry.
    /// - Throws: `STATE_DAMAGED` where the bytes are no entry's key, or one in the shard of another.
    init(of key: [UInt8], _ layout: ShardLayout) throws(StreamError) {
        var reader = StateReader(key)
        let shard = Int(UInt16(bigEndian: try reader.read(UInt16.self)))
        let count = try reader.readCount()
        guard shard < layout.shards else { throw StateReader.damaged }
        self = count == 0 ? Self(shard: shard) : Self(try reader.take(count - 1), layout)
        guard key.starts(with: start) else { throw StateReader.damaged }
    }

    package var shard: Int { Self.shard(of: start) }

    /// - Parameter key: an entry's, so two bytes at least.
    static func shard(of key: [UInt8]) -> Int { Int(key[0]) << 8 | Int(key[1]) }

    /// The bytes it was made of; nil for a shard's own group.
    package var bytes: ArraySlice<UInt8>? {
        let isOfShard = start[2] == 0
        let lengthBytes = (start[2...].firstIndex { $0 < 0x80 } ?? start.count - 1) - 1
        return isOfShard ? nil : start[(2 + lengthBytes)...]
    }
}

/// Keys of a group, in the order of unsigned bytes where the shorter of two comes first.
package struct OrderedRange: Sendable, Hashable {
    package var from: [UInt8]
    /// The first key behind the range; nil: it has all that follow.
    package var to: [UInt8]?

    private init(from: [UInt8], to: [UInt8]?) {
        self.from = from
        self.to = to
    }

    package static let all = OrderedRange(from: [], to: nil)

    package static func from(_ from: [UInt8]) -> OrderedRange { OrderedRange(from: from, to: nil) }

    /// Empty where `to` is not behind `from`.
    package static func from(_ from: [UInt8], to: [UInt8]) -> OrderedRange { OrderedRange(from: from, to: to) }

    /// The keys that begin with these bytes.
    package static func prefix(_ prefix: [UInt8]) -> OrderedRange {
        OrderedRange(from: prefix, to: successor(of: prefix))
    }

    /// The first key behind all that begin with these bytes; nil where there is none.
    static func successor(of prefix: [UInt8]) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0 != .max }) else { return nil }
        return prefix[..<last] + [prefix[last] + 1]
    }
}
