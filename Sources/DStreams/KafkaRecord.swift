public import StreamCore

/// A record of a Kafka topic: a view into the block that it was read with. Nothing is copied before it is asked for.
///
///     stream.filter { $0.headers.contains { $0.name == "trace" } }.map { $0.text }
///
/// - Important: a record that is kept keeps its whole block (up to about 1 MB) in memory, outside the query's budget:
///   copy
///   what is needed (`text`, `value`) instead of collecting records.
public struct KafkaRecord: Sendable {
    @usableFromInline let records: BlockView
    @usableFromInline let index: Int

    init(_ records: BlockView, _ index: Int) {
        self.records = records
        self.index = index
    }

    @inlinable var slot: RecordSlot { records.slots[index] }

    // MARK: - Copies

    /// The value as text; empty for a tombstone. Invalid UTF-8 is repaired with U+FFFD: `validText` refuses it.
    @inlinable
    public var text: String { text(of: slot.value) ?? "" }

    /// The key as text, or nil where there is none. Invalid UTF-8 is repaired with U+FFFD.
    @inlinable
    public var keyText: String? { text(of: slot.key) }

    /// A copy of the value's bytes, or nil for a tombstone.
    public var value: [UInt8]? { slot.value.isNull ? nil : Array(view(slot.value)) }

    /// A copy of the key's bytes, or nil where there is none.
    public var key: [UInt8]? { slot.key.isNull ? nil : Array(view(slot.key)) }

    /// The headers in their order; names may repeat.
    public var headers: [RecordHeader] { slot.headers.isNull ? [] : RecordHeaders.decode(view(slot.headers)) }

    /// The value as text.
    /// - Throws: `INVALID_UTF8`, which makes the record a case for the error policy.
    public func validText() throws(StreamError) -> String {
        let text = withValueBytes { bytes in
            bytes.withUnsafeBytes { String(validating: $0, as: UTF8.self) }
        }
        guard let text else {
            throw StreamError("INVALID_UTF8", "the value is not valid UTF-8", domain: .user)
        }
        return text
    }

    // MARK: - Views

    /// Lends the value's bytes without a copy; none for a tombstone (see `isTombstone`).
    @inlinable
    public func withValueBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
        try withBytes(of: slot.value, body)
    }

    /// Lends the key's bytes without a copy; none where there is no key.
    @inlinable
    public func withKeyBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
        try withBytes(of: slot.key, body)
    }

    /// Length of the value in bytes, 0 for a tombstone.
    @inlinable public var valueCount: Int { Int(slot.value.length) }

    /// The record has no value: in a compacted topic it deletes its key.
    @inlinable public var isTombstone: Bool { slot.value.isNull }

    // MARK: - Place and time

    @inlinable public var topic: TopicName { records.block.topics[Int(slot.topic)] }
    @inlinable public var partition: PartitionID { PartitionID(slot.partition) }
    @inlinable public var offset: Offset { Offset(slot.offset) }

    /// Milliseconds since 1970-01-01 UTC, or nil where the record has none.
    @inlinable public var timestampMs: Int64? { slot.timestamp < 0 ? nil : slot.timestamp }
    @inlinable public var timestampType: RecordSlot.TimestampType { slot.timestampType }

    // MARK: - Private

    @inlinable
    func text(of view: ByteView) -> String? {
        view.isNull ? nil : String(decoding: self.view(view), as: UTF8.self)
    }

    @inlinable
    func withBytes<Result>(of view: ByteView, _ body: (RawSpan) throws -> Result) rethrows -> Result {
        // Safety: the block is kept by this record for the length of the call, and nobody appends to it any more.
        try body(RawSpan(_unsafeBytes: self.view(view)))
    }

    /// Safety: views are of this block's arena, so they lie inside its bytes; for a null one the length is 0.
    @inlinable
    func view(_ view: ByteView) -> UnsafeRawBufferPointer {
        guard view.length > 0, let base = records.bytes.baseAddress else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: base + Int(view.start), count: Int(view.length))
    }
}

/// A block of records as they are read: constants only, because each look at a class's variables costs a check.
@usableFromInline
final class BlockView: @unchecked Sendable {
    // Safety: the block is filled and only read from now on, and it keeps the arena to which the pointer goes.
    @usableFromInline let block: RecordBlock
    @usableFromInline let slots: [RecordSlot]
    @usableFromInline let bytes: UnsafeRawBufferPointer

    init(_ block: RecordBlock) {
        self.block = block
        slots = block.slots
        bytes = block.arena.allBytes
    }
}
