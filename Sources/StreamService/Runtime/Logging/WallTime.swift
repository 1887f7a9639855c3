/// UTC dates of milliseconds since 1970, without Foundation.
package enum WallTime {
    /// ISO 8601 with milliseconds: `2026-03-01T12:30:45.123Z`. Days by Howard Hinnant's `civil_from_days`.
    package static func iso(milliseconds: Int64) -> String {
        let (date, time) = parts(milliseconds)
        return "\(date)T\(time)Z"
    }

    /// The time of day alone: `12:30:45.123`.
    package static func timeOfDay(milliseconds: Int64) -> String { parts(milliseconds).time }

    private static func parts(_ milliseconds: Int64) -> (date: String, time: String) {
        // Years 0 to 9999 only: what lies outside is no date that a log could mean.
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let day = clamped >= 0 ? clamped / 86_400_000 : -((86_399_999 - clamped) / 86_400_000)
        let ofDay = clamped - day * 86_400_000
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
        let seconds = ofDay / 1000
        let clock = "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        return (date, "\(clock).\(padded(ofDay % 1000, 3))")
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
