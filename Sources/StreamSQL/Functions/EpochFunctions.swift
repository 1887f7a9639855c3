import StreamCore

/// Dates and timestamps from numbers, and numbers from them.
enum EpochFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("timestamp_seconds", seconds) { fromSeconds($0) },
        ScalarFunction("timestamp_millis", .exact([.int64], returns: .timestamp)) { scaled($0, by: 1000) },
        ScalarFunction("timestamp_micros", .exact([.int64], returns: .timestamp)) { scaled($0, by: 1) },
        epoch("unix_seconds", 1_000_000), epoch("unix_millis", 1000), epoch("unix_micros", 1),
        ScalarFunction("unix_date", .exact([.date], returns: .int32)) { call in
            let days = call.int32s(0)
            return .int32(call.dense { days[$0] })
        },
        ScalarFunction("date_from_unix_date", .exact([.int32], returns: .date)) { call in
            let days = call.int32s(0)
            return .date(call.dense { days[$0] })
        },
        ScalarFunction("make_date", .exact([.int32, .int32, .int32], returns: .date)) { MadeTime.date($0) },
        ScalarFunction("make_timestamp", aliases: ["make_timestamp_ltz"], made) { MadeTime.timestamp($0) },
        ScalarFunction("try_make_timestamp", aliases: ["try_make_timestamp_ltz"], made, isTry: true) {
            MadeTime.timestamp($0)
        },
        ScalarFunction("make_ym_interval", .exact([], optional: [.int32, .int32], returns: .yearMonthInterval)) {
            MadeTime.yearMonth($0)
        },
        ScalarFunction(
            "make_dt_interval",
            .exact(
                [], optional: [.int32, .int32, .int32, .decimal(precision: 18, scale: 6)], returns: .dayTimeInterval)
        ) { MadeTime.dayTime($0) },
        ScalarFunction("make_interval", interval) { MadeTime.interval($0) },
        ScalarFunction("try_make_interval", interval, isTry: true) { MadeTime.interval($0) },
    ]

    private static let made = Signature.exact(
        [.int32, .int32, .int32, .int32, .int32, .decimal(precision: 16, scale: 6)], optional: [.string],
        returns: .timestamp)

    private static let interval = Signature.exact(
        [], optional: [.int32, .int32, .int32, .int32, .int32, .int32, .decimal(precision: 18, scale: 6)],
        returns: .calendarInterval)

    private static let seconds = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        switch typing.type(0) {
        case .int8, .int16, .int32, .null: typing.arguments[0] = typing.arguments[0].cast(to: .int64)
        case .float: typing.arguments[0] = typing.arguments[0].cast(to: .double)
        case .int64, .double, .decimal: break
        default: throw typing.mismatch(0, wanted: "NUMERIC")
        }
        return ResultType(.timestamp)
    }

    private static func epoch(_ name: String, _ size: Int64) -> ScalarFunction {
        ScalarFunction(name, .exact([.timestamp], returns: .int64)) { call in
            let time = call.int64s(0)
            return .int64(call.dense { time[$0].floorDivided(by: size) })
        }
    }

    private static func scaled(_ call: Call, by factor: Int64) -> Column {
        let number = call.int64s(0)
        return call.timestamp { (row) throws(RowError) in
            guard let time = number[row].checkedTimes(factor) else { throw ArithmeticOperator.overflow(.int64) }
            return time
        }
    }

    private static func fromSeconds(_ call: Call) -> Column {
        switch call.arguments[0].column {
        case .double:
            let number = call.doubles(0)
            return call.timestamp { row in
                // NaN and infinities are no time; what is out of range ends at its end, as in Java.
                guard number[row].isFinite else { return nil }
                let time = (number[row] * 1e6).rounded(.towardZero)
                return Int64(exactly: time) ?? (time < 0 ? .min : .max)
            }
        case .decimal:
            let (number, scale) = (call.decimals(0), call.scale(0))
            return call.timestamp { (row) throws(RowError) in
                // Digits below a microsecond are refused, not rounded.
                guard let exact = Decimals.multiplyDivide(number[row], 1_000_000, Decimals.powers[scale]),
                    scale <= 6
                        || Decimals.rescale(number[row], from: scale, to: 6).flatMap({
                            Decimals.rescale($0, from: 6, to: scale)
                        }) == number[row],
                    let time = Int64(exactly: exact)
                else { throw ArithmeticOperator.overflow(.int64) }
                return time
            }
        default: return scaled(call, by: 1_000_000)
        }
    }
}

