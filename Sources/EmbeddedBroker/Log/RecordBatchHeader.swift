/// Why bytes are not a whole and sound record batch.
package enum BatchError: Error, Hashable, Sendable {
    /// Fewer bytes than the batch says it has.
    case truncated
    /// The length is less than a header's.
    case invalidLength(Int32)
    case unsupportedMagic(Int8)
    case checksumMismatch
    /// A record's own fields are wrong.
    case invalidRecord(String)
}

package enum TimestampType: Sendable {
    /// The producer's time.
    case createTime
    /// The broker's time at which the batch was appended; it holds for all its records.
    case logAppendTime
}

/// The header of a record batch of format 2 (KIP-98; the delete horizon is KIP-534's).
package struct RecordBatchHeader: Hashable, Sendable {
    /// The bytes of a header, and those in front of what `batchLength` counts.
    package static let size = 61
    package static let lengthOverhead = 12
    package static let noProducerId: Int64 = -1
    package static let noProducerEpoch: Int16 = -1
    package static let noSequence: Int32 = -1
    /// The checksum covers everything from the attributes on.
    static let checksumStart = 21

    package var baseOffset: Int64 = 0
    /// The bytes behind this field.
    package var batchLength = Int32(RecordBatchHeader.size - RecordBatchHeader.lengthOverhead)
    package var leaderEpoch: Int32 = 0
    package var checksum: UInt32 = 0
    package var attributes: Int16 = 0
    package var lastOffsetDelta: Int32 = 0
    /// What the records' timestamps count from: the first record's, or the delete horizon.
    package var baseTimestamp: Int64 = -1
    package var maxTimestamp: Int64 = -1
    package var producerId = RecordBatchHeader.noProducerId
    package var producerEpoch = RecordBatchHeader.noProducerEpoch
    package var baseSequence = RecordBatchHeader.noSequence
    package var count: Int32 = 0

    package init() {}

    /// Reads the header at the front of `bytes`, of which there may be more or fewer than the batch has.
    package init(_ bytes: RawSpan) throws(BatchError) {
        guard bytes.byteCount > 16 else { throw .truncated }
        let magic: Int8 = bytes.number(at: 16)
        guard magic == 2 else { throw .unsupportedMagic(magic) }
        batchLength = bytes.number(at: 8)
        guard batchLength >= Self.size - Self.lengthOverhead else { throw .invalidLength(batchLength) }
        guard bytes.byteCount >= Self.size else { throw .truncated }
        baseOffset = bytes.number(at: 0)
        leaderEpoch = bytes.number(at: 12)
        checksum = bytes.number(at: 17)
        attributes = bytes.number(at: 21)
        lastOffsetDelta = bytes.number(at: 23)
        baseTimestamp = bytes.number(at: 27)
        maxTimestamp = bytes.number(at: 35)
        producerId = bytes.number(at: 43)
        producerEpoch = bytes.number(at: 51)
        baseSequence = bytes.number(at: 53)
        count = bytes.number(at: 57)
    }

    package init(_ bytes: ArraySlice<UInt8>) throws(BatchError) {
        try self.init(bytes.span.bytes)
    }

    /// Reads the header of a batch that has to be there as a whole, and compares the checksum.
    package init(checked bytes: RawSpan) throws(BatchError) {
        try self.init(bytes)
        guard bytes.byteCount >= byteCount else { throw .truncated }
        guard CRC32C.checksum(bytes.extracting(Self.checksumStart..<byteCount)) == checksum else {
            throw .checksumMismatch
        }
    }

    package init(checked bytes: ArraySlice<UInt8>) throws(BatchError) {
        try self.init(checked: bytes.span.bytes)
    }

    // MARK: -

    /// The bytes of the whole batch.
    package var byteCount: Int { Int(batchLength) + Self.lengthOverhead }
    /// A stranger's numbers may not overflow: they wrap and fail a later comparison.
    package var lastOffset: Int64 { baseOffset &+ Int64(lastOffsetDelta) }
    package var nextOffset: Int64 { lastOffset &+ 1 }

    /// 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    package var compression: Int { Int(attributes & 0x07) }
    package var isCompressed: Bool { compression != 0 }
    package var timestampType: TimestampType { attributes & 0x08 == 0 ? .createTime : .logAppendTime }
    package var isTransactional: Bool { attributes & 0x10 != 0 }
    package var isControl: Bool { attributes & 0x20 != 0 }
    /// When compaction may drop the batch's tombstones or its marker.
    package var deleteHorizonMs: Int64? { attributes & 0x40 == 0 ? nil : baseTimestamp }
    package var hasProducerId: Bool { producerId > Self.noProducerId }
    package var lastSequence: Int32 { Self.sequence(baseSequence, adding: lastOffsetDelta) }

    /// Sequence numbers start again at 0 behind the greatest.
    package static func sequence(_ sequence: Int32, adding count: Int32) -> Int32 {
        guard sequence >= 0, count >= 0 else { return sequence &+ count }
        let sum = Int64(sequence) + Int64(count)
        return Int32(truncatingIfNeeded: sum > Int64(Int32.max) ? sum - Int64(Int32.max) - 1 : sum)
    }

    func timestamp(of record: RecordFields) -> Int64 {
        timestampType == .logAppendTime ? maxTimestamp : baseTimestamp &+ record.timestampDelta
    }

    /// The batch with this header and these records: the length and the checksum are set.
    package func batch(records: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size + records.count)
        bytes.append(number: baseOffset)
        bytes.append(number: Int32(truncatingIfNeeded: Self.size - Self.lengthOverhead + records.count))
        bytes.append(number: leaderEpoch)
        bytes.append(2)
        bytes.append(number: UInt32(0))
        bytes.append(number: attributes)
        bytes.append(number: lastOffsetDelta)
        bytes.append(number: baseTimestamp)
        bytes.append(number: maxTimestamp)
        bytes.append(number: producerId)
        bytes.append(number: producerEpoch)
        bytes.append(number: baseSequence)
        bytes.append(number: count)
        bytes.append(contentsOf: records)
        Self.setChecksum(of: &bytes)
        return bytes
    }

    static func setChecksum(of batch: inout [UInt8]) {
        batch.set(number: CRC32C.checksum(batch[checksumStart...]), at: 17)
    }
}
