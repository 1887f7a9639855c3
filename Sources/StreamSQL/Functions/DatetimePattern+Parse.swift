import StreamCore

extension DatetimePattern {
    /// The instant that a text means, or nil if it does not match the pattern. Fields that the pattern does not have
    /// are those of 1970-01-01 00:00 in the zone.
    func parse(_ text: UnsafeRawBufferPointer, zone: TimeZone) -> Int64? {
        var reader = DatetimeReader(text)
        guard read(0..<elements.count, &reader), reader.isAtEnd else { return nil }
        return reader.fields.instant(zone)
    }

    /// Reads a run of elements; an optional part that does not match is skipped.
    private func read(_ range: Range<Int>, _ reader: inout DatetimeReader) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            switch elements[index] {
            case .literal(let bytes):
                guard reader.skip(bytes) else { return false }
            case .field(let letter, let count):
                let reserved = Self.width(letter, count) == nil ? reservedWidth(after: index) : 0
                guard reader.read(letter, count, reserved: reserved) else { return false }
            case .optionalStart:
                let end = closing(index)
                var attempt = reader
                if read(index + 1..<end, &attempt) { reader = attempt }
                index = end
            case .optionalEnd: break
            }
            index += 1
        }
        return true
    }

    private func closing(_ start: Int) -> Int {
        var depth = 0
        for index in start..<elements.count {
            if elements[index] == .optionalStart { depth += 1 }
            if elements[index] == .optionalEnd { depth -= 1 }
            if depth == 0 { return index }
        }
        return elements.count
    }

    /// Digits of a number of a fixed length; nil for all others.
    private static func width(_ letter: UInt8, _ count: Int) -> Int? {
        switch letter {
        case UInt8(ascii: "u"), UInt8(ascii: "y"), UInt8(ascii: "M"), UInt8(ascii: "L"), UInt8(ascii: "d"),
            UInt8(ascii: "h"), UInt8(ascii: "H"), UInt8(ascii: "k"), UInt8(ascii: "K"), UInt8(ascii: "m"),
            UInt8(ascii: "s"):
            count == 2 ? 2 : nil
        case UInt8(ascii: "D"): count == 3 ? 3 : nil
        default: nil
        }
    }

    /// `yyyyMMdd`: digits that belong to the numbers that follow without anything between.
    private func reservedWidth(after index: Int) -> Int {
        var sum = 0
        for element in elements[(index + 1)...] {
            guard case .field(let letter, let count) = element, let width = Self.width(letter, count) else { break }
            sum += width
        }
        return sum
    }
}

/// The fields that a text gave.
struct DatetimeFields {
    var year: Int?
    var isBeforeChrist: Bool?
    var month: Int?
    var day: Int?
    var dayOfYear: Int?
    var hour: Int?
    var halfDayHour: Int?
    var isAfternoon: Bool?
    var minute: Int?
    var second: Int?
    var microsecond = 0
    var zone: TimeZone?

    func instant(_ local: TimeZone) -> Int64? {
        var year = year ?? 1970
        if let isBeforeChrist {
            guard year >= 1 else { return nil }
            if isBeforeChrist { year = 1 - year }
        }
        let days: Int32
        if let dayOfYear, month == nil, day == nil {
            guard dayOfYear >= 1, dayOfYear <= (CivilDate.isLeap(year) ? 366 : 365),
                let first = CivilDate.checkedDays(year: year, month: 1, day: 1)
            else { return nil }
            days = first &+ Int32(dayOfYear - 1)
        } else {
            guard let value = CivilDate.checkedDays(year: year, month: month ?? 1, day: day ?? 1) else { return nil }
            days = value
        }
        guard let hour = hourOfDay, (0..<60).contains(minute ?? 0), (0..<60).contains(second ?? 0) else { return nil }
        let seconds = Int64((hour * 60 + (minute ?? 0)) * 60 + (second ?? 0))
        guard let midnight = Int64(days).checkedTimes(TimeText.microsecondsPerDay),
            let time = midnight.checkedPlus(seconds * 1_000_000 + Int64(microsecond))
        else { return nil }
        return (zone ?? local).utc(time)
    }

    private var hourOfDay: Int? {
        if let hour { return (0..<24).contains(hour) ? hour : nil }
        guard (0..<12).contains(halfDayHour ?? 0) else { return nil }
        return (halfDayHour ?? 0) + (isAfternoon == true ? 12 : 0)
    }
}

/// Walks over a text by the letters of a pattern.
struct DatetimeReader {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0
    var fields = DatetimeFields()

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    private var peek: UInt8 { index < bytes.count ? bytes[index] : 0 }

    /// Without regard to the case of letters.
    mutating func skip(_ literal: [UInt8]) -> Bool {
        guard bytes.count - index >= literal.count else { return false }
        for (place, byte) in literal.enumerated() {
            let other = bytes[index + place]
            guard other == byte || (byte.isLetter && other ^ 0x20 == byte) else { return false }
        }
        index += literal.count
        return true
    }

