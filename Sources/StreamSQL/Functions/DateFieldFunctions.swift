import StreamCore

/// `year(d)`, `hour(t)`, `extract(… FROM …)` and the names of days and months.
enum DateFieldFunctions {
    static let all: [ScalarFunction] =
        DateField.allCases.map { field in
            ScalarFunction(field.rawValue, aliases: field.aliases, .exact([.date], returns: .int32)) { call in
                let days = call.int32s(0)
                return .int32(call.dense { field.value(days[$0]) })
            }
        }
        + [
            clock("hour", 3600, 24), clock("minute", 60, 60), clock("second", 1, 60),
            // The seconds that extract gives; no name that a query could use.
            ScalarFunction("#second", .exact([.timestamp], returns: .decimal(precision: 8, scale: 6))) { call in
                let (time, zone) = (call.int64s(0), call.context.zone)
                return call.decimal { Int128(zone.local(time[$0]).floorRemainder(60_000_000)) }
            },
            ScalarFunction("extract", aliases: ["date_part", "datepart"], extraction) { $0.nothing() },
            name("dayname", DateNames.shortDays) { DateField.weekday.value($0) },
            name("monthname", DateNames.shortMonths) { DateField.month.value($0) - 1 },
        ] + FieldExtraction.intervalFields

    private static let extraction = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        try FieldExtraction.resolve(&typing)
    }

    /// A field of the time of day: `local seconds / size % limit`.
    private static func clock(_ name: String, _ size: Int64, _ limit: Int64) -> ScalarFunction {
        ScalarFunction(name, .exact([.timestamp], returns: .int32)) { call in
            let (time, zone) = (call.int64s(0), call.context.zone)
            return .int32(
                call.dense { row in
                    let seconds = zone.local(time[row]).floorDivided(by: 1_000_000)
                    return Int32(truncatingIfNeeded: seconds.floorDivided(by: size).floorRemainder(limit))
                })
        }
    }

    private static func name(
        _ name: String, _ names: [String], _ index: @escaping @Sendable (Int32) -> Int32
    ) -> ScalarFunction {
        ScalarFunction(name, .exact([.date], returns: .string)) { call in
            let days = call.int32s(0)
            return call.bytes { row, writer in
                writer.append(names[Int(index(days[row]))])
                return true
            }
        }
    }
}

enum DateNames {
    /// From Monday.
    static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let shortDays = days.map { String($0.prefix(3)) }
    static let shortMonths = months.map { String($0.prefix(3)) }
}

/// A number that a date has by the calendar.
enum DateField: String, CaseIterable, Sendable {
    case year, quarter, month, day, dayofweek, weekday, dayofyear, weekofyear
    case yearOfWeek = "#yearofweek"
    case isoDayOfWeek = "#dayofweek_iso"

    var aliases: [String] { self == .day ? ["dayofmonth"] : [] }

    /// Defined for every DATE: also on rows that do not count.
    func value(_ date: Int32) -> Int32 {
        let days = Int(date)
        return Int32(truncatingIfNeeded: number(days))
    }

    private func number(_ days: Int) -> Int {
        switch self {
        case .year: return CivilDate.civil(days).year
        case .quarter: return (CivilDate.civil(days).month + 2) / 3
        case .month: return CivilDate.civil(days).month
        case .day: return CivilDate.civil(days).day
        // 1970-01-01 was a Thursday.
        case .dayofweek: return (days + 4).floorRemainder(7) + 1
        case .weekday: return (days + 3).floorRemainder(7)
        case .isoDayOfWeek: return (days + 3).floorRemainder(7) + 1
        case .dayofyear: return days - CivilDate.days(year: CivilDate.civil(days).year, month: 1, day: 1) + 1
        case .weekofyear:
            let thursday = Self.thursday(days)
            let first = CivilDate.days(year: CivilDate.civil(thursday).year, month: 1, day: 1)
            return (thursday - first) / 7 + 1
        case .yearOfWeek: return CivilDate.civil(Self.thursday(days)).year
        }
    }

    /// The Thursday of the day's week decides to which year the ISO week belongs.
    private static func thursday(_ days: Int) -> Int { days - (days + 3).floorRemainder(7) + 3 }
}

