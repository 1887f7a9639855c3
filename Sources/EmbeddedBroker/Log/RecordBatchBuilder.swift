/// How a transaction ended.
package enum TransactionResult: Int16, Sendable {
    case abort = 0
    case commit = 1
}

/// Writes uncompressed record batches of format 2.
///
///     var builder = RecordBatchBuilder()
///     builder.add(key: Array("k".utf8), value: nil, timestamp: 1_000)
///     let bytes = builder.build()
package struct RecordBatchBuilder: Sendable {
    private var header = RecordBatchHeader()
    private var records: [UInt8] = []
    private var nextDelta: Int32 = 0

    package init(
        producerId: Int64 = RecordBatchHeader.noProducerId, producerEpoch: Int16 = RecordBatchHeader.noProducerEpoch,
        baseSequence: Int32 = RecordBatchHeader.noSequence, isTransactional: Bool = false, baseOffset: Int64 = 0
    ) {
        header.baseOffset = baseOffset
        header.producerId = producerId
        header.producerEpoch = producerEpoch
        header.baseSequence = baseSequence
        header.attributes = isTransactional ? 0x10 : 0
    }

    /// For a batch that takes another's place: everything but its records is kept.
    init(replacing old: RecordBatchHeader, deleteHorizonMs: Int64?) {
        header = old
        header.count = 0
        if let deleteHorizonMs {
            header.attributes |= 0x40
            header.baseTimestamp = deleteHorizonMs
        }
        if old.timestampType == .createTime { header.maxTimestamp = -1 }
    }

    package var count: Int { Int(header.count) }
    /// What `build` would return now, in bytes.
    package var byteCount: Int { RecordBatchHeader.size + records.count }

    package mutating func add(key: [UInt8]?, value: [UInt8]?, timestamp: Int64, headers: [RecordHeader] = []) {
        var body: [UInt8] = []
        Self.append(key, to: &body)
        Self.append(value, to: &body)
        body.append(varint: Int64(headers.count))
        for header in headers {
            Self.append(header.key, to: &body)
            Self.append(header.value, to: &body)
        }
        add(body: body[...], offsetDelta: nextDelta, timestamp: timestamp)
        header.lastOffsetDelta = nextDelta
        nextDelta += 1
    }

    /// Adds a record from its key's length on.
    mutating func add(body: ArraySlice<UInt8>, offsetDelta: Int32, timestamp: Int64) {
        if header.count == 0, header.deleteHorizonMs == nil { header.baseTimestamp = timestamp }
        if header.timestampType == .createTime { header.maxTimestamp = max(header.maxTimestamp, timestamp) }
        var prefix: [UInt8] = [0]
        prefix.append(varint: timestamp &- header.baseTimestamp)
        prefix.append(varint: Int64(offsetDelta))
        records.append(varint: Int64(prefix.count + body.count))
        records.append(contentsOf: prefix)
        records.append(contentsOf: body)
        header.count += 1
    }

    package func build() -> [UInt8] {
        header.batch(records: records[...])
    }

    /// The control batch that ends a producer's transaction in a partition.
    package static func marker(
        _ result: TransactionResult, producerId: Int64, producerEpoch: Int16, coordinatorEpoch: Int32,
        timestamp: Int64, baseOffset: Int64 = 0
    ) -> [UInt8] {
        var builder = RecordBatchBuilder(
            producerId: producerId, producerEpoch: producerEpoch, isTransactional: true, baseOffset: baseOffset)
        builder.header.attributes |= 0x20
        var key: [UInt8] = [0, 0]
        key.append(number: result.rawValue)
        var value: [UInt8] = [0, 0]
        value.append(number: coordinatorEpoch)
        builder.add(key: key, value: value, timestamp: timestamp)
        return builder.build()
    }

    // MARK: -

    private static func append(_ field: [UInt8]?, to body: inout [UInt8]) {
        guard let field else { return body.append(varint: -1) }
        body.append(varint: Int64(field.count))
        body.append(contentsOf: field)
    }
}

/// What a control batch says: the end of a transaction.
package struct TransactionMarker: Hashable, Sendable {
    package var result: TransactionResult
    package var coordinatorEpoch: Int32

    package init(result: TransactionResult, coordinatorEpoch: Int32) {
        self.result = result
        self.coordinatorEpoch = coordinatorEpoch
    }

    /// Nil where the control batch is of another kind.
    package init?(batch: ArraySlice<UInt8>) throws(BatchError) {
        guard let record = try LogRecord.records(of: batch).first, let key = record.key, let value = record.value,
            key.count >= 4, value.count >= 6
        else { return nil }
        let type: Int16 = key.span.bytes.number(at: 2)
        guard let result = TransactionResult(rawValue: type) else { return nil }
        self.result = result
        coordinatorEpoch = value.span.bytes.number(at: 2)
    }
}
