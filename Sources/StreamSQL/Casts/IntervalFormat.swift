import StreamCore

/// Intervals as text.
enum IntervalFormat {
    /// `INTERVAL '1 02:03:04' DAY TO SECOND`, `INTERVAL '1-2' YEAR TO MONTH`.
    static func text(_ value: Int64, _ units: IntervalUnits) -> String {
        let sign = value < 0 ? "-" : ""
        let magnitude = value.magnitude
        let body = units.start.isYearMonth ? yearMonth(magnitude, units) : dayTime(magnitude, units)
        return "INTERVAL '\(sign)\(body)' \(units.typeName.dropFirst("interval ".utf8.count).uppercased())"
    }

    private static func yearMonth(_ months: UInt64, _ units: IntervalUnits) -> String {
        if units.end == .year { return "\(months / 12)" }
        return units.start == .month ? "\(months)" : "\(months / 12)-\(months % 12)"
    }

    private static func dayTime(_ microseconds: UInt64, _ units: IntervalUnits) -> String {
        let sizes: [IntervalUnit: UInt64] = [
            .day: 86_400_000_000, .hour: 3_600_000_000, .minute: 60_000_000, .second: 1_000_000,
        ]
        var rest = microseconds
        var text = ""
        for unit in IntervalUnit.allCases where unit >= units.start && unit <= units.end {
            guard let size = sizes[unit] else { continue }
            let amount = rest / size
            rest %= size
            if unit > units.start { text += unit == .hour ? " " : ":" }
            // Only the leading field goes without a zero in front.
            text += unit > units.start ? TimeText.padded(Int(amount), 2) : "\(amount)"
            if unit == .second { text += TimeText.fraction(Int(rest)) }
        }
        return text
    }

    /// `1 years 2 months 3 days 4 hours 5 minutes 6.7 seconds`; `0 seconds` for nothing.
    static func text(_ value: CalendarInterval) -> String {
        var parts: [String] = []
        func add(_ amount: Int64, _ unit: String) { if amount != 0 { parts.append("\(amount) \(unit)") } }
        add(Int64(value.months / 12), "years")
        add(Int64(value.months % 12), "months")
        add(Int64(value.days), "days")
        var rest = value.microseconds
        add(rest / 3_600_000_000, "hours")
        rest %= 3_600_000_000
        add(rest / 60_000_000, "minutes")
        rest %= 60_000_000
        if rest != 0 {
            let fraction = TimeText.fraction(Int(rest.magnitude % 1_000_000))
            parts.append("\(rest < 0 ? "-" : "")\(rest.magnitude / 1_000_000)\(fraction) seconds")
        }
        return parts.isEmpty ? "0 seconds" : parts.joined(separator: " ")
    }
}
