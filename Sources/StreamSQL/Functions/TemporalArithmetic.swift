import StreamCore

/// Arithmetic on dates, timestamps and intervals: the operators ask here first.
enum TemporalArithmetic {
    /// Whether an operation on these types belongs here.
    static func handles(_ types: [DataType]) -> Bool {
        types.contains { isDatetime($0) || isInterval($0) }
    }

    private static func isDatetime(_ type: DataType) -> Bool { type == .date || type == .timestamp }
    private static func isInterval(_ type: DataType) -> Bool {
        type == .yearMonthInterval || type == .dayTimeInterval || type == .calendarInterval
    }

    // MARK: - Types

    /// Casts the operands and gives the result's type.
    static func resolve(_ operation: ArithmeticOperator, _ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        let result: ResultType? =
            switch operation {
            case .add: sum(&typing)
            case .subtract: difference(&typing)
            case .multiply: product(&typing)
            case .divide: scaled(&typing)
            case .wholeDivide: ratio(&typing)
            default: nil
            }
        if let result { return result }
        let names = typing.arguments.map { $0.typeName.uppercased() }
        let areBothIntervals = isInterval(typing.type(0)) && isInterval(typing.type(1))
        throw typing.issue(
            areBothIntervals ? "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" : "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
            "'\(typing.name)' cannot take \(names[0]) and \(names[1])")
    }

    private static func sum(_ typing: inout CallTyping) -> ResultType? {
        // The moment stands first; an untyped NULL takes what the other side wants.
        if isDatetime(typing.type(1)), !isDatetime(typing.type(0)) { typing.arguments.swapAt(0, 1) }
        return moved(&typing)
    }

    /// A date or a timestamp and what is added to it or taken from it; or two intervals of one kind.
    private static func moved(_ typing: inout CallTyping) -> ResultType? {
        let (left, right) = (typing.type(0), typing.type(1))
        switch (left, right) {
        case (.date, .int8), (.date, .int16), (.date, .int32), (.date, .null):
            typing.arguments[1] = typing.arguments[1].cast(to: .int32)
            return ResultType(.date)
        case (.date, .yearMonthInterval), (.date, .calendarInterval): return ResultType(.date)
        case (.date, .dayTimeInterval):
            if typing.arguments[1].units == IntervalUnits(.day, .day) { return ResultType(.date) }
            typing.arguments[0] = typing.arguments[0].cast(to: .timestamp)
            return ResultType(.timestamp)
        case (.timestamp, .null):
            typing.arguments[1] = typing.arguments[1].cast(to: .dayTimeInterval)
            return ResultType(.timestamp)
        case (.timestamp, _) where isInterval(right): return ResultType(.timestamp)
        case (.null, _) where isInterval(right): typing.arguments[0] = typing.arguments[0].cast(to: right)
        case (_, .null) where isInterval(left): typing.arguments[1] = typing.arguments[1].cast(to: left)
        default: guard left == right, isInterval(left) else { return nil }
        }
        let units = IntervalUnits.covering(typing.arguments[0].units, typing.arguments[1].units)
        return ResultType(typing.type(0), units: units)
    }

    private static func difference(_ typing: inout CallTyping) -> ResultType? {
        for (index, other) in [(0, 1), (1, 0)]
        where isDatetime(typing.type(other))
            && (typing.type(index) == .string || (index == 0 && typing.type(0) == .null))
        {
            typing.arguments[index] = typing.arguments[index].cast(to: typing.type(other))
        }
        guard isDatetime(typing.type(0)), isDatetime(typing.type(1)) else { return moved(&typing) }
        if typing.type(0) == .date, typing.type(1) == .date {
            return ResultType(.dayTimeInterval, units: IntervalUnits(.day, .day))
        }
        for index in 0..<2 { typing.arguments[index] = typing.arguments[index].cast(to: .timestamp) }
        return ResultType(.dayTimeInterval)
    }

    private static func product(_ typing: inout CallTyping) -> ResultType? {
        if isInterval(typing.type(1)) { typing.arguments.swapAt(0, 1) }
        return scaled(&typing)
    }

    /// An interval times or by a number: the result shows all fields of its kind.
    private static func scaled(_ typing: inout CallTyping) -> ResultType? {
        guard typing.type(0) == .yearMonthInterval || typing.type(0) == .dayTimeInterval else { return nil }
        switch typing.type(1) {
        case .int8, .int16, .int32: typing.arguments[1] = typing.arguments[1].cast(to: .int64)
        case .float, .string, .null: typing.arguments[1] = typing.arguments[1].cast(to: .double)
        case .int64, .double, .decimal: break
        default: return nil
        }
        return ResultType(typing.type(0), units: IntervalUnits.widest(of: typing.type(0)))
    }

