/// Days of the proleptic Gregorian calendar, as java.time counts them (Howard Hinnant's algorithms).
enum CivilDate {
    static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func length(year: Int, month: Int) -> Int {
        month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days since the epoch, or nil if there is no such day or it does not fit a DATE.
    static func checkedDays(year: Int, month: Int, day: Int) -> Int32? {
        guard abs(year) < 6_000_000, (1...12).contains(month), day >= 1, day <= length(year: year, month: month) else {
            return nil
        }
        return Int32(exactly: days(year: year, month: month, day: day))
    }

    /// The same day of another month, or its last day if that month is shorter.
    static func addMonths(_ days: Int32, _ months: Int) -> Int32? {
        let date = civil(Int(days))
        let (count, overflow) = (date.year * 12 + date.month - 1).addingReportingOverflow(months)
        guard !overflow else { return nil }
        let year = count.floorDivided(by: 12)
        let month = count.floorRemainder(12) + 1
        guard abs(year) < 6_000_000 else { return nil }
        return checkedDays(year: year, month: month, day: min(date.day, length(year: year, month: month)))
    }
}

extension FixedWidthInteger {
    @inline(__always) func floorDivided(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder != 0 && (remainder < 0) != (divisor < 0) ? quotient - 1 : quotient
    }
    @inline(__always) func floorRemainder(_ divisor: Self) -> Self {
        // Not `self - quotient * divisor`: that overflows next to the least value.
        let rest = self % divisor
        return rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest
    }
}
