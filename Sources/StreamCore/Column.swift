/// One column of a record batch. Dispatch on the case once per batch, then run over the plain arrays inside.
public indirect enum Column: Sendable {
    /// So many NULLs without a type.
    case null(Int)
    case boolean(FixedColumn<Bool>)
    case int8(FixedColumn<Int8>)
    case int16(FixedColumn<Int16>)
    case int32(FixedColumn<Int32>)
    case int64(FixedColumn<Int64>)
    case float(FixedColumn<Float>)
    case double(FixedColumn<Double>)
    case decimal(DecimalColumn)
    case string(BytesColumn)
    case binary(BytesColumn)
    case date(FixedColumn<Int32>)
    case timestamp(FixedColumn<Int64>)
    case yearMonthInterval(FixedColumn<Int32>)
    case dayTimeInterval(FixedColumn<Int64>)
    case calendarInterval(FixedColumn<CalendarInterval>)
    case array(ArrayColumn)
    case map(MapColumn)
    case structure(StructColumn)

    public var count: Int {
        switch self {
        case .null(let count): count
        case .boolean(let column): column.count
        case .int8(let column): column.count
        case .int16(let column): column.count
        case .int32(let column), .date(let column), .yearMonthInterval(let column): column.count
        case .int64(let column), .timestamp(let column), .dayTimeInterval(let column): column.count
        case .float(let column): column.count
        case .double(let column): column.count
        case .decimal(let column): column.unscaled.count
        case .string(let column), .binary(let column): column.count
        case .calendarInterval(let column): column.count
        case .array(let column): column.count
        case .map(let column): column.count
        case .structure(let column): column.count
        }
    }

    /// Set where null; nil when no row is.
    public var nulls: Bitmap? {
        switch self {
        case .null(let count): Bitmap(count: count, repeating: true)
        case .boolean(let column): column.nulls
        case .int8(let column): column.nulls
        case .int16(let column): column.nulls
        case .int32(let column), .date(let column), .yearMonthInterval(let column): column.nulls
        case .int64(let column), .timestamp(let column), .dayTimeInterval(let column): column.nulls
        case .float(let column): column.nulls
        case .double(let column): column.nulls
        case .decimal(let column): column.unscaled.nulls
        case .string(let column), .binary(let column): column.nulls
        case .calendarInterval(let column): column.nulls
        case .array(let column): column.nulls
        case .map(let column): column.nulls
        case .structure(let column): column.nulls
        }
    }

    public var type: DataType {
        switch self {
        case .null: .null
        case .boolean: .boolean
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .float: .float
        case .double: .double
        case .decimal(let column): .decimal(precision: column.precision, scale: column.scale)
        case .string: .string
        case .binary: .binary
        case .date: .date
        case .timestamp: .timestamp
        case .yearMonthInterval: .yearMonthInterval
        case .dayTimeInterval: .dayTimeInterval
        case .calendarInterval: .calendarInterval
        case .array(let column): .array(column.elements.type)
        case .map(let column): .map(column.keys.type, column.values.type)
        case .structure(let column): .structure(column.schema)
        }
    }

    /// The rows at `rows`, in that order; a row may be taken more than once.
    public func gathered(_ rows: [Int32]) -> Column {
        switch self {
        case .null: .null(rows.count)
        case .boolean(let column): .boolean(column.gathered(rows))
        case .int8(let column): .int8(column.gathered(rows))
        case .int16(let column): .int16(column.gathered(rows))
        case .int32(let column): .int32(column.gathered(rows))
        case .int64(let column): .int64(column.gathered(rows))
        case .float(let column): .float(column.gathered(rows))
        case .double(let column): .double(column.gathered(rows))
        case .decimal(let column):
            .decimal(DecimalColumn(column.unscaled.gathered(rows), precision: column.precision, scale: column.scale))
        case .string(let column): .string(column.gathered(rows))
        case .binary(let column): .binary(column.gathered(rows))
        case .date(let column): .date(column.gathered(rows))
        case .timestamp(let column): .timestamp(column.gathered(rows))
        case .yearMonthInterval(let column): .yearMonthInterval(column.gathered(rows))
        case .dayTimeInterval(let column): .dayTimeInterval(column.gathered(rows))
        case .calendarInterval(let column): .calendarInterval(column.gathered(rows))
        case .array(let column):
            .array(
                ArrayColumn(
                    elements: column.elements, starts: rows.map { column.starts[Int($0)] },
                    lengths: rows.map { column.lengths[Int($0)] }, nulls: column.nulls?.gathered(rows)))
        case .map(let column):
            .map(
                MapColumn(
                    keys: column.keys, values: column.values, starts: rows.map { column.starts[Int($0)] },
                    lengths: rows.map { column.lengths[Int($0)] }, nulls: column.nulls?.gathered(rows)))
        case .structure(let column):
            .structure(
                StructColumn(
                    schema: column.schema, columns: column.columns.map { $0.gathered(rows) }, count: rows.count,
                    nulls: column.nulls?.gathered(rows)))
        }
    }
}
