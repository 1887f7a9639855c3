internal import CJSON
public import StreamCore

/// Decodes JSON documents, one object per record value, into columns.
///
/// Give it the schema that the query needs, nested fields included: nothing else is decoded. Yet each document is
/// checked from its first to its last byte, also where nobody reads: grammar, UTF-8, escapes, depth.
///
/// The rules are those of Spark's `from_json`, but a row is all or nothing: where Spark gives null, here the row has a
/// fault. A missing field and JSON `null` are null; of repeated names the last wins; names are case-sensitive.
/// - Integers take integral numbers in range: not `1.0`, `1e2` or `"1"`.
/// - `FLOAT`, `DOUBLE` take any number, and the texts `NaN`, `Infinity`, `-Infinity`.
/// - `DECIMAL` takes a number, or one as text, exactly, rounded half up to its scale.
/// - `STRING` takes anything: what is not text becomes its JSON text, byte by byte.
/// - `TIMESTAMP` takes ISO 8601 text or whole seconds, `DATE` text, `BINARY` base64.
/// - Intervals are the text that SQL writes: `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1 02:03:04.5' DAY TO SECOND`.
/// - Half of a surrogate pair (`"\ud800"`) becomes U+FFFD.
///
/// Faults: `MALFORMED_JSON`, `TRUNCATED`, `INVALID_UTF8`, `TOO_DEEP`, `NOT_AN_OBJECT`, `WRONG_TYPE`.
///
/// Strings without escapes are views into the block's own arena. A column with an escaped string gets an arena of its
/// own, so a block is only read, never changed.
@safe
public final class JSONDecoder: RowDecoder {
    public let schema: Schema
    private let messages: JSONFaultMessages
    private let decoder: OpaquePointer

    /// - Parameters:
    ///   - schema: the columns to decode; empty to check documents only.
    ///   - depthMax: how many objects and arrays may be open at once (1 to 1,000), the document's own included.
    /// - Throws: `UNSUPPORTED_TYPE`: intervals of mixed units (INTERVAL), and maps whose keys are not strings.
    public init(schema: Schema, depthMax: Int = 64) throws(StreamError) {
        self.schema = schema
        let tree = try JSONFieldTree(schema)
        messages = JSONFaultMessages(tree: tree, depthMax: min(max(depthMax, 1), 1000))
        // Safety: the call copies the fields and their names.
        let depthMax = UInt32(messages.depthMax)
        let created = unsafe tree.withFields { unsafe cjson_decoder_create($0.baseAddress, $0.count, depthMax) }
        guard let created = unsafe created else { preconditionFailure("a decoder is always created") }
        unsafe decoder = created
    }

    deinit { unsafe cjson_decoder_destroy(decoder) }

    public func decode(_ block: RecordBlock, rows: [Int32]? = nil) -> (batch: RecordBatch, faults: [RowFault]) {
        let faultCount = run(block, rows: rows)
        // Safety: the faults lie in the decoder until its next call.
        let found = unsafe UnsafeBufferPointer(start: cjson_faults(decoder), count: faultCount)
        let faults = unsafe found.map { messages.fault($0) }
        var reader = unsafe DecodedColumns(decoder: decoder, arena: block.arena)
        let columns = schema.fields.map { reader.next($0.type) }
        return (RecordBatch(schema: schema, columns: columns, count: block.count, selection: rows), faults)
    }

    private func run(_ block: RecordBlock, rows: [Int32]?) -> Int {
        precondition(rows?.allSatisfy { $0 >= 0 && $0 < block.count } ?? true, "rows are slots of the block")
        // Safety: views lie in the arena, which more readable bytes follow than the call needs; nothing is kept.
        return unsafe block.slots.withUnsafeBytes { slots in
            let values = unsafe slots.baseAddress.map { unsafe $0 + Self.valueOffset }
            let base = unsafe block.arena.allBytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let stride = MemoryLayout<RecordSlot>.stride
            guard let rows else { return unsafe cjson_decode(decoder, base, values, stride, block.count, nil, 0) }
            return unsafe rows.withUnsafeBufferPointer { wanted in
                // An empty array may have no address, which would mean "all".
                guard let address = wanted.baseAddress, !wanted.isEmpty else {
                    var none: Int32 = 0
                    return unsafe cjson_decode(decoder, base, values, stride, block.count, &none, 0)
                }
                return unsafe cjson_decode(decoder, base, values, stride, block.count, address, wanted.count)
            }
        }
    }

    private static let valueOffset: Int = {
        guard let offset = MemoryLayout<RecordSlot>.offset(of: \.value) else {
            preconditionFailure("a slot's value is stored")
        }
        return offset
    }()
}
