/// Where a record's parts are in its batch's bytes.
package struct RecordFields: Hashable, Sendable {
    package var timestampDelta: Int64
    package var offsetDelta: Int32
    package var key: Range<Int>?
    package var value: Range<Int>?
    /// From the key's length to the end: what stays when the record is written into another batch.
    package var body: Range<Int>
    /// Behind the number of headers.
    var headers: Range<Int>
    var headerCount: Int32
}

/// Goes over the records of an uncompressed batch; what it returns was checked against the bytes.
package struct RecordCursor: Sendable {
    private var position = RecordBatchHeader.size
    private var remaining: Int32
    private let end: Int

    package init(_ header: RecordBatchHeader) {
        remaining = max(0, header.count)
        end = header.byteCount
    }

    /// The next record, or nil behind the last one.
    package mutating func next(_ batch: RawSpan) throws(BatchError) -> RecordFields? {
        guard batch.byteCount >= end else { throw .truncated }
        guard remaining > 0 else {
            guard position == end else { throw .invalidRecord("there are bytes behind the last record") }
            return nil
        }
        remaining -= 1
        var outer = VarintCursor(at: position, end: end)
        guard let range = try outer.field(batch) else { throw .invalidRecord("a record's length is negative") }
        position = range.upperBound
        var cursor = VarintCursor(at: range.lowerBound, end: range.upperBound)
        _ = try cursor.byte(batch)  // attributes: none is defined
        let timestampDelta = try cursor.varlong(batch)
        let offsetDelta = try cursor.varint(batch)
        let bodyStart = cursor.position
        let key = try cursor.field(batch)
        let value = try cursor.field(batch)
        let headerCount = try cursor.varint(batch)
        guard headerCount >= 0, Int(headerCount) <= cursor.remaining else {
            throw .invalidRecord("a record's number of headers is wrong")
        }
        let headersStart = cursor.position
        for _ in 0..<headerCount {
            guard try cursor.field(batch) != nil else { throw .invalidRecord("a record's header has no key") }
            _ = try cursor.field(batch)
        }
        guard cursor.remaining == 0 else { throw .invalidRecord("a record is longer than its fields") }
        return RecordFields(
            timestampDelta: timestampDelta, offsetDelta: offsetDelta, key: key, value: value,
            body: bodyStart..<range.upperBound, headers: headersStart..<range.upperBound, headerCount: headerCount)
    }
}

package struct RecordHeader: Hashable, Sendable {
    package var key: [UInt8]
    package var value: [UInt8]?

    package init(key: [UInt8], value: [UInt8]?) {
        self.key = key
        self.value = value
    }
}

/// A record with bytes of its own: for logs that are read back and for tests.
package struct LogRecord: Hashable, Sendable {
    package var offset: Int64
    package var timestamp: Int64
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: [RecordHeader]

    /// All records of an uncompressed batch, or an error that says what is wrong with it.
    package static func records(of batch: ArraySlice<UInt8>) throws(BatchError) -> [LogRecord] {
        let header = try RecordBatchHeader(batch)
        guard !header.isCompressed else { throw .invalidRecord("the batch is compressed") }
        let bytes = batch.span.bytes
        let whole = Array(batch)
        var cursor = RecordCursor(header)
        var records: [LogRecord] = []
        while let fields = try cursor.next(bytes) {
            records.append(
                LogRecord(
                    offset: header.baseOffset &+ Int64(fields.offsetDelta), timestamp: header.timestamp(of: fields),
                    key: fields.key.map { Array(whole[$0]) }, value: fields.value.map { Array(whole[$0]) },
                    headers: try headers(of: fields, in: bytes, whole)))
        }
        return records
    }

    /// The batches that lie one behind another, and the records of each.
    package static func records(ofBatches bytes: ArraySlice<UInt8>) throws(BatchError) -> [LogRecord] {
        var rest = bytes
        var records: [LogRecord] = []
        while !rest.isEmpty {
            let header = try RecordBatchHeader(rest)
            records += try Self.records(of: rest.prefix(header.byteCount))
            rest = rest.dropFirst(header.byteCount)
        }
        return records
    }

    // MARK: -

    private static func headers(of fields: RecordFields, in bytes: RawSpan, _ whole: [UInt8]) throws(BatchError)
        -> [RecordHeader]
    {
        var cursor = VarintCursor(at: fields.headers.lowerBound, end: fields.headers.upperBound)
        var headers: [RecordHeader] = []
        for _ in 0..<fields.headerCount {
            guard let key = try cursor.field(bytes) else { throw .invalidRecord("a record's header has no key") }
            let value = try cursor.field(bytes)
            headers.append(RecordHeader(key: Array(whole[key]), value: value.map { Array(whole[$0]) }))
        }
        return headers
    }
}
