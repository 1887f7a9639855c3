import StreamCore

/// `-x` and `abs(x)`.
enum UnaryArithmetic {
    static func negated(_ call: Call) -> Column { apply(call, onlyNegative: false) }
    static func magnitude(_ call: Call) -> Column { apply(call, onlyNegative: true) }

    private static func apply(_ call: Call, onlyNegative: Bool) -> Column {
        switch call.type {
        case .int8: return .int8(integers(call, call.int8s(0), onlyNegative))
        case .int16: return .int16(integers(call, call.int16s(0), onlyNegative))
        case .int32: return .int32(integers(call, call.int32s(0), onlyNegative))
        case .int64: return .int64(integers(call, call.int64s(0), onlyNegative))
        case .yearMonthInterval: return .yearMonthInterval(integers(call, call.int32s(0), onlyNegative))
        case .dayTimeInterval: return .dayTimeInterval(integers(call, call.int64s(0), onlyNegative))
        case .float:
            let input = call.floats(0)
            return .float(call.dense { onlyNegative ? input[$0].magnitude : -input[$0] })
        case .double:
            let input = call.doubles(0)
            return .double(call.dense { onlyNegative ? input[$0].magnitude : -input[$0] })
        case .decimal:
            let input = call.decimals(0)
            // 38 digits leave room for the sign: nothing overflows.
            return call.decimal { onlyNegative && input[$0] > 0 ? input[$0] : -input[$0] }
        case .calendarInterval:
            let input = call.intervals(0)
            return .calendarInterval(
                call.fixed(CalendarInterval(months: 0, days: 0, microseconds: 0)) { (row) throws(RowError) in
                    let value = input[row]
                    guard value.months != .min, value.days != .min, value.microseconds != .min else {
                        throw RowError("ARITHMETIC_OVERFLOW", "the interval cannot be negated")
                    }
                    return CalendarInterval(months: -value.months, days: -value.days, microseconds: -value.microseconds)
                })
        default: return call.nothing()
        }
    }

    private static func integers<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable & Sendable>(
        _ call: Call, _ input: FixedInput<Value>, _ onlyNegative: Bool
    ) -> FixedColumn<Value> {
        // Spark has a plain overflow class for unary operators on every width.
        let overflow = RowError("ARITHMETIC_OVERFLOW", "the result does not fit \(call.type.name.uppercased())")
        return call.fixed(0) { (row) throws(RowError) in
            if onlyNegative, input[row] >= 0 { return input[row] }
            let (value, isOver) = Value(0).subtractingReportingOverflow(input[row])
            if isOver { throw overflow }
            return value
        }
    }
}