    /// Reads one field; `reserved` digits at the end of a run belong to the fields behind it.
    mutating func read(_ letter: UInt8, _ count: Int, reserved: Int) -> Bool {
        switch letter {
        case UInt8(ascii: "u"), UInt8(ascii: "y"): return readYear(count, reserved)
        case UInt8(ascii: "M"), UInt8(ascii: "L"):
            if count > 2 { return name(count == 3 ? DateNames.shortMonths : DateNames.months) { $0.month = $1 + 1 } }
            return number(count, reserved) { $0.month = $1 }
        case UInt8(ascii: "d"): return number(count, reserved) { $0.day = $1 }
        case UInt8(ascii: "D"): return number(count, reserved) { $0.dayOfYear = $1 }
        case UInt8(ascii: "H"): return number(count, reserved) { $0.hour = $1 }
        case UInt8(ascii: "k"): return number(count, reserved) { $0.hour = $1 == 24 ? 0 : $1 == 0 ? 24 : $1 }
        case UInt8(ascii: "K"): return number(count, reserved) { $0.halfDayHour = $1 }
        case UInt8(ascii: "h"): return number(count, reserved) { $0.halfDayHour = $1 == 12 ? 0 : $1 == 0 ? 12 : $1 }
        case UInt8(ascii: "m"): return number(count, reserved) { $0.minute = $1 }
        case UInt8(ascii: "s"): return number(count, reserved) { $0.second = $1 }
        case UInt8(ascii: "S"): return fraction(count)
        case UInt8(ascii: "a"): return name(["AM", "PM"]) { $0.isAfternoon = $1 == 1 }
        case UInt8(ascii: "G"):
            return name(count == 4 ? ["Anno Domini", "Before Christ"] : ["AD", "BC"]) { $0.isBeforeChrist = $1 == 1 }
        case UInt8(ascii: "V"), UInt8(ascii: "z"): return zoneName()
        default: return offset(letter, count)
        }
    }

    private mutating func digits(atMost limit: Int) -> (value: Int, count: Int) {
        var value = 0
        let start = index
        while index < bytes.count, index - start < limit, bytes[index].isDigit {
            value = value * 10 + Int(bytes[index] - 0x30)
            index += 1
        }
        return (value, index - start)
    }

    private mutating func run(_ reserved: Int) -> (value: Int, count: Int) {
        let start = index
        while index < bytes.count, index - start < 18, bytes[index].isDigit { index += 1 }
        let length = index - start - reserved
        index = start
        return digits(atMost: max(0, length))
    }

    private mutating func number(_ count: Int, _ reserved: Int, _ store: (inout DatetimeFields, Int) -> Void) -> Bool {
        let found = count == 1 ? run(reserved) : digits(atMost: count)
        guard found.count >= count else { return false }
        store(&fields, found.value)
        return true
    }

    private mutating func readYear(_ count: Int, _ reserved: Int) -> Bool {
        if count == 2 { return number(2, 0) { $0.year = 2000 + $1 } }
        let sign = peek
        let isSigned = sign == UInt8(ascii: "-") || (sign == UInt8(ascii: "+") && count >= 4)
        if isSigned { index += 1 }
        let found = run(reserved)
        guard found.count >= count, found.value < 10_000_000 else { return false }
        // A year longer than its letters needs a sign, and a plus needs such a year.
        if count >= 4, sign == UInt8(ascii: "+") || !isSigned, (found.count > count) != isSigned { return false }
        fields.year = sign == UInt8(ascii: "-") ? -found.value : found.value
        return true
    }

    private mutating func fraction(_ count: Int) -> Bool {
        let found = digits(atMost: count)
        guard found.count > 0 else { return false }
        var value = found.value
        for _ in found.count..<9 { value *= 10 }
        fields.microsecond = value / 1000
        return true
    }

    private mutating func name(_ names: [String], _ store: (inout DatetimeFields, Int) -> Void) -> Bool {
        for (place, name) in names.enumerated() where skip(Array(name.utf8)) {
            store(&fields, place)
            return true
        }
        return false
    }

    private mutating func zoneName() -> Bool {
        let start = index
        while index < bytes.count, bytes[index].isLetter || bytes[index].isDigit || "/_+-:".utf8.contains(bytes[index])
        {
            index += 1
        }
        guard index > start else { return false }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        fields.zone = TimeZone.named(text)
        return fields.zone != nil
    }

    private mutating func offset(_ letter: UInt8, _ count: Int) -> Bool {
        let isLocalized = letter == UInt8(ascii: "O") || (letter == UInt8(ascii: "Z") && count == 4)
        if isLocalized {
            guard skip(Array("GMT".utf8)) else { return false }
            guard peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") else {
                fields.zone = .utc
                return true
            }
        } else if letter == UInt8(ascii: "X") || count == 5, peek | 0x20 == UInt8(ascii: "z") {
            index += 1
            fields.zone = .utc
            return true
        }
        let start = index
        guard peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") else { return false }
        index += 1
        let style = isLocalized ? 3 : letter == UInt8(ascii: "Z") && count < 4 ? 2 : count
        guard digits(atMost: 2).count == 2 || (isLocalized && index > start + 1) else { return false }
        let hasColon = style == 3 || style == 5
        guard part(hasColon) || style == 1 || isLocalized else { return false }
        if style >= 4 { _ = part(hasColon) }
        fields.zone = TimeZone.named(String(decoding: bytes[start..<index], as: UTF8.self))
        return fields.zone != nil
    }

    /// Two digits, behind a colon where there must be one; nothing is read if they are not there.
    private mutating func part(_ hasColon: Bool) -> Bool {
        let start = index
        if hasColon {
            guard peek == UInt8(ascii: ":") else { return false }
            index += 1
        }
        if digits(atMost: 2).count == 2 { return true }
        index = start
        return false
    }
}
