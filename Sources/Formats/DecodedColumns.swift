internal import CJSON
internal import StreamCore

/// Copies the decoder's columns out, field by field in preorder.
@safe
struct DecodedColumns {
    private let decoder: OpaquePointer
    private let arena: ByteArena
    /// The root, which has no column of its own, is field 0.
    private var place = 1

    /// - Parameter decoder: outlives this value, and decodes nothing meanwhile.
    @unsafe
    init(decoder: OpaquePointer, arena: ByteArena) {
        unsafe self.decoder = decoder
        self.arena = arena
    }

    /// The column of the next field, with all that is in it.
    mutating func next(_ type: DataType) -> Column {
        // Safety: the decoder has one node for each field of the schema that this walk follows.
        let source = unsafe cjson_decoded(decoder, place)
        place += 1
        let count = unsafe source.count
        let nulls = unsafe self.nulls(source)
        switch type {
        case .null: return .null(count)
        case .boolean: return unsafe .boolean(fixed(source, nulls))
        case .int8: return unsafe .int8(fixed(source, nulls))
        case .int16: return unsafe .int16(fixed(source, nulls))
        case .int32: return unsafe .int32(fixed(source, nulls))
        case .int64: return unsafe .int64(fixed(source, nulls))
        case .float: return unsafe .float(fixed(source, nulls))
        case .double: return unsafe .double(fixed(source, nulls))
        case .date: return unsafe .date(fixed(source, nulls))
        case .timestamp: return unsafe .timestamp(fixed(source, nulls))
        case .decimal(let precision, let scale):
            return unsafe .decimal(DecimalColumn(fixed(source, nulls), precision: precision, scale: scale))
        case .string: return unsafe .string(bytes(source, nulls))
        case .binary: return unsafe .binary(bytes(source, nulls))
        case .array(let element):
            let starts = unsafe copied(source.starts, Int32.self, count)
            let lengths = unsafe copied(source.lengths, Int32.self, count)
            return .array(ArrayColumn(elements: next(element), starts: starts, lengths: lengths, nulls: nulls))
        case .map(let key, let value):
            let starts = unsafe copied(source.starts, Int32.self, count)
            let lengths = unsafe copied(source.lengths, Int32.self, count)
            let keys = next(key)
            return .map(MapColumn(keys: keys, values: next(value), starts: starts, lengths: lengths, nulls: nulls))
        case .structure(let schema):
            let columns = schema.fields.map { next($0.type) }
            return .structure(StructColumn(schema: schema, columns: columns, count: count, nulls: nulls))
        case .yearMonthInterval: return unsafe .yearMonthInterval(fixed(source, nulls))
        case .dayTimeInterval: return unsafe .dayTimeInterval(fixed(source, nulls))
        case .calendarInterval:
            preconditionFailure("refused when the decoder was made")
        }
    }

    private func nulls(_ source: cjson_column) -> Bitmap? {
        let count = unsafe source.count
        guard unsafe source.has_nulls != 0 else { return nil }
        return unsafe Bitmap(count: count, words: copied(source.nulls, UInt64.self, (count + 63) / 64))
    }

    private func fixed<Value>(_ source: cjson_column, _ nulls: Bitmap?) -> FixedColumn<Value> {
        unsafe FixedColumn(copied(source.values, Value.self, source.count), nulls: nulls)
    }

    private func bytes(_ source: cjson_column, _ nulls: Bitmap?) -> BytesColumn {
        // `cjson_view` and `ByteView` are both a 32-bit start and a 32-bit length.
        let views = unsafe copied(source.values, ByteView.self, source.count)
        guard let side = unsafe source.side else { return BytesColumn(arena: arena, views: views, nulls: nulls) }
        let own = unsafe ByteArena(capacity: source.side_length)
        _ = unsafe own.append(UnsafeRawBufferPointer(start: side, count: source.side_length))
        return BytesColumn(arena: own, views: views, nulls: nulls)
    }

    private func copied<Value: BitwiseCopyable>(_ source: UnsafeRawPointer?, _: Value.Type, _ count: Int) -> [Value] {
        guard let source = unsafe source, count > 0 else { return [] }
        return unsafe Array(unsafeUninitializedCapacity: count) { target, filled in
            unsafe UnsafeMutableRawBufferPointer(target).copyMemory(
                from: UnsafeRawBufferPointer(start: source, count: count * MemoryLayout<Value>.stride))
            filled = count
        }
    }
}
