public import StreamCore

/// Encodes rows as JSON objects, by the rules of Spark's `to_json`.
///
/// - Null fields are left out; nulls inside arrays and maps are kept.
/// - Timestamps are ISO 8601 with milliseconds and zone (microseconds are cut), dates text, binaries base64.
/// - Doubles have the shortest digits that read back, as Java prints them (`1.0E7`); `NaN` and infinities are strings.
/// - Decimals have all digits of their scale. Control characters are escaped, other text is not.
public final class JSONEncoder: RowEncoder {
    public let schema: Schema

    /// - Throws: `UNSUPPORTED_TYPE`: maps whose keys are arrays, maps or structs.
    public init(schema: Schema) throws(StreamError) {
        self.schema = schema
        for field in schema.fields { try Self.check(field.type, field.name) }
    }

    public func encode(_ batch: RecordBatch, into arena: ByteArena) throws(StreamError) -> [ByteView] {
        precondition(batch.schema.count == schema.count, "a batch has the columns that its encoder was made for")
        let object = ObjectText(schema, batch.columns, batch.rows)
        try arena.checkRoom(object.byteCountMax)
        let before = arena.count
        let count = batch.selectedCount
        return unsafe [ByteView](unsafeUninitializedCapacity: count) { views, filled in
            let address = views.baseAddress
            _ = unsafe arena.appendInPlace(limit: object.byteCountMax) { room in
                guard let target = room.baseAddress, let address = unsafe address else { return 0 }
                return unsafe object.write(to: target.assumingMemoryBound(to: UInt8.self)) { index, start, length in
                    unsafe (address + index).initialize(to: ByteView(start: before + start, length: length))
                }
            }
            filled = count
        }
    }

    private static func check(_ type: DataType, _ path: String) throws(StreamError) {
        switch type {
        case .array(let element): try check(element, path + "[]")
        case .map(let key, let value):
            switch key {
            case .array, .map, .structure:
                throw unsupportedType(
                    path, type, "the keys of a JSON object are strings", remedy: "Cast the keys to STRING.")
            default: try check(value, path + "{}")
            }
        case .structure(let schema):
            for field in schema.fields { try check(field.type, "\(path).\(field.name)") }
        default: break
        }
    }
}
