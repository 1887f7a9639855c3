import StreamCore

extension Cast {
    func date(_ call: Call) -> Column {
        if case .string = from {
            let input = call.bytes(0)
            return call.date { (row) throws(RowError) in
                guard let days = TimeText.date(input[row]) else { throw invalidInput }
                return days
            }
        }
        let input = call.int64s(0)
        let zone = call.context.zone
        return call.date {
            Int32(truncatingIfNeeded: zone.local(input[$0]).floorDivided(by: TimeText.microsecondsPerDay))
        }
    }

    func timestamp(_ call: Call) -> Column {
        let zone = call.context.zone
        let now = call.context.now
        switch from {
        case .string:
            let input = call.bytes(0)
            return call.timestamp { (row) throws(RowError) in
                guard let instant = TimeText.timestamp(input[row], zone: zone, now: now) else { throw invalidInput }
                return instant
            }
        case .date:
            let input = call.int32s(0)
            return call.timestamp { (row) throws(RowError) in
                guard let local = Int64(input[row]).checkedTimes(TimeText.microsecondsPerDay) else { throw overflow }
                return zone.utc(local)
            }
        case .decimal(_, let scale):
            let input = call.decimals(0)
            return call.timestamp { (row) throws(RowError) in
                let (product, tooLarge) = input[row].multipliedReportingOverflow(by: 1_000_000)
                guard !tooLarge else { throw overflow }
                let micros = (product / Decimals.powers[scale])
                guard let value = Int64(exactly: micros) else { throw overflow }
                return value
            }
        case .float, .double:
            let seconds = FixedInput(double(call), mask: -1)
            return call.timestamp { (row) throws(RowError) in
                let micros = (seconds[row] * 1e6).rounded(.towardZero)
                guard micros.isFinite, let value = Int64(exactly: micros) else { throw overflow }
                return value
            }
        default:
            let seconds = FixedInput(integer(call, Int64.self), mask: -1)
            return call.timestamp { (row) throws(RowError) in
                guard let value = seconds[row].checkedTimes(1_000_000) else { throw overflow }
                return value
            }
        }
    }

    /// Intervals come from strings only.
    func interval(_ call: Call) -> Column {
        guard case .string = from else { return call.nothing() }
        let input = call.bytes(0)
        if case .calendarInterval = to {
            let zero = CalendarInterval(months: 0, days: 0, microseconds: 0)
            return .calendarInterval(
                call.fixed(zero) { (row) throws(RowError) in
                    guard let value = IntervalText.calendar(input.text(row)) else { throw invalidInput }
                    return value
                })
        }
        let units = toUnits ?? (to == .yearMonthInterval ? .yearToMonth : .dayToSecond)
        func value(_ row: Int) throws(RowError) -> Int64 {
            guard let value = IntervalText.literal(input.text(row), units) else { throw invalidInput }
            return value
        }
        if case .yearMonthInterval = to {
            return .yearMonthInterval(
                call.fixed(0) { (row) throws(RowError) in Int32(truncatingIfNeeded: try value(row)) })
        }
        return .dayTimeInterval(call.fixed(0) { (row) throws(RowError) in try value(row) })
    }
}

extension IntervalText {
    /// `1-2`, or `INTERVAL '1-2' YEAR TO MONTH`.
    static func literal(_ text: String, _ units: IntervalUnits) -> Int64? {
        let body = text.trimmingBlanks
        guard body.uppercased().hasPrefix("INTERVAL") else { return parse(body, units) }
        let parts = body.split(separator: "'", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        return parse(String(parts[1]), units)
    }

    /// `1 month 2 days 3 seconds`, months, days and time apart.
    static func calendar(_ text: String) -> CalendarInterval? {
        guard let terms = terms(text), !terms.isEmpty else { return nil }
        var months: Int64 = 0
        var days: Int64 = 0
        var microseconds: Int64 = 0
        for (amount, unit) in terms {
            var sum = IntervalSum()
            guard sum.add(amount: amount, unit: unit.uppercased(), isNegative: false), let units = sum.units else {
                return nil
            }
            if units.start.isYearMonth {
                months += sum.months
            } else if units.start == .day {
                days += sum.microseconds / microsecondsPerDay
            } else {
                guard let total = microseconds.checkedPlus(sum.microseconds) else { return nil }
                microseconds = total
            }
        }
        guard let wholeMonths = Int32(exactly: months), let wholeDays = Int32(exactly: days) else { return nil }
        return CalendarInterval(months: wholeMonths, days: wholeDays, microseconds: microseconds)
    }
}
