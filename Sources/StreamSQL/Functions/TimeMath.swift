import StreamCore

/// Dates and instants moved by calendar units, as java.time does it.
enum TimeMath {
    static let overflow = RowError("DATETIME_OVERFLOW", "the date or time does not fit its type")

    static func day(_ date: Int32, plus days: Int64) throws(RowError) -> Int32 {
        guard let sum = Int64(date).checkedPlus(days), let value = Int32(exactly: sum) else { throw overflow }
        return value
    }

    /// The same day of another month, or that month's last day.
    static func day(_ date: Int32, plusMonths months: Int64) throws(RowError) -> Int32 {
        guard let value = CivilDate.addMonths(date, Int(months)) else { throw overflow }
        return value
    }

    /// The local day of an instant.
    static func day(of microseconds: Int64, _ zone: TimeZone) -> Int32 {
        Int32(truncatingIfNeeded: zone.local(microseconds).floorDivided(by: TimeText.microsecondsPerDay))
    }

    static func midnight(_ day: Int32, _ zone: TimeZone) throws(RowError) -> Int64 {
        guard let local = Int64(day).checkedTimes(TimeText.microsecondsPerDay) else { throw overflow }
        return zone.utc(local)
    }

    /// Whole days go by the calendar of the zone, what is left by the clock.
    static func instant(_ start: Int64, dayTime: Int64, _ zone: TimeZone) throws(RowError) -> Int64 {
        let days = dayTime / TimeText.microsecondsPerDay
        return try instant(start, days: days, microseconds: dayTime - days * TimeText.microsecondsPerDay, zone)
    }

    static func instant(
        _ start: Int64, months: Int64 = 0, days: Int64 = 0, microseconds: Int64 = 0, _ zone: TimeZone
    ) throws(RowError) -> Int64 {
        var instant = start
        if months != 0 || days != 0 {
            let local = zone.local(start)
            let day = Int32(truncatingIfNeeded: local.floorDivided(by: TimeText.microsecondsPerDay))
            let moved = try self.day(try self.day(day, plusMonths: months), plus: days)
            guard let midnight = Int64(moved).checkedTimes(TimeText.microsecondsPerDay),
                let target = midnight.checkedPlus(local.floorRemainder(TimeText.microsecondsPerDay))
            else { throw overflow }
            instant = resolved(target, offset: zone.offsetSeconds(at: start), zone)
        }
        guard let result = instant.checkedPlus(microseconds) else { throw overflow }
        return result
    }

    /// In an overlap the offset stays as it was; else the zone decides.
    private static func resolved(_ local: Int64, offset: Int64, _ zone: TimeZone) -> Int64 {
        guard let kept = local.checkedMinus(offset * 1_000_000), zone.offsetSeconds(at: kept) == offset else {
            return zone.utc(local)
        }
        return kept
    }

    /// Whole months from one local time to another, towards zero.
    static func months(from start: Int64, to end: Int64) -> Int64 {
        let perDay = TimeText.microsecondsPerDay
        var lastDay = end.floorDivided(by: perDay)
        let firstDay = start.floorDivided(by: perDay)
        let (startTime, endTime) = (start.floorRemainder(perDay), end.floorRemainder(perDay))
        if lastDay > firstDay, endTime < startTime { lastDay -= 1 }
        if lastDay < firstDay, endTime > startTime { lastDay += 1 }
        let (a, b) = (CivilDate.civil(Int(firstDay)), CivilDate.civil(Int(lastDay)))
        return Int64(((b.year * 12 + b.month) * 32 + b.day - (a.year * 12 + a.month) * 32 - a.day) / 32)
    }
}
