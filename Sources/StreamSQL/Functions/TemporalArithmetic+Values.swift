import StreamCore

extension TemporalArithmetic {
    /// A date or a timestamp moved by days, months or an interval.
    static func movedMoments(_ call: Call, _ isMinus: Bool) -> Column {
        switch (call.arguments[0].column, call.arguments[1].column) {
        case (.date, .int32):
            let (date, days) = (call.int32s(0), call.int32s(1))
            return call.date { (row) throws(RowError) in try TimeMath.day(date[row], plus: signed(days[row], isMinus)) }
        case (.date, .yearMonthInterval):
            let (date, months) = (call.int32s(0), call.int32s(1))
            return call.date { (row) throws(RowError) in
                try TimeMath.day(date[row], plusMonths: signed(months[row], isMinus))
            }
        case (.date, .dayTimeInterval):
            let (date, span) = (call.int32s(0), call.int64s(1))
            return call.date { (row) throws(RowError) in
                let days = span[row] / TimeText.microsecondsPerDay
                return try TimeMath.day(date[row], plus: isMinus ? -days : days)
            }
        case (.date, .calendarInterval):
            let (date, span) = (call.int32s(0), call.intervals(1))
            return call.date { (row) throws(RowError) in
                let value = span[row]
                guard value.microseconds == 0 else {
                    throw RowError("_LEGACY_ERROR_TEMP_2000", "hours, minutes or seconds cannot be added to a date")
                }
                let moved = try TimeMath.day(date[row], plusMonths: signed(value.months, isMinus))
                return try TimeMath.day(moved, plus: signed(value.days, isMinus))
            }
        default: return movedTimestamps(call, isMinus)
        }
    }

    private static func movedTimestamps(_ call: Call, _ isMinus: Bool) -> Column {
        let (time, zone) = (call.int64s(0), call.context.zone)
        switch call.arguments[1].column {
        case .yearMonthInterval:
            let months = call.int32s(1)
            return call.timestamp { (row) throws(RowError) in
                try TimeMath.instant(time[row], months: signed(months[row], isMinus), zone)
            }
        case .dayTimeInterval:
            let span = call.int64s(1)
            return call.timestamp { (row) throws(RowError) in
                guard let change = isMinus ? Int64(0).checkedMinus(span[row]) : span[row] else {
                    throw TimeMath.overflow
                }
                return try TimeMath.instant(time[row], dayTime: change, zone)
            }
        case .calendarInterval:
            let span = call.intervals(1)
            return call.timestamp { (row) throws(RowError) in
                let value = span[row]
                guard let rest = isMinus ? Int64(0).checkedMinus(value.microseconds) : value.microseconds else {
                    throw TimeMath.overflow
                }
                return try TimeMath.instant(
                    time[row], months: signed(value.months, isMinus), days: signed(value.days, isMinus),
                    microseconds: rest, zone)
            }
        default: return call.nothing()
        }
    }

    private static func signed(_ value: Int32, _ isMinus: Bool) -> Int64 { isMinus ? -Int64(value) : Int64(value) }

    // MARK: - Intervals and numbers

    /// An interval times or by a number, rounded half up.
    static func scaled(_ call: Call, isDivision: Bool) -> Column {
        if call.type == .yearMonthInterval {
            let months = call.int32s(0)
            let scale = factor(call, isDivision)
            return .yearMonthInterval(
                call.fixed(0) { (row) throws(RowError) in
                    guard let value = Int32(exactly: try scale(Int64(months[row]), row)) else {
                        throw intervalOverflow(false)
                    }
                    return value
                })
        }
        let span = call.int64s(0)
        let scale = factor(call, isDivision)
        return .dayTimeInterval(call.fixed(0) { (row) throws(RowError) in try scale(span[row], row) })
    }

    private static func factor(_ call: Call, _ isDivision: Bool) -> (Int64, Int) throws(RowError) -> Int64 {
        let byZero = RowError("INTERVAL_DIVIDED_BY_ZERO", "an interval is divided by zero")
        func exact(_ value: Int128?) throws(RowError) -> Int64 {
            guard let value, let result = Int64(exactly: value) else { throw intervalOverflow(false) }
            return result
        }
        switch call.arguments[1].column {
        case .decimal:
            let (number, power) = (call.decimals(1), Decimals.powers[call.scale(1)])
            return { (value, row) throws(RowError) in
                guard isDivision else { return try exact(Decimals.multiplyDivide(Int128(value), number[row], power)) }
                if number[row] == 0 { throw byZero }
                return try exact(Decimals.multiplyDivide(Int128(value), power, number[row]))
            }
        case .double:
            let number = call.doubles(1)
            return { (value, row) throws(RowError) in
                if isDivision, number[row] == 0 { throw byZero }
                let result = isDivision ? Double(value) / number[row] : Double(value) * number[row]
                guard let whole = Int64(exactly: result.rounded(.toNearestOrAwayFromZero)) else {
                    throw intervalOverflow(false)
                }
                return whole
            }
        default:
            let number = call.int64s(1)
            return { (value, row) throws(RowError) in
                guard isDivision else { return try exact(Int128(value) * Int128(number[row])) }
                if number[row] == 0 { throw byZero }
                return try exact(Decimals.divideHalfUp(Int128(value), Int128(number[row])))
            }
        }
    }
}
