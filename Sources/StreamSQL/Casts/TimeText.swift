import StreamCore

/// Dates and timestamps as text, in the forms that Spark's casts read and write.
enum TimeText {
    static let microsecondsPerDay: Int64 = 86_400_000_000

    // MARK: - Reading

    /// `2024`, `2024-1`, `2024-01-02`, and anything behind a `T` or a blank is ignored. Nil if it is no date.
    static func date(_ text: UnsafeRawBufferPointer) -> Int32? {
        var cursor = TextCursor(text.trimmed)
        guard let date = cursor.civilDate() else { return nil }
        if !cursor.isAtEnd {
            guard date.isComplete, cursor.peek == 0x20 || cursor.peek == UInt8(ascii: "T") else { return nil }
        }
        return CivilDate.checkedDays(year: date.year, month: date.month, day: date.day)
    }

    /// A date, a date with a time, or a time of today, with up to nine fraction digits (six kept) and a zone.
    static func timestamp(_ text: UnsafeRawBufferPointer, zone: TimeZone, now: Int64) -> Int64? {
        var cursor = TextCursor(text.trimmed)
        var days: Int32
        var start = cursor
        if start.skip(UInt8(ascii: "T")) || isTime(cursor) {
            if cursor.peek == UInt8(ascii: "T") { cursor.advance() }
            days = Int32(truncatingIfNeeded: zone.local(now).floorDivided(by: microsecondsPerDay))
        } else {
            guard let date = cursor.civilDate(),
                let value = CivilDate.checkedDays(year: date.year, month: date.month, day: date.day)
            else { return nil }
            days = value
            if cursor.isAtEnd { return utc(days, 0, zone) }
            guard date.isComplete, cursor.skip(0x20) || cursor.skip(UInt8(ascii: "T")) else { return nil }
            if cursor.isAtEnd { return nil }
        }
        guard let time = cursor.timeOfDay() else { return nil }
        if cursor.isAtEnd { return utc(days, time, zone) }
        while cursor.skip(0x20) {}
        guard let named = TimeZone.named(cursor.rest) else { return nil }
        return utc(days, time, named)
    }

    private static func isTime(_ cursor: TextCursor) -> Bool {
        var ahead = cursor
        guard let (_, digits) = ahead.number(max: 2), digits > 0 else { return false }
        return ahead.peek == UInt8(ascii: ":")
    }

    private static func utc(_ days: Int32, _ time: Int64, _ zone: TimeZone) -> Int64? {
        guard let local = Int64(days).checkedTimes(microsecondsPerDay)?.checkedPlus(time) else { return nil }
        return zone.utc(local)
    }

    // MARK: - Writing

    static func date(_ days: Int32) -> String {
        let date = CivilDate.civil(Int(days))
        return "\(year(date.year))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }

    /// `2024-01-02 03:04:05.12`: no fraction if it is zero, no zeros at its end.
    static func timestamp(_ microseconds: Int64, zone: TimeZone) -> String {
        let local = zone.local(microseconds)
        let days = local.floorDivided(by: microsecondsPerDay)
        let rest = local.floorRemainder(microsecondsPerDay)
        let seconds = Int(rest / 1_000_000)
        let text =
            date(Int32(truncatingIfNeeded: days))
            + " \(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        return text + fraction(Int(rest % 1_000_000))
    }

    /// `.12` for 120000 microseconds, nothing for 0.
    static func fraction(_ microseconds: Int) -> String {
        guard microseconds != 0 else { return "" }
        var digits = padded(microseconds, 6)
        while digits.last == "0" { digits.removeLast() }
        return "." + digits
    }

    static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return digits.utf8.count >= width ? digits : String(repeating: "0", count: width - digits.utf8.count) + digits
    }

    private static func year(_ year: Int) -> String {
        if year > 9999 { return "+\(year)" }
        return year < 0 ? "-" + padded(-year, 4) : padded(year, 4)
    }
}

/// Walks over the bytes of a date or time.
struct TextCursor {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { index >= bytes.count }
    var peek: UInt8 { index < bytes.count ? bytes[index] : 0 }
    var rest: String { String(decoding: bytes[min(index, bytes.count)...], as: UTF8.self) }

    mutating func advance() { index += 1 }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard !isAtEnd, peek == byte else { return false }
        index += 1
        return true
    }

    mutating func number(max: Int) -> (value: Int, digits: Int)? {
        var value = 0
        let start = index
        while !isAtEnd, peek.isDigit, index - start < max {
            value = value * 10 + Int(peek - 0x30)
            index += 1
        }
        return index == start ? nil : (value, index - start)
    }

    mutating func civilDate() -> (year: Int, month: Int, day: Int, isComplete: Bool)? {
        let isNegative = skip(UInt8(ascii: "-"))
        if !isNegative { _ = skip(UInt8(ascii: "+")) }
        guard let (magnitude, digits) = number(max: 7), digits >= 4 else { return nil }
        let year = isNegative ? -magnitude : magnitude
        guard skip(UInt8(ascii: "-")) else { return (year, 1, 1, false) }
        guard let (month, _) = number(max: 2) else { return nil }
        guard skip(UInt8(ascii: "-")) else { return (year, month, 1, false) }
        guard let (day, _) = number(max: 2) else { return nil }
        return (year, month, day, true)
    }

    /// `h`, `h:m`, `h:m:s`, `h:m:s.ffffff` in microseconds of the day.
    mutating func timeOfDay() -> Int64? {
        guard let (hour, _) = number(max: 2), hour < 24 else { return nil }
        var seconds = hour * 3600
        var fraction = 0
        if skip(UInt8(ascii: ":")) {
            guard let (minute, _) = number(max: 2), minute < 60 else { return nil }
            seconds += minute * 60
            if skip(UInt8(ascii: ":")) {
                guard let (second, _) = number(max: 2), second < 60 else { return nil }
                seconds += second
                if skip(UInt8(ascii: ".")) { fraction = self.fraction() }
            }
        }
        return Int64(seconds) * 1_000_000 + Int64(fraction)
    }

    private mutating func fraction() -> Int {
        var value = 0
        var digits = 0
        while !isAtEnd, peek.isDigit {
            if digits < 6 {
                value = value * 10 + Int(peek - 0x30)
                digits += 1
            }
            index += 1
        }
        while digits < 6 {
            value *= 10
            digits += 1
        }
        return value
    }
}

extension UnsafeRawBufferPointer {
    /// Without blanks and control characters at its ends.
    var trimmed: UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, self[start] <= 0x20 { start += 1 }
        while end > start, self[end - 1] <= 0x20 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}