/// `extract` in terms of other functions.
enum FieldExtraction {
    static func resolve(_ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        guard let text = typing.literalText(0) else {
            throw typing.issue("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the field must be a literal", at: 0)
        }
        let source = typing.arguments[1]
        let name = text.trimmingBlanks.lowercased()
        let function: String?
        switch source.type {
        case .yearMonthInterval, .dayTimeInterval, .calendarInterval: function = intervalField(name, source.type)
        default: function = fields[name]
        }
        guard let function else {
            throw typing.issue(
                "INVALID_EXTRACT_FIELD", "there is no field '\(text)' in \(source.typeName.uppercased())", at: 0)
        }
        return typing.replace(with: try typing.call(function, [source]))
    }

    private static let fields: [String: String] = {
        let names: [(function: String, names: [String])] = [
            ("year", ["year", "y", "years", "yr", "yrs"]), ("#yearofweek", ["yearofweek"]),
            ("quarter", ["quarter", "qtr"]),
            ("month", ["month", "mon", "mons", "months"]), ("weekofyear", ["week", "w", "weeks"]),
            ("day", ["day", "d", "days"]), ("dayofweek", ["dayofweek", "dow"]),
            ("#dayofweek_iso", ["dayofweek_iso", "dow_iso"]), ("dayofyear", ["doy"]),
            ("hour", ["hour", "h", "hours", "hr", "hrs"]), ("minute", ["minute", "m", "min", "mins", "minutes"]),
            ("#second", ["second", "s", "sec", "seconds", "secs"]),
        ]
        return Dictionary(uniqueKeysWithValues: names.flatMap { entry in entry.names.map { ($0, entry.function) } })
    }()

    private static func intervalField(_ name: String, _ type: DataType) -> String? {
        guard let function = fields[name] else { return nil }
        let plain = function.drop { $0 == "#" }
        let isYearMonth = ["year", "month"].contains(plain)
        guard isYearMonth || ["day", "hour", "minute", "second"].contains(plain) else { return nil }
        if type == .yearMonthInterval, !isYearMonth { return nil }
        if type == .dayTimeInterval, isYearMonth { return nil }
        return "#interval_\(plain)"
    }

    /// Years are INT, months, hours and minutes TINYINT, days INT, seconds DECIMAL(8,6), all towards zero.
    static let intervalFields: [ScalarFunction] = [
        part("year", .int32) { $0.months / 12 }, part("month", .int8) { $0.months % 12 },
        part("day", .int32) { $0.days },
        part("hour", .int8) { $0.rest / 3_600_000_000 }, part("minute", .int8) { $0.rest / 60_000_000 % 60 },
        part("second", .decimal(precision: 8, scale: 6)) { $0.rest % 60_000_000 },
    ]

    private struct Parts {
        var months: Int64 = 0
        var days: Int64 = 0
        var rest: Int64 = 0
    }

    private static func part(_ name: String, _ type: DataType, _ value: @escaping @Sendable (Parts) -> Int64)
        -> ScalarFunction
    {
        ScalarFunction("#interval_\(name)", .any(1...1, returns: type)) { call in
            let read = reader(call)
            switch type {
            case .int8: return .int8(call.fixed(0) { Int8(truncatingIfNeeded: value(read($0))) })
            case .int32: return call.int32 { Int32(truncatingIfNeeded: value(read($0))) }
            default: return call.decimal { Int128(value(read($0))) }
            }
        }
    }

    private static func reader(_ call: Call) -> (Int) -> Parts {
        switch call.arguments[0].column {
        case .yearMonthInterval:
            let months = call.int32s(0)
            return { Parts(months: Int64(months[$0])) }
        case .dayTimeInterval:
            let span = call.int64s(0)
            return { row in
                let (days, rest) = span[row].quotientAndRemainder(dividingBy: TimeText.microsecondsPerDay)
                return Parts(days: days, rest: rest)
            }
        default:
            let span = call.intervals(0)
            return { row in
                let value = span[row]
                return Parts(months: Int64(value.months), days: Int64(value.days), rest: value.microseconds)
            }
        }
    }
}