/// Times put together from their fields.
enum MadeTime {
    static let outOfBounds = RowError("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "a field is out of its range")

    static func date(_ call: Call) -> Column {
        let (year, month, day) = (call.int32s(0), call.int32s(1), call.int32s(2))
        return call.date { (row) throws(RowError) in try days(year[row], month[row], day[row]) }
    }

    private static func days(_ year: Int32, _ month: Int32, _ day: Int32) throws(RowError) -> Int32 {
        guard let days = CivilDate.checkedDays(year: Int(year), month: Int(month), day: Int(day)) else {
            throw outOfBounds
        }
        return days
    }

    static func timestamp(_ call: Call) -> Column {
        let (year, month, day) = (call.int32s(0), call.int32s(1), call.int32s(2))
        let (hour, minute, second) = (call.int32s(3), call.int32s(4), call.decimals(5))
        let name = call.arguments.count > 6 ? call.bytes(6) : nil
        var cache = ZoneCache()
        return call.timestamp { (row) throws(RowError) in
            // 60 seconds are the next minute, without a fraction.
            guard (0..<24).contains(hour[row]), (0..<60).contains(minute[row]), second[row] >= 0,
                second[row] <= 60_000_000
            else { throw outOfBounds }
            let date = try days(year[row], month[row], day[row])
            let clock =
                (Int64(hour[row]) * 60 + Int64(minute[row])) * 60_000_000 + Int64(truncatingIfNeeded: second[row])
            guard let local = Int64(date).checkedTimes(TimeText.microsecondsPerDay)?.checkedPlus(clock) else {
                throw TimeMath.overflow
            }
            return (try name.map { (name) throws(RowError) in try cache.zone(name[row]) } ?? call.context.zone).utc(
                local)
        }
    }

    /// An argument that may be left out: zero.
    private static func number(_ call: Call, _ index: Int) -> (Int) -> Int64 {
        guard index < call.arguments.count else { return { _ in 0 } }
        let input = call.int32s(index)
        return { Int64(input[$0]) }
    }

    private static func seconds(_ call: Call, _ index: Int) -> (Int) -> Int64 {
        guard index < call.arguments.count else { return { _ in 0 } }
        let input = call.decimals(index)
        // DECIMAL(18,6) fits 64 bits.
        return { Int64(truncatingIfNeeded: input[$0]) }
    }

    static func yearMonth(_ call: Call) -> Column {
        let (years, months) = (number(call, 0), number(call, 1))
        return .yearMonthInterval(
            call.fixed(0) { (row) throws(RowError) in
                guard let value = Int32(exactly: years(row) * 12 + months(row)) else {
                    throw TemporalArithmetic.intervalOverflow(false)
                }
                return value
            })
    }

    static func dayTime(_ call: Call) -> Column {
        let (days, hours, minutes, rest) = (number(call, 0), number(call, 1), number(call, 2), seconds(call, 3))
        return .dayTimeInterval(
            call.fixed(0) { (row) throws(RowError) in
                // Minutes of any three INTs fit; microseconds may not.
                let total = (days(row) * 24 + hours(row)) * 60 + minutes(row)
                guard let value = total.checkedTimes(60_000_000)?.checkedPlus(rest(row)) else {
                    throw TemporalArithmetic.intervalOverflow(false)
                }
                return value
            })
    }

    static func interval(_ call: Call) -> Column {
        let numbers = (0..<6).map { number(call, $0) }
        let rest = seconds(call, 6)
        return .calendarInterval(
            call.fixed(CalendarInterval(months: 0, days: 0, microseconds: 0)) { (row) throws(RowError) in
                let clock = numbers[4](row) * 3_600_000_000 + numbers[5](row) * 60_000_000
                guard let months = Int32(exactly: numbers[0](row) * 12 + numbers[1](row)),
                    let days = Int32(exactly: numbers[2](row) * 7 + numbers[3](row)),
                    let total = clock.checkedPlus(rest(row))
                else { throw TemporalArithmetic.intervalOverflow(false) }
                return CalendarInterval(months: months, days: days, microseconds: total)
            })
    }
}
