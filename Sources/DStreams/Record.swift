public import StreamCore

/// A record to be written: what `saveToKafka` makes of an element.
///
///     Record(key: word, value: "\(count)")
///     Record(value: bytes, headers: [RecordHeader("source", nil)])
///     Record.tombstone(key: word)
public struct Record: Sendable {
    public var key: RecordContent
    public var value: RecordContent
    public var headers: [RecordHeader]
    /// Milliseconds since 1970-01-01 UTC; nil: when it is written.
    public var timestampMs: Int64?
    /// nil: chosen by the key as Java clients do (murmur2), at random without a key.
    public var partition: PartitionID?

    /// - Parameters:
    ///   - key: text or bytes; nil: none.
    ///   - value: text or bytes; nil: a tombstone.
    @inlinable
    public init<Key: RecordContentConvertible, Value: RecordContentConvertible>(
        key: Key, value: Value, headers: [RecordHeader] = [], timestampMs: Int64? = nil, partition: PartitionID? = nil
    ) {
        self.key = key.recordContent
        self.value = value.recordContent
        self.headers = headers
        self.timestampMs = timestampMs
        self.partition = partition
    }

    /// A record without a key.
    @inlinable
    public init<Value: RecordContentConvertible>(
        value: Value, headers: [RecordHeader] = [], timestampMs: Int64? = nil, partition: PartitionID? = nil
    ) {
        self.init(
            key: RecordContent.null, value: value, headers: headers, timestampMs: timestampMs, partition: partition)
    }

    /// A record without a value, which deletes its key in a compacted topic.
    public static func tombstone(key: some RecordContentConvertible) -> Record {
        Record(key: key, value: RecordContent.null)
    }
}

/// A key or a value on its way out.
@frozen
public enum RecordContent: Sendable, Hashable {
    case null
    case text(String)
    case bytes([UInt8])

    /// Length in bytes.
    public var count: Int {
        switch self {
        case .null: 0
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        }
    }

    func append(to arena: ByteArena) -> ByteView {
        switch self {
        case .null: .null
        case .text(let text): arena.append(text)
        case .bytes(let bytes): arena.append(contentsOf: bytes)
        }
    }
}

/// What can be the key or the value of a `Record`.
public protocol RecordContentConvertible: Sendable {
    var recordContent: RecordContent { get }
}

extension RecordContent: RecordContentConvertible {
    @inlinable public var recordContent: RecordContent { self }
}

extension String: RecordContentConvertible {
    @inlinable public var recordContent: RecordContent { .text(self) }
}

extension Substring: RecordContentConvertible {
    @inlinable public var recordContent: RecordContent { .text(String(self)) }
}

extension [UInt8]: RecordContentConvertible {
    @inlinable public var recordContent: RecordContent { .bytes(self) }
}

/// A key or value that may be missing, such as `KafkaRecord.key`.
extension Optional: RecordContentConvertible where Wrapped: RecordContentConvertible {
    @inlinable public var recordContent: RecordContent { self?.recordContent ?? .null }
}
