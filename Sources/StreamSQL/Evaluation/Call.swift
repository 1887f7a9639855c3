import StreamCore

/// One evaluation of a function over a batch: its arguments, the rows that count, and helpers that build the result.
struct Call {
    let arguments: [Vector]
    let rows: Rows
    /// The result's type.
    let type: DataType
    let context: EvaluationContext
    let propagatesNulls: Bool
    let isTry: Bool

    var count: Int { rows.count }

    /// Records an error of a row (nothing for `try_` functions). The row's result must be null.
    func fail(_ row: Int, _ error: RowError) {
        if !isTry { context.faults.add(error, row: row) }
    }

    // MARK: - Arguments

    func booleans(_ index: Int) -> FixedInput<Bool> {
        if case .boolean(let column) = arguments[index].column { return FixedInput(column, mask: mask(index)) }
        return missing(index, false)
    }
    func int8s(_ index: Int) -> FixedInput<Int8> {
        if case .int8(let column) = arguments[index].column { return FixedInput(column, mask: mask(index)) }
        return missing(index, 0)
    }
    func int16s(_ index: Int) -> FixedInput<Int16> {
        if case .int16(let column) = arguments[index].column { return FixedInput(column, mask: mask(index)) }
        return missing(index, 0)
    }
    /// INT, DATE (days) or year-month intervals (months).
    func int32s(_ index: Int) -> FixedInput<Int32> {
        switch arguments[index].column {
        case .int32(let column), .date(let column), .yearMonthInterval(let column):
            FixedInput(column, mask: mask(index))
        default: missing(index, 0)
        }
    }
    /// BIGINT, TIMESTAMP (µs) or day-time intervals (µs).
    func int64s(_ index: Int) -> FixedInput<Int64> {
        switch arguments[index].column {
        case .int64(let column), .timestamp(let column), .dayTimeInterval(let column):
            FixedInput(column, mask: mask(index))
        default: missing(index, 0)
        }
    }
    func floats(_ index: Int) -> FixedInput<Float> {
        if case .float(let column) = arguments[index].column { return FixedInput(column, mask: mask(index)) }
        return missing(index, 0)
    }
    func doubles(_ index: Int) -> FixedInput<Double> {
        if case .double(let column) = arguments[index].column { return FixedInput(column, mask: mask(index)) }
        return missing(index, 0)
    }
    /// Unscaled values; the scale is `scale(index)`.
    func decimals(_ index: Int) -> FixedInput<Int128> {
        if case .decimal(let column) = arguments[index].column { return FixedInput(column.unscaled, mask: mask(index)) }
        return missing(index, 0)
    }
    func scale(_ index: Int) -> Int {
        if case .decimal(let column) = arguments[index].column { column.scale } else { 0 }
    }
    func intervals(_ index: Int) -> FixedInput<CalendarInterval> {
        if case .calendarInterval(let column) = arguments[index].column { return FixedInput(column, mask: mask(index)) }
        return missing(index, CalendarInterval(months: 0, days: 0, microseconds: 0))
    }
    /// STRING or BINARY.
    func bytes(_ index: Int) -> BytesInput {
        switch arguments[index].column {
        case .string(let column), .binary(let column): return BytesInput(column, mask: mask(index))
        default:
            let nulls = Bitmap(count: 1, repeating: true)
            return BytesInput(BytesColumn(arena: ByteArena(), views: [.empty], nulls: nulls), mask: 0)
        }
    }
    /// The list column of an ARRAY argument; `isNull` and `range` take `row & mask`.
    func arrays(_ index: Int) -> (column: ArrayColumn, mask: Int)? {
        if case .array(let column) = arguments[index].column { (column, mask(index)) } else { nil }
    }
    func maps(_ index: Int) -> (column: MapColumn, mask: Int)? {
        if case .map(let column) = arguments[index].column { (column, mask(index)) } else { nil }
    }
    func structures(_ index: Int) -> (column: StructColumn, mask: Int)? {
        if case .structure(let column) = arguments[index].column { (column, mask(index)) } else { nil }
    }

    private func mask(_ index: Int) -> Int { arguments[index].mask }

    /// An untyped NULL stands in for any type.
    private func missing<Value>(_ index: Int, _ filler: Value) -> FixedInput<Value> {
        guard case .null = arguments[index].column else {
            preconditionFailure("a signature let \(arguments[index].column.type.name) through")
        }
        return FixedInput(FixedColumn([filler], nulls: Bitmap(count: 1, repeating: true)), mask: 0)
    }

    func isNull(_ argument: Int, _ row: Int) -> Bool {
        let vector = arguments[argument]
        return vector.column.nulls.map { $0[row & vector.mask] } ?? false
    }

    // MARK: - Rows

    /// Null where an argument is, or nil; all set if a constant argument is null.
    func argumentNulls() -> Bitmap? {
        var result: Bitmap?
        for vector in arguments {
            guard let nulls = vector.column.nulls else { continue }
            if !vector.isConstant {
                result = Bitmap.union(result, nulls)
            } else if nulls[0] {
                return Bitmap(count: count, repeating: true)
            }
        }
        return result
    }
}
