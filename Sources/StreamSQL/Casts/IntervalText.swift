import StreamCore

/// The value of an interval written as amounts with units, months and microseconds apart.
struct IntervalSum {
    var months: Int64 = 0
    var days: Int64 = 0
    /// Days included.
    var microseconds: Int64 = 0
    /// The range of the units that were named.
    var units: IntervalUnits?

    /// Adds one amount; false if it cannot be read or does not fit.
    mutating func add(amount: String, unit: String, isNegative: Bool) -> Bool {
        guard IntervalText.isUnit(unit),
            let scale = IntervalText.scales[unit] ?? IntervalText.scales[String(unit.dropLast())]
        else { return false }
        units = IntervalUnits.covering(units, IntervalUnits(scale.unit, scale.unit))
        let isSecond = scale.unit == .second && scale.factor == 1_000_000
        guard let value = isSecond ? IntervalText.seconds(amount) : IntervalText.whole(amount, times: scale.factor)
        else { return false }
        let signed = isNegative ? Int64(0).checkedMinus(value) : value
        guard let signed else { return false }
        if scale.unit.isYearMonth {
            guard let sum = months.checkedPlus(signed), Int32(exactly: sum) != nil else { return false }
            months = sum
        } else {
            guard let sum = microseconds.checkedPlus(signed) else { return false }
            microseconds = sum
            if scale.unit == .day { days += signed / IntervalText.microsecondsPerDay }
        }
        return true
    }

    mutating func add(_ terms: [(amount: String, unit: String)]?, isNegative: Bool) -> Bool {
        guard let terms, !terms.isEmpty else { return false }
        return terms.allSatisfy { add(amount: $0.amount, unit: $0.unit.uppercased(), isNegative: isNegative) }
    }
}

/// Reading intervals from text.
enum IntervalText {
    static let microsecondsPerDay: Int64 = 86_400_000_000

    /// Months or microseconds of one unit, and the field it belongs to.
    static let scales: [String: (unit: IntervalUnit, factor: Int64)] = [
        "YEAR": (.year, 12), "MONTH": (.month, 1), "WEEK": (.day, 7 * microsecondsPerDay),
        "DAY": (.day, microsecondsPerDay), "HOUR": (.hour, 3_600_000_000), "MINUTE": (.minute, 60_000_000),
        "SECOND": (.second, 1_000_000), "MILLISECOND": (.second, 1000), "MICROSECOND": (.second, 1),
    ]

    static func isUnit(_ word: String) -> Bool {
        scales[word] != nil || (word.hasSuffix("S") && scales[String(word.dropLast())] != nil)
    }

    /// `1 day 2 hours`, with or without a leading `interval`.
    static func terms(_ text: String) -> [(amount: String, unit: String)]? {
        var words = text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\n" }).map(String.init)
        if words.first?.uppercased() == "INTERVAL" { words.removeFirst() }
        guard words.count % 2 == 0 else { return nil }
        return stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) }
    }

    static func whole(_ text: String, times factor: Int64) -> Int64? {
        Int64(text.trimmingBlanks)?.checkedTimes(factor)
    }

    /// Seconds with up to six (further ones are cut) digits of a fraction, in microseconds.
    static func seconds(_ text: String) -> Int64? {
        var digits = Substring(text.trimmingBlanks)
        let isNegative = digits.first == "-"
        if isNegative || digits.first == "+" { digits.removeFirst() }
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, !digits.isEmpty, first.utf8.allSatisfy(\.isDigit),
            let value = (first.isEmpty ? 0 : Int64(first))?.checkedTimes(1_000_000)
        else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy(\.isDigit), parts[1].utf8.count <= 9 else { return nil }
            let padded = parts[1] + String(repeating: "0", count: 6)
            fraction = Int64(padded.prefix(6)) ?? 0
        }
        guard let sum = value.checkedPlus(fraction) else { return nil }
        return isNegative ? -sum : sum
    }

    /// `1-2` as year to month, `1 02:03:04.5` as day to second, and every narrower range: months or microseconds.
    static func parse(_ text: String, _ units: IntervalUnits) -> Int64? {
        var body = Substring(text.trimmingBlanks)
        let isNegative = body.first == "-"
        if isNegative || body.first == "+" { body.removeFirst() }
        guard let value = units.start.isYearMonth ? yearMonth(body, units) : dayTime(body, units) else { return nil }
        return isNegative ? Int64(0).checkedMinus(value) : value
    }

    private static func yearMonth(_ body: Substring, _ units: IntervalUnits) -> Int64? {
        let parts = body.split(separator: "-", omittingEmptySubsequences: false).map { unsigned($0) }
        let months: Int64?
        if units.start == units.end {
            guard parts.count == 1, let value = parts[0] else { return nil }
            months = value.checkedTimes(units.start == .year ? 12 : 1)
        } else {
            guard parts.count == 2, let years = parts[0], let rest = parts[1], rest < 12 else { return nil }
            months = years.checkedTimes(12)?.checkedPlus(rest)
        }
        guard let months, months <= Int64(Int32.max) else { return nil }
        return months
    }

    private static func dayTime(_ body: Substring, _ units: IntervalUnits) -> Int64? {
        var rest = body
        var total: Int64 = 0
        var fields = IntervalUnit.allCases.filter { $0 >= units.start && $0 <= units.end }
        if fields.first == .day {
            fields.removeFirst()
            let parts = rest.split(separator: " ", maxSplits: 1)
            guard let first = parts.first, let days = unsigned(first)?.checkedTimes(microsecondsPerDay) else {
                return nil
            }
            total = days
            guard parts.count == (fields.isEmpty ? 1 : 2) else { return nil }
            if fields.isEmpty { return total }
            rest = parts[1]
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == fields.count else { return nil }
        for (index, (field, part)) in zip(fields, parts).enumerated() {
            let isLeading = index == 0 && units.start == field
            let value: Int64?
            if field == .second {
                guard part.first != "-", part.first != "+" else { return nil }
                value = seconds(String(part))
            } else {
                value = unsigned(part)?.checkedTimes(field == .hour ? 3_600_000_000 : 60_000_000)
            }
            let limit: Int64 = field == .hour ? 86_400_000_000 : field == .minute ? 3_600_000_000 : 60_000_000
            guard let value, isLeading || value < limit, let sum = total.checkedPlus(value) else { return nil }
            total = sum
        }
        return total
    }

    private static func unsigned(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else { return nil }
        return Int64(text)
    }
}

extension String {
    /// Without blanks and control characters at its ends, as Spark trims before a cast.
    var trimmingBlanks: String {
        let bytes = Array(utf8)
        guard let first = bytes.firstIndex(where: { $0 > 0x20 }), let last = bytes.lastIndex(where: { $0 > 0x20 })
        else {
            return ""
        }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
