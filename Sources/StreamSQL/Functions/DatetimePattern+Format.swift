import StreamCore

/// An instant taken apart in a zone.
struct LocalTime {
    let day: Int
    let date: (year: Int, month: Int, day: Int)
    /// Microseconds since midnight.
    let clock: Int64
    let instant: Int64
    let zone: TimeZone

    init(_ microseconds: Int64, _ zone: TimeZone) {
        let local = zone.local(microseconds)
        day = Int(local.floorDivided(by: TimeText.microsecondsPerDay))
        date = CivilDate.civil(day)
        clock = local.floorRemainder(TimeText.microsecondsPerDay)
        instant = microseconds
        self.zone = zone
    }

    var hour: Int { Int(clock / 3_600_000_000) }
    var minute: Int { Int(clock / 60_000_000 % 60) }
    var second: Int { Int(clock / 1_000_000 % 60) }
    var microsecond: Int { Int(clock % 1_000_000) }
    var offset: Int { Int(zone.offsetSeconds(at: instant)) }
}

extension DatetimePattern {
    func append(_ time: LocalTime, _ writer: inout BytesWriter) {
        for element in elements {
            switch element {
            case .literal(let bytes): for byte in bytes { writer.append(byte) }
            case .field(let letter, let count): Self.append(time, letter, count, &writer)
            case .optionalStart, .optionalEnd: break
            }
        }
    }

    private static func append(_ time: LocalTime, _ letter: UInt8, _ count: Int, _ writer: inout BytesWriter) {
        switch letter {
        case UInt8(ascii: "u"): appendYear(time.date.year, count, &writer)
        case UInt8(ascii: "y"): appendYear(time.date.year > 0 ? time.date.year : 1 - time.date.year, count, &writer)
        case UInt8(ascii: "G"):
            let isAfter = time.date.year > 0
            writer.append(count == 4 ? (isAfter ? "Anno Domini" : "Before Christ") : isAfter ? "AD" : "BC")
        case UInt8(ascii: "M"), UInt8(ascii: "L"):
            let names = count == 3 ? DateNames.shortMonths : DateNames.months
            if count > 2 {
                writer.append(names[time.date.month - 1])
            } else {
                writer.append(time.date.month, width: count)
            }
        case UInt8(ascii: "d"): writer.append(time.date.day, width: count)
        case UInt8(ascii: "D"):
            writer.append(time.day - CivilDate.days(year: time.date.year, month: 1, day: 1) + 1, width: count)
        case UInt8(ascii: "F"): writer.append((time.date.day - 1) / 7 + 1, width: 1)
        case UInt8(ascii: "E"):
            let index = (time.day + 3).floorRemainder(7)
            writer.append(count == 4 ? DateNames.days[index] : DateNames.shortDays[index])
        case UInt8(ascii: "q"), UInt8(ascii: "Q"):
            let quarter = (time.date.month + 2) / 3
            switch count {
            case 3: writer.append("Q\(quarter)")
            case 4: writer.append(["1st", "2nd", "3rd", "4th"][quarter - 1] + " quarter")
            default: writer.append(quarter, width: count)
            }
        case UInt8(ascii: "V"): writer.append(time.zone.description)
        case UInt8(ascii: "z"), UInt8(ascii: "X"), UInt8(ascii: "x"), UInt8(ascii: "Z"), UInt8(ascii: "O"):
            appendZone(time, letter, count, &writer)
        default: appendClock(time, letter, count, &writer)
        }
    }

    private static func appendYear(_ year: Int, _ count: Int, _ writer: inout BytesWriter) {
        if count == 2 {
            writer.append(year.floorRemainder(100), width: 2)
            return
        }
        if year < 0 { writer.append(UInt8(ascii: "-")) }
        let magnitude = abs(year)
        // Four letters or more mark a longer year by its sign.
        if year > 0, count >= 4, String(magnitude).utf8.count > count { writer.append(UInt8(ascii: "+")) }
        writer.append(magnitude, width: count)
    }

    private static func appendClock(_ time: LocalTime, _ letter: UInt8, _ count: Int, _ writer: inout BytesWriter) {
        let hour = time.hour
        switch letter {
        case UInt8(ascii: "a"): writer.append(hour < 12 ? "AM" : "PM")
        case UInt8(ascii: "H"): writer.append(hour, width: count)
        case UInt8(ascii: "k"): writer.append(hour == 0 ? 24 : hour, width: count)
        case UInt8(ascii: "K"): writer.append(hour % 12, width: count)
        case UInt8(ascii: "h"): writer.append(hour % 12 == 0 ? 12 : hour % 12, width: count)
        case UInt8(ascii: "m"): writer.append(time.minute, width: count)
        case UInt8(ascii: "s"): writer.append(time.second, width: count)
        default:
            let digits = TimeText.padded(time.microsecond, 6) + "000"
            writer.append(String(digits.prefix(count)))
        }
    }

    private static func appendZone(_ time: LocalTime, _ letter: UInt8, _ count: Int, _ writer: inout BytesWriter) {
        let offset = time.offset
        switch (letter, count) {
        case (UInt8(ascii: "z"), _):
            let name = time.zone.abbreviation(at: time.instant)
            writer.append(count == 4 && time.zone.isUTC ? "Coordinated Universal Time" : name)
        case (UInt8(ascii: "O"), _), (UInt8(ascii: "Z"), 4):
            writer.append("GMT")
            guard offset != 0 else { return }
            writer.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            let (hours, minutes) = (abs(offset) / 3600, abs(offset) / 60 % 60)
            writer.append(hours, width: count == 4 ? 2 : 1)
            if count == 4 || minutes != 0 {
                writer.append(UInt8(ascii: ":"))
                writer.append(minutes, width: 2)
            }
        default:
            if offset == 0, letter == UInt8(ascii: "X") || (letter == UInt8(ascii: "Z") && count == 5) {
                writer.append(UInt8(ascii: "Z"))
                return
            }
            // Z stands for xx, ZZZZZ for XXXXX.
            appendOffset(offset, letter == UInt8(ascii: "Z") && count < 4 ? 2 : count, &writer)
        }
    }

    private static func appendOffset(_ offset: Int, _ style: Int, _ writer: inout BytesWriter) {
        let (hours, minutes, seconds) = (abs(offset) / 3600, abs(offset) / 60 % 60, abs(offset) % 60)
        let hasColon = style == 3 || style == 5
        writer.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        writer.append(hours, width: 2)
        if style == 1, minutes == 0 { return }
        if hasColon { writer.append(UInt8(ascii: ":")) }
        writer.append(minutes, width: 2)
        guard style >= 4, seconds != 0 else { return }
        if hasColon { writer.append(UInt8(ascii: ":")) }
        writer.append(seconds, width: 2)
    }
}

extension BytesWriter {
    /// A number that is not negative, with zeros in front.
    mutating func append(_ value: Int, width: Int) {
        var divisor = 1
        var digits = 1
        while digits < 19, digits < width || value / divisor >= 10 {
            divisor *= 10
            digits += 1
        }
        while divisor > 0 {
            append(UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
            divisor /= 10
        }
    }
}
