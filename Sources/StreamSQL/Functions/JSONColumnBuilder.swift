import StreamCore

/// A value that is neither text nor nested, without a box around it.
enum JSONScalar {
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case decimal(Int128)
    case binary([UInt8])
}

/// A column that grows value by value; nested types have builders for their parts.
final class JSONColumnBuilder {
    let type: DataType
    /// Elements; keys and values; or members.
    let children: [JSONColumnBuilder]
    /// The members' names.
    let names: [[UInt8]]
    private(set) var count = 0
    private var nulls = Bitmap(count: 0)
    private var hasNulls = false
    private var booleans: [Bool] = []
    private var integers: [Int64] = []
    private var doubles: [Double] = []
    private var decimals: [Int128] = []
    private let arena = ByteArena()
    private var views: [ByteView] = []
    private var starts: [Int32] = []
    private var lengths: [Int32] = []
    /// Where the values of a struct's members stand in the text; -1 where there is none. Kept from row to row.
    var places: [Int] = []

    init(_ type: DataType) {
        self.type = type
        switch type {
        case .array(let element): children = [JSONColumnBuilder(element)]
        case .map(let key, let value): children = [JSONColumnBuilder(key), JSONColumnBuilder(value)]
        case .structure(let schema): children = schema.fields.map { JSONColumnBuilder($0.type) }
        default: children = []
        }
        if case .structure(let schema) = type { names = schema.fields.map { Array($0.name.utf8) } } else { names = [] }
    }

    /// Bytes of text so far, in the parts too.
    var byteCount: Int { children.reduce(arena.count) { $0 + $1.byteCount } }

    private func mark(isNull: Bool) {
        nulls.append(isNull)
        if isNull { hasNulls = true }
        count += 1
    }

    func appendNull() {
        switch type {
        case .string: views.append(.empty)
        case .array, .map:
            starts.append(Int32(truncatingIfNeeded: children[0].count))
            lengths.append(0)
        case .structure: for child in children { child.appendNull() }
        case .binary: views.append(.empty)
        case .boolean: booleans.append(false)
        case .float, .double: doubles.append(0)
        case .decimal: decimals.append(0)
        default: integers.append(0)
        }
        mark(isNull: true)
    }

    /// What a row without a usable value is: a struct of nulls, or null.
    func appendEmptyRoot() {
        guard case .structure = type else { return appendNull() }
        for child in children { child.appendNull() }
        mark(isNull: false)
    }

    func append(_ scalar: JSONScalar) {
        switch scalar {
        case .boolean(let value): booleans.append(value)
        case .integer(let value): integers.append(value)
        case .double(let value): doubles.append(value)
        case .decimal(let value): decimals.append(value)
        case .binary(let bytes): views.append(arena.append(contentsOf: bytes))
        }
        mark(isNull: false)
    }

    /// A text.
    func append(_ bytes: UnsafeRawBufferPointer) {
        views.append(arena.append(bytes))
        mark(isNull: false)
    }

    /// Puts a text in place of the last value.
    func replaceLast(with bytes: UnsafeRawBufferPointer) {
        guard count > 0, !views.isEmpty else { return }
        views[count - 1] = arena.append(bytes)
        nulls[count - 1] = false
    }

    /// Ends a list or map whose elements were appended to the children.
    func closeList(from start: Int) {
        starts.append(Int32(truncatingIfNeeded: start))
        lengths.append(Int32(truncatingIfNeeded: children[0].count - start))
        mark(isNull: false)
    }

    func closeStructure() { mark(isNull: false) }

    func build() -> Column {
        let nulls = hasNulls && self.nulls.isAnySet ? self.nulls : nil
        switch type {
        case .string: return .string(BytesColumn(arena: arena, views: views, nulls: nulls))
        case .array:
            return .array(ArrayColumn(elements: children[0].build(), starts: starts, lengths: lengths, nulls: nulls))
        case .map:
            return .map(
                MapColumn(
                    keys: children[0].build(), values: children[1].build(), starts: starts, lengths: lengths,
                    nulls: nulls))
        case .structure(let schema):
            return .structure(
                StructColumn(schema: schema, columns: children.map { $0.build() }, count: count, nulls: nulls))
        default: return fixed(nulls)
        }
    }

    private func fixed(_ nulls: Bitmap?) -> Column {
        func narrow<Value: FixedWidthInteger & BitwiseCopyable & Sendable>() -> FixedColumn<Value> {
            FixedColumn(integers.map { Value(truncatingIfNeeded: $0) }, nulls: nulls)
        }
        switch type {
        case .binary: return .binary(BytesColumn(arena: arena, views: views, nulls: nulls))
        case .boolean: return .boolean(FixedColumn(booleans, nulls: nulls))
        case .float: return .float(FixedColumn(doubles.map { Float($0) }, nulls: nulls))
        case .double: return .double(FixedColumn(doubles, nulls: nulls))
        case .decimal(let precision, let scale):
            return .decimal(DecimalColumn(FixedColumn(decimals, nulls: nulls), precision: precision, scale: scale))
        case .int8: return .int8(narrow())
        case .int16: return .int16(narrow())
        case .int32: return .int32(narrow())
        case .int64: return .int64(narrow())
        case .date: return .date(narrow())
        case .timestamp: return .timestamp(narrow())
        case .yearMonthInterval: return .yearMonthInterval(narrow())
        case .dayTimeInterval: return .dayTimeInterval(narrow())
        // No JSON value becomes one of these.
        default: return .interleaved([], type: type, [Pick](repeating: .null, count: count))
        }
    }
}
