import StreamCore

/// A unit of `timestampadd`, `timestampdiff`, `trunc` and `date_trunc`.
enum TimeUnit: String, Sendable {
    case microsecond, millisecond, second, minute, hour, day, week, month, quarter, year

    /// Microseconds of the units of a fixed length.
    var microseconds: Int64? {
        switch self {
        case .microsecond: 1
        case .millisecond: 1000
        case .second: 1_000_000
        case .minute: 60_000_000
        case .hour: 3_600_000_000
        case .day: TimeText.microsecondsPerDay
        case .week: 7 * TimeText.microsecondsPerDay
        default: nil
        }
    }

    var months: Int64 { self == .year ? 12 : self == .quarter ? 3 : 1 }
}

/// Arithmetic with a unit: `timestampadd(month, 1, t)`.
enum UnitArithmetic {
    private static func unit(_ text: BytesInput, _ row: Int) throws(RowError) -> TimeUnit {
        let name = text.text(row).lowercased()
        guard let unit = TimeUnit(rawValue: name == "dayofyear" ? "day" : name) else {
            throw RowError("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "there is no such unit of time")
        }
        return unit
    }

    static func add(_ call: Call) -> Column {
        let (name, amount, time, zone) = (call.bytes(0), call.int64s(1), call.int64s(2), call.context.zone)
        return call.timestamp { (row) throws(RowError) in
            let unit = try unit(name, row)
            guard let change = amount[row].checkedTimes(unit.microseconds ?? unit.months) else {
                throw TimeMath.overflow
            }
            if unit.microseconds != nil { return try TimeMath.instant(time[row], dayTime: change, zone) }
            return try TimeMath.instant(time[row], months: change, zone)
        }
    }

    /// Whole units between two local times, towards zero.
    static func difference(_ call: Call) -> Column {
        let (name, start, end, zone) = (call.bytes(0), call.int64s(1), call.int64s(2), call.context.zone)
        return call.int64 { (row) throws(RowError) in
            let unit = try unit(name, row)
            let (from, to) = (zone.local(start[row]), zone.local(end[row]))
            guard let size = unit.microseconds else { return TimeMath.months(from: from, to: to) / unit.months }
            guard let span = to.checkedMinus(from) else { throw TimeMath.overflow }
            return span / size
        }
    }
}

/// `trunc` and `date_trunc`: the start of a unit, or null for a unit that there is not.
enum Truncation {
    private static let names: [String: TimeUnit] = [
        "year": .year, "yyyy": .year, "yy": .year, "quarter": .quarter, "month": .month, "mon": .month, "mm": .month,
        "week": .week, "day": .day, "dd": .day, "hour": .hour, "minute": .minute, "second": .second,
        "millisecond": .millisecond, "microsecond": .microsecond,
    ]

    static func dates(_ call: Call) -> Column {
        let (date, name) = (call.int32s(0), call.bytes(1))
        let find = finder(name)
        return call.date { row in
            guard let unit = find(row), unit.microseconds == nil || unit == .week else { return nil }
            return start(of: unit, date[row])
        }
    }

    static func timestamps(_ call: Call) -> Column {
        let (name, time, zone) = (call.bytes(0), call.int64s(1), call.context.zone)
        let find = finder(name)
        return call.timestamp { (row) throws(RowError) in
            guard let unit = find(row) else { return nil }
            switch unit {
            case .microsecond: return time[row]
            // Zones differ by whole seconds since 1970, but not by whole hours or minutes.
            case .millisecond, .second: return time[row].floorTruncated(unit.microseconds ?? 1)
            case .minute, .hour:
                let offset = zone.offsetSeconds(at: time[row]) * 1_000_000
                guard let local = time[row].checkedPlus(offset),
                    let result = local.floorTruncated(unit.microseconds ?? 1)?.checkedMinus(offset)
                else { throw TimeMath.overflow }
                return result
            default: return try TimeMath.midnight(start(of: unit, TimeMath.day(of: time[row], zone)), zone)
            }
        }
    }

    /// The unit that a row names; a constant is read once.
    private static func finder(_ name: BytesInput) -> (Int) -> TimeUnit? {
        if name.mask == 0, !name.isNull(0) {
            let unit = names[name.text(0).lowercased()]
            return { _ in unit }
        }
        return { names[name.text($0).lowercased()] }
    }

    private static func start(of unit: TimeUnit, _ day: Int32) -> Int32 {
        let date = CivilDate.civil(Int(day))
        let month: Int
        switch unit {
        case .week: return Int32(truncatingIfNeeded: Int(day) - Int(DateField.weekday.value(day)))
        case .month: month = date.month
        case .quarter: month = (date.month - 1) / 3 * 3 + 1
        case .year: month = 1
        default: return day
        }
        return Int32(truncatingIfNeeded: CivilDate.days(year: date.year, month: month, day: 1))
    }
}

extension Int64 {
    /// The greatest multiple of `size` that is not greater, or nil below the range.
    func floorTruncated(_ size: Int64) -> Int64? { checkedMinus(floorRemainder(size)) }
}
