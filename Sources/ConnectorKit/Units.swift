/// How durations, sizes and instants are written in a configuration.
public enum Units {
    private static let durationUnits: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    // Powers of 1024, as Spark, the JVM and systemd read them.
    private static let byteUnits: [(name: String, bytes: Int64)] = [
        ("b", 1), ("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("tb", 1 << 40),
        ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
        ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40),
    ]

    /// `500ms`, `20 s`, `1.5h`. A number without a unit is not a duration; nor is one beyond 292 years.
    public static func duration(_ text: String) -> Duration? {
        guard let (number, unit) = split(text),
            let scale = durationUnits.first(where: { $0.name == unit })?.nanoseconds,
            let nanoseconds = product(number, scale)
        else { return nil }
        return .nanoseconds(nanoseconds)
    }

    /// `256MB`, `1 GiB`, `4096` (bytes). K, M and G are powers of 1024.
    public static func bytes(_ text: String) -> Int64? {
        guard let (number, unit) = split(text) else { return nil }
        guard let scale = unit.isEmpty ? 1 : byteUnits.first(where: { $0.name == unit.lowercased() })?.bytes else {
            return nil
        }
        return product(number, scale)
    }

    /// The shortest exact way to write a duration: `500ms`, `1m`.
    public static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return "\(seconds)s" }
        let nanoseconds = scaled + attoseconds / 1_000_000_000
        if nanoseconds == 0 { return "0s" }
        let unit = durationUnits.last { nanoseconds % $0.nanoseconds == 0 } ?? durationUnits[0]
        return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
    }

    /// The shortest exact way to write a size: `256MB`.
    public static func text(bytes: Int64) -> String {
        if bytes == 0 { return "0" }
        let unit = byteUnits[..<5].last { bytes % $0.bytes == 0 } ?? byteUnits[0]
        return "\(bytes / unit.bytes)\(unit.name.uppercased())"
    }

    /// `12.5 ms` -> (12.5, ms). Plain digits with at most one point; no sign, no exponent.
    private static func split(_ text: String) -> (number: Double, unit: String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard digits.first != ".", digits.last != ".", !digits.isEmpty, let number = Double(digits) else { return nil }
        var unit = text.dropFirst(digits.count)
        if unit.first == " " { unit.removeFirst() }
        return (number, String(unit))
    }

    private static func product(_ number: Double, _ scale: Int64) -> Int64? {
        if let whole = Int64(exactly: number) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
            return overflow ? nil : product
        }
        let product = (number * Double(scale)).rounded()
        return product < 9.2e18 ? Int64(product) : nil
    }
}
