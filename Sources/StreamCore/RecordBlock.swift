/// One record of a block: views into the block's arena, and its place.
@frozen
public struct RecordSlot: Hashable, Sendable {
    /// `.null` where the record has no key.
    public var key: ByteView
    /// `.null` for a tombstone.
    public var value: ByteView
    /// Encoded by `RecordHeaders`; `.null` where there are none.
    public var headers: ByteView
    /// Where it was read; for output: unused.
    public var offset: Int64
    /// Milliseconds since 1970-01-01 UTC; -1: none (an output record gets the producer's time).
    public var timestamp: Int64
    /// Index into the block's `topics`.
    public var topic: Int32
    /// For output: -1 lets the partitioner choose.
    public var partition: Int32
    public var timestampType: TimestampType

    @inlinable
    public init(
        key: ByteView = .null, value: ByteView, headers: ByteView = .null, offset: Int64 = 0, timestamp: Int64 = -1,
        topic: Int32 = 0, partition: Int32 = -1, timestampType: TimestampType = .none
    ) {
        self.key = key
        self.value = value
        self.headers = headers
        self.offset = offset
        self.timestamp = timestamp
        self.topic = topic
        self.partition = partition
        self.timestampType = timestampType
    }

    /// As Kafka numbers them; Spark shows the number.
    @frozen
    public enum TimestampType: Int8, Sendable {
        case none = -1
        case createTime = 0
        case logAppendTime = 1
    }
}

/// Undecoded records on their way in or encoded records on their way out: slots and one arena.
///
/// Filled by one owner, then handed on as a whole; whoever gets it only reads.
public final class RecordBlock: @unchecked Sendable {
    // Safety: mutated only by the one thread that fills it, before it is handed over.
    public let arena: ByteArena
    public var topics: [TopicName]
    public var slots: [RecordSlot]

    public init(arenaCapacity: Int = 0, slotCapacity: Int = 0, topics: [TopicName] = []) {
        arena = ByteArena(capacity: arenaCapacity)
        self.topics = topics
        slots = []
        slots.reserveCapacity(slotCapacity)
    }

    public var count: Int { slots.count }
    public var isEmpty: Bool { slots.isEmpty }

    /// What the block costs in memory.
    public var byteSize: Int { arena.byteSize + slots.capacity * MemoryLayout<RecordSlot>.stride }

    /// The split that a record was read from.
    public func split(_ index: Int) -> Split {
        Split(topics[Int(slots[index].topic)], PartitionID(slots[index].partition))
    }

    /// The index of a topic in `topics`, which gains it if it is new.
    /// - Complexity: O(topics of this block)
    public func topicIndex(_ topic: TopicName) -> Int32 {
        if let index = topics.firstIndex(of: topic) { return Int32(index) }
        topics.append(topic)
        return Int32(topics.count - 1)
    }

    /// A copy of a record's value, or nil for a tombstone.
    public func value(_ index: Int) -> [UInt8]? { slots[index].value.isNull ? nil : arena.array(slots[index].value) }
    /// A copy of a record's key, or nil where it has none.
    public func key(_ index: Int) -> [UInt8]? { slots[index].key.isNull ? nil : arena.array(slots[index].key) }
    /// A copy of a record's headers, in their order; empty where it has none.
    public func headers(_ index: Int) -> [RecordHeader] {
        slots[index].headers.isNull ? [] : unsafe RecordHeaders.decode(arena.bytes(slots[index].headers))
    }
}

/// A header of a Kafka record: names may repeat, a value may be null.
public struct RecordHeader: Hashable, Sendable {
    public var name: String
    public var value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}

/// Headers as they lie in an arena: count, then per header name length, name, value length (-1: null), value; little
/// endian Int32.
public enum RecordHeaders {
    public static func encode(_ headers: [RecordHeader], into arena: ByteArena) -> ByteView {
        guard !headers.isEmpty else { return .null }
        let start = arena.count
        append(Int32(headers.count), to: arena)
        for header in headers {
            append(Int32(header.name.utf8.count), to: arena)
            arena.append(header.name)
            append(Int32(header.value?.count ?? -1), to: arena)
            if let value = header.value { arena.append(contentsOf: value) }
        }
        return ByteView(start: start, length: arena.count - start)
    }

    /// A copy of the headers that `encode` wrote; other bytes are a bug of the caller.
    public static func decode(_ bytes: UnsafeRawBufferPointer) -> [RecordHeader] {
        var cursor = 0
        func number() -> Int {
            defer { cursor += 4 }
            return Int(unsafe bytes.loadUnaligned(fromByteOffset: cursor, as: Int32.self))
        }
        func take(_ count: Int) -> [UInt8] {
            defer { cursor += count }
            return unsafe Array(bytes[cursor..<cursor + count])
        }
        return (0..<number()).map { _ in
            let name = String(decoding: take(number()), as: UTF8.self)
            let length = number()
            return RecordHeader(name, length < 0 ? nil : take(length))
        }
    }

    private static func append(_ number: Int32, to arena: ByteArena) {
        unsafe withUnsafeBytes(of: number.littleEndian) { _ = unsafe arena.append($0) }
    }
}
