/// Writes dates, instants and intervals. Each function returns how many bytes it wrote.
enum TimeText {
    static let dateBytesMax = 24
    static let timestampBytesMax = 48

    /// `2024-01-02`; years beyond 9999 have a sign, as in Java.
    static func writeDate(_ days: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let (year, month, day) = civil(days)
        var cursor = 0
        if year < 0 || year > 9999 {
            unsafe target[0] = year < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
            cursor = 1
        }
        let width = max(4, NumberText.digitCount(year.magnitude))
        unsafe NumberText.writeDigits(year.magnitude, width, to: target + cursor)
        cursor += width
        unsafe target[cursor] = UInt8(ascii: "-")
        unsafe NumberText.writeDigits(UInt64(month), 2, to: target + cursor + 1)
        unsafe target[cursor + 3] = UInt8(ascii: "-")
        unsafe NumberText.writeDigits(UInt64(day), 2, to: target + cursor + 4)
        return cursor + 6
    }

    /// `2024-01-02T03:04:05.123Z`: microseconds are cut, as Spark's JSON does.
    static func writeISO(_ microseconds: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var cursor = unsafe writeSeconds(microseconds, separator: UInt8(ascii: "T"), to: target)
        let milliseconds = floorModulo(microseconds, 1_000_000) / 1000
        unsafe target[cursor] = UInt8(ascii: ".")
        unsafe NumberText.writeDigits(UInt64(milliseconds), 3, to: target + cursor + 1)
        cursor += 4
        unsafe target[cursor] = UInt8(ascii: "Z")
        return cursor + 1
    }

    /// `2024-01-02 03:04:05.1234`: as Spark casts a timestamp to text, zeros of the fraction left out.
    static func writePlain(_ microseconds: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let cursor = unsafe writeSeconds(microseconds, separator: UInt8(ascii: " "), to: target)
        var fraction = UInt64(floorModulo(microseconds, 1_000_000))
        guard fraction > 0 else { return cursor }
        var width = 6
        while fraction % 10 == 0 {
            fraction /= 10
            width -= 1
        }
        unsafe target[cursor] = UInt8(ascii: ".")
        unsafe NumberText.writeDigits(fraction, width, to: target + cursor + 1)
        return cursor + 1 + width
    }

    private static func writeSeconds(
        _ microseconds: Int64, separator: UInt8, to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let perDay: Int64 = 86_400_000_000
        let ofDay = floorModulo(microseconds, perDay)
        // Not `microseconds - ofDay`: that may lie below the range.
        let days = microseconds / perDay - (microseconds % perDay < 0 ? 1 : 0)
        let cursor = unsafe writeDate(days, to: target)
        let seconds = UInt64(ofDay / 1_000_000)
        unsafe target[cursor] = separator
        unsafe NumberText.writeDigits(seconds / 3600, 2, to: target + cursor + 1)
        unsafe target[cursor + 3] = UInt8(ascii: ":")
        unsafe NumberText.writeDigits(seconds / 60 % 60, 2, to: target + cursor + 4)
        unsafe target[cursor + 6] = UInt8(ascii: ":")
        unsafe NumberText.writeDigits(seconds % 60, 2, to: target + cursor + 7)
        return cursor + 9
    }

    private static func floorModulo(_ value: Int64, _ modulus: Int64) -> Int64 {
        let rest = value % modulus
        return rest < 0 ? rest + modulus : rest
    }

    /// Year, month and day of a day count (Howard Hinnant's civil_from_days).
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    // MARK: - Intervals

    static func yearMonth(_ months: Int32) -> String {
        let magnitude = months.magnitude
        return "INTERVAL '\(months < 0 ? "-" : "")\(magnitude / 12)-\(magnitude % 12)' YEAR TO MONTH"
    }

    static func dayTime(_ microseconds: Int64) -> String {
        let magnitude = microseconds.magnitude
        let seconds = magnitude / 1_000_000
        let sign = microseconds < 0 ? "-" : ""
        let clock = "\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return "INTERVAL '\(sign)\(seconds / 86_400) \(clock)\(fraction(magnitude % 1_000_000))' DAY TO SECOND"
    }

    /// `1 years 2 months 3 days 4 hours 5 minutes 6.5 seconds`, without what is zero.
    static func calendar(months: Int32, days: Int32, microseconds: Int64) -> String {
        var parts: [String] = []
        func add(_ count: Int64, _ unit: String) { if count != 0 { parts.append("\(count) \(unit)") } }
        add(Int64(months) / 12, "years")
        add(Int64(months) % 12, "months")
        add(Int64(days), "days")
        add(microseconds / 3_600_000_000, "hours")
        add(microseconds / 60_000_000 % 60, "minutes")
        let rest = microseconds % 60_000_000
        if rest != 0 {
            let magnitude = rest.magnitude
            parts.append("\(rest < 0 ? "-" : "")\(magnitude / 1_000_000)\(fraction(magnitude % 1_000_000)) seconds")
        }
        return parts.isEmpty ? "0 seconds" : parts.joined(separator: " ")
    }

    private static func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func fraction(_ microseconds: UInt64) -> String {
        guard microseconds > 0 else { return "" }
        var text = "\(microseconds + 1_000_000)".dropFirst()
        while text.last == "0" { text.removeLast() }
        return ".\(text)"
    }
}
