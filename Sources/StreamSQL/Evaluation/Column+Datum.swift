public import StreamCore

extension Column {
    /// A column of these values; a value that does not belong to the type becomes null.
    static func of(_ values: [Datum], type: DataType) -> Column {
        switch type {
        case .null: .null(values.count)
        case .boolean: .boolean(FixedColumn(values.map(\.boolean), default: false))
        case .int8: .int8(FixedColumn(values.map { $0.integer.flatMap(Int8.init(exactly:)) }, default: 0))
        case .int16: .int16(FixedColumn(values.map { $0.integer.flatMap(Int16.init(exactly:)) }, default: 0))
        case .int32: .int32(FixedColumn(values.map(\.int32), default: 0))
        case .date: .date(FixedColumn(values.map(\.int32), default: 0))
        case .yearMonthInterval: .yearMonthInterval(FixedColumn(values.map(\.int32), default: 0))
        case .int64: .int64(FixedColumn(values.map(\.integer), default: 0))
        case .timestamp: .timestamp(FixedColumn(values.map(\.integer), default: 0))
        case .dayTimeInterval: .dayTimeInterval(FixedColumn(values.map(\.integer), default: 0))
        case .float: .float(FixedColumn(values.map { $0.double.map { Float($0) } }, default: 0))
        case .double: .double(FixedColumn(values.map(\.double), default: 0))
        case .decimal(let precision, let scale):
            .decimal(
                DecimalColumn(FixedColumn(values.map(\.decimal), default: 0), precision: precision, scale: scale))
        case .string: .string(BytesColumn(values.map(\.text)))
        case .binary: .binary(BytesColumn(values.map(\.bytes)))
        case .calendarInterval:
            .calendarInterval(
                FixedColumn(values.map(\.calendar), default: CalendarInterval(months: 0, days: 0, microseconds: 0)))
        case .array(let element): array(values, element)
        case .map(let key, let value): map(values, key, value)
        case .structure(let schema): structure(values, schema)
        }
    }

    private static func array(_ values: [Datum], _ element: DataType) -> Column {
        var elements: [Datum] = []
        var starts: [Int32] = []
        var lengths: [Int32] = []
        for value in values {
            starts.append(Int32(elements.count))
            if case .array(let items) = value { elements += items }
            lengths.append(Int32(elements.count) - starts[starts.count - 1])
        }
        let nulls = Bitmap.marking(values) { $0 == .null }
        return .array(
            ArrayColumn(elements: of(elements, type: element), starts: starts, lengths: lengths, nulls: nulls))
    }

    private static func map(_ values: [Datum], _ key: DataType, _ value: DataType) -> Column {
        var allKeys: [Datum] = []
        var allValues: [Datum] = []
        var starts: [Int32] = []
        var lengths: [Int32] = []
        for entry in values {
            starts.append(Int32(allKeys.count))
            if case .map(let keys, let items) = entry, keys.count == items.count {
                allKeys += keys
                allValues += items
            }
            lengths.append(Int32(allKeys.count) - starts[starts.count - 1])
        }
        return .map(
            MapColumn(
                keys: of(allKeys, type: key), values: of(allValues, type: value), starts: starts, lengths: lengths,
                nulls: Bitmap.marking(values) { $0 == .null }))
    }

    private static func structure(_ values: [Datum], _ schema: Schema) -> Column {
        let columns = schema.fields.indices.map { index in
            let members = values.map { value -> Datum in
                if case .structure(let members) = value, index < members.count { members[index] } else { .null }
            }
            return of(members, type: schema[index].type)
        }
        let nulls = Bitmap.marking(values) { $0 == .null }
        return .structure(StructColumn(schema: schema, columns: columns, count: values.count, nulls: nulls))
    }

    /// One row as a value; for constants, tests and edges.
    public func datum(_ row: Int) -> Datum {
        if nulls?[row] ?? false { return .null }
        switch self {
        case .null: return .null
        case .boolean(let column): return .boolean(column.values[row])
        case .int8(let column): return .integer(Int64(column.values[row]))
        case .int16(let column): return .integer(Int64(column.values[row]))
        case .int32(let column), .date(let column), .yearMonthInterval(let column):
            return .integer(Int64(column.values[row]))
        case .int64(let column), .timestamp(let column), .dayTimeInterval(let column):
            return .integer(column.values[row])
        case .float(let column): return .double(Double(column.values[row]))
        case .double(let column): return .double(column.values[row])
        case .decimal(let column): return .decimal(column.unscaled.values[row])
        case .string(let column): return .string(column.arena.string(column.views[row]))
        case .binary(let column): return .binary(column.arena.array(column.views[row]))
        case .calendarInterval(let column):
            let value = column.values[row]
            return .interval(months: value.months, days: value.days, microseconds: value.microseconds)
        case .array(let column): return .array(column.range(row).map { column.elements.datum($0) })
        case .map(let column):
            return .map(
                keys: column.range(row).map { column.keys.datum($0) },
                values: column.range(row).map { column.values.datum($0) })
        case .structure(let column): return .structure(column.columns.map { $0.datum(row) })
        }
    }
}

extension Datum {
    var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    var int32: Int32? { integer.flatMap(Int32.init(exactly:)) }
    var double: Double? { if case .double(let value) = self { value } else { nil } }
    var decimal: Int128? { if case .decimal(let value) = self { value } else { nil } }
    var text: String? { if case .string(let value) = self { value } else { nil } }
    var bytes: [UInt8]? { if case .binary(let value) = self { value } else { nil } }
    var calendar: CalendarInterval? {
        guard case .interval(let months, let days, let microseconds) = self else { return nil }
        return CalendarInterval(months: months, days: days, microseconds: microseconds)
    }
}
