import StreamCore

/// Dates and timestamps: moving them, cutting them, making them from numbers and the other way round.
enum DatetimeFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("date_add", aliases: ["dateadd"], .exact([.date, .int32], returns: .date)) { moved($0, by: 1) },
        ScalarFunction("date_sub", .exact([.date, .int32], returns: .date)) { moved($0, by: -1) },
        ScalarFunction("datediff", aliases: ["date_diff"], .exact([.date, .date], returns: .int32)) { call in
            let (end, start) = (call.int32s(0), call.int32s(1))
            // Wraps as Spark's does.
            return .int32(call.dense { end[$0] &- start[$0] })
        },
        ScalarFunction("add_months", .exact([.date, .int32], returns: .date)) { call in
            let (date, months) = (call.int32s(0), call.int32s(1))
            return call.date { (row) throws(RowError) in try TimeMath.day(date[row], plusMonths: Int64(months[row])) }
        },
        ScalarFunction("months_between", .exact([.timestamp, .timestamp], optional: [.boolean], returns: .double)) {
            MonthsBetween.evaluate($0)
        },
        ScalarFunction("last_day", .exact([.date], returns: .date)) { call in
            let days = call.int32s(0)
            return call.date { row in
                let date = CivilDate.civil(Int(days[row]))
                return days[row] &+ Int32(CivilDate.length(year: date.year, month: date.month) - date.day)
            }
        },
        ScalarFunction("next_day", .exact([.date, .string], returns: .date)) { NextDay.evaluate($0) },
        ScalarFunction("timestampadd", .exact([.string, .int64, .timestamp], returns: .timestamp)) {
            UnitArithmetic.add($0)
        },
        ScalarFunction("timestampdiff", .exact([.string, .timestamp, .timestamp], returns: .int64)) {
            UnitArithmetic.difference($0)
        },
        ScalarFunction("trunc", .exact([.date, .string], returns: .date)) { Truncation.dates($0) },
        ScalarFunction("date_trunc", .exact([.string, .timestamp], returns: .timestamp)) { Truncation.timestamps($0) },
        ScalarFunction("from_utc_timestamp", .exact([.timestamp, .string], returns: .timestamp)) { call in
            zoned(call) { $1.local($0) }
        },
        ScalarFunction("to_utc_timestamp", .exact([.timestamp, .string], returns: .timestamp)) { call in
            zoned(call) { $1.utc($0) }
        },
    ]

    private static func moved(_ call: Call, by sign: Int64) -> Column {
        let (date, days) = (call.int32s(0), call.int32s(1))
        return call.date { (row) throws(RowError) in try TimeMath.day(date[row], plus: sign * Int64(days[row])) }
    }

    private static func zoned(_ call: Call, _ convert: (Int64, TimeZone) -> Int64) -> Column {
        let (time, name) = (call.int64s(0), call.bytes(1))
        var cache = ZoneCache()
        return call.timestamp { (row) throws(RowError) in convert(time[row], try cache.zone(name[row])) }
    }
}

/// Time zones of a batch by name: one look-up as long as the name does not change.
struct ZoneCache {
    private var name: [UInt8] = []
    private var zone: TimeZone?

    mutating func zone(_ bytes: UnsafeRawBufferPointer) throws(RowError) -> TimeZone {
        if let zone, name.withUnsafeBytes({ UTF8Text.isEqual($0, bytes) }) { return zone }
        guard let found = TimeZone.named(String(decoding: bytes, as: UTF8.self)) else {
            throw RowError("INVALID_TIMEZONE", "there is no such time zone")
        }
        name = Array(bytes)
        zone = found
        return found
    }
}

/// `months_between`: whole months where the days agree or both are the last of their month, else by 31 days a month.
enum MonthsBetween {
    static func evaluate(_ call: Call) -> Column {
        let (end, start, zone) = (call.int64s(0), call.int64s(1), call.context.zone)
        let isRounded = call.arguments.count > 2 ? call.booleans(2) : nil
        return call.double { row in
            let months = between(zone.local(end[row]), zone.local(start[row]))
            guard isRounded?[row] ?? true else { return months }
            return (months * 1e8).rounded(.toNearestOrAwayFromZero) / 1e8
        }
    }

    private static func between(_ end: Int64, _ start: Int64) -> Double {
        let perDay = TimeText.microsecondsPerDay
        let a = CivilDate.civil(Int(end.floorDivided(by: perDay)))
        let b = CivilDate.civil(Int(start.floorDivided(by: perDay)))
        let months = Double((a.year - b.year) * 12 + a.month - b.month)
        let areLast =
            a.day == CivilDate.length(year: a.year, month: a.month)
            && b.day == CivilDate.length(year: b.year, month: b.month)
        if a.day == b.day || areLast { return months }
        let seconds = (end.floorRemainder(perDay) - start.floorRemainder(perDay)) / 1_000_000
        return months + Double(Int64(a.day - b.day) * 86_400 + seconds) / 2_678_400
    }
}

enum NextDay {
    static func evaluate(_ call: Call) -> Column {
        let (date, name) = (call.int32s(0), call.bytes(1))
        return call.date { (row) throws(RowError) in
            let text = String(decoding: name[row].trimmed, as: UTF8.self).lowercased()
            let index = DateNames.days.firstIndex { day in
                let full = day.lowercased()
                return text == full || text == full.prefix(3) || text == full.prefix(2)
            }
            guard let index else { throw RowError("ILLEGAL_DAY_OF_WEEK", "there is no such day of the week") }
            let ahead = Int64((index - Int(DateField.weekday.value(date[row])) + 6).floorRemainder(7) + 1)
            return try TimeMath.day(date[row], plus: ahead)
        }
    }
}