    /// How often an interval goes into another one.
    private static func ratio(_ typing: inout CallTyping) -> ResultType? {
        let type = typing.type(0)
        guard type == typing.type(1), type == .yearMonthInterval || type == .dayTimeInterval else { return nil }
        return ResultType(.int64)
    }

    // MARK: - Values

    static func evaluate(_ operation: ArithmeticOperator, _ call: Call) -> Column {
        let left = call.arguments[0].column.type
        switch operation {
        case .wholeDivide:
            return left == .yearMonthInterval
                ? ratio(call, call.int32s(0), call.int32s(1)) : ratio(call, call.int64s(0), call.int64s(1))
        case .multiply, .divide: return scaled(call, isDivision: operation == .divide)
        default: break
        }
        let isMinus = operation == .subtract
        switch (left, call.arguments[1].column.type) {
        case (.date, .date):
            let (a, b) = (call.int32s(0), call.int32s(1))
            return .dayTimeInterval(
                call.fixed(0) { (row) throws(RowError) in
                    guard let span = (Int64(a[row]) - Int64(b[row])).checkedTimes(TimeText.microsecondsPerDay) else {
                        throw TimeMath.overflow
                    }
                    return span
                })
        case (.timestamp, .timestamp):
            let (a, b, zone) = (call.int64s(0), call.int64s(1), call.context.zone)
            return .dayTimeInterval(
                call.fixed(0) { (row) throws(RowError) in
                    guard let span = zone.local(a[row]).checkedMinus(zone.local(b[row])) else {
                        throw intervalOverflow(true)
                    }
                    return span
                })
        case (.yearMonthInterval, .yearMonthInterval):
            return .yearMonthInterval(sums(call, call.int32s(0), call.int32s(1), isMinus))
        case (.dayTimeInterval, .dayTimeInterval):
            return .dayTimeInterval(sums(call, call.int64s(0), call.int64s(1), isMinus))
        case (.calendarInterval, .calendarInterval): return calendarSums(call, isMinus)
        default: return movedMoments(call, isMinus)
        }
    }

    static func intervalOverflow(_ hasSuggestion: Bool) -> RowError {
        let suffix = hasSuggestion ? "WITH_SUGGESTION" : "WITHOUT_SUGGESTION"
        return RowError(StreamError.Code("INTERVAL_ARITHMETIC_OVERFLOW.\(suffix)"), "the interval is too long")
    }

    private static func sums<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ call: Call, _ a: FixedInput<Value>, _ b: FixedInput<Value>, _ isMinus: Bool
    ) -> FixedColumn<Value> {
        call.fixed(0) { (row) throws(RowError) in
            let (value, isOver) =
                isMinus ? a[row].subtractingReportingOverflow(b[row]) : a[row].addingReportingOverflow(b[row])
            if isOver { throw intervalOverflow(true) }
            return value
        }
    }

    private static func calendarSums(_ call: Call, _ isMinus: Bool) -> Column {
        let (a, b) = (call.intervals(0), call.intervals(1))
        return .calendarInterval(
            call.fixed(CalendarInterval(months: 0, days: 0, microseconds: 0)) { (row) throws(RowError) in
                let (x, y) = (a[row], b[row])
                let sign: Int64 = isMinus ? -1 : 1
                guard let months = Int32(exactly: Int64(x.months) + sign * Int64(y.months)),
                    let days = Int32(exactly: Int64(x.days) + sign * Int64(y.days)),
                    let rest = isMinus
                        ? x.microseconds.checkedMinus(y.microseconds) : x.microseconds.checkedPlus(y.microseconds)
                else { throw intervalOverflow(true) }
                return CalendarInterval(months: months, days: days, microseconds: rest)
            })
    }

    private static func ratio<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ call: Call, _ a: FixedInput<Value>, _ b: FixedInput<Value>
    ) -> Column {
        call.int64 { (row) throws(RowError) in
            if b[row] == 0 { throw ArithmeticOperator.divideByZero }
            let (value, isOver) = Int64(a[row]).dividedReportingOverflow(by: Int64(b[row]))
            if isOver { throw ArithmeticOperator.overflow(.int64) }
            return value
        }
    }
}
