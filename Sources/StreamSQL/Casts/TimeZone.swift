import CCCTZ
import StreamCore

/// A time zone: an offset, or a zone of the system's database. Cheap to copy.
public struct TimeZone: Sendable, Hashable, CustomStringConvertible {
    /// Address of a CCTZ zone, which is immutable and never freed; 0 for a fixed offset.
    private let address: UInt
    private let fixedSeconds: Int64
    public let description: String

    public static let utc = TimeZone(fixedSeconds: 0, name: "UTC")

    private init(fixedSeconds: Int64, name: String) {
        address = 0
        self.fixedSeconds = fixedSeconds
        description = name
    }

    private init(zone: UnsafeRawPointer, name: String) {
        address = UInt(bitPattern: zone)
        fixedSeconds = 0
        description = name
    }

    /// `UTC`, `Z`, `+02:00`, `+2`, `GMT+1`, `Europe/Berlin`; nil if there is no such zone.
    public static func named(_ text: String) -> TimeZone? {
        let name = text.trimmingBlanks
        guard name.utf8.count <= 64, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        switch name.uppercased() {
        case "UTC", "Z", "GMT", "UT", "ETC/UTC": return TimeZone(fixedSeconds: 0, name: name == "Z" ? "Z" : name)
        default: break
        }
        for prefix in ["", "UTC", "GMT", "UT"] where name.uppercased().hasPrefix(prefix) {
            if let seconds = offset(name.dropFirst(prefix.count)) { return TimeZone(fixedSeconds: seconds, name: name) }
        }
        // The loader reads files by name: nothing but names of zones reaches it.
        guard !name.contains(".."), !name.hasPrefix("/"), name.utf8.first?.isWordStart == true, !name.contains(":")
        else {
            return nil
        }
        guard let zone = millrace_zone_load(name) else { return nil }
        return TimeZone(zone: zone, name: name)
    }

    /// `+h`, `+hh`, `+hh:mm`, `+hhmm`, `+hh:mm:ss`.
    private static func offset(_ text: Substring) -> Int64? {
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        var parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 1, parts[0].utf8.count == 4 { parts = [parts[0].prefix(2), parts[0].suffix(2)] }
        guard (1...3).contains(parts.count),
            parts.allSatisfy({ (1...2).contains($0.utf8.count) && $0.utf8.allSatisfy(\.isDigit) })
        else { return nil }
        let numbers = parts.compactMap { Int64($0) } + [0, 0]
        guard numbers[0] <= 18, numbers[1] < 60, numbers[2] < 60 else { return nil }
        let seconds = numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
        guard seconds <= 18 * 3600 else { return nil }
        return sign == "-" ? -seconds : seconds
    }

    private var zone: UnsafeRawPointer? { UnsafeRawPointer(bitPattern: address) }

    public var isUTC: Bool { address == 0 && fixedSeconds == 0 }

    /// Seconds east of UTC at an instant in microseconds.
    public func offsetSeconds(at microseconds: Int64) -> Int64 {
        guard let zone else { return fixedSeconds }
        return Int64(millrace_zone_offset(zone, microseconds.floorDivided(by: 1_000_000), nil, nil))
    }

    /// The short name in use at an instant: `CET`, `UTC`.
    public func abbreviation(at microseconds: Int64) -> String {
        guard let zone else { return description }
        var name: UnsafePointer<CChar>?
        _ = millrace_zone_offset(zone, microseconds.floorDivided(by: 1_000_000), nil, &name)
        return name.map { String(cString: $0) } ?? description
    }

    /// Local microseconds since 1970-01-01 00:00 local of an instant; saturates at the ends of the range.
    public func local(_ microseconds: Int64) -> Int64 {
        if isUTC { return microseconds }
        let offset = offsetSeconds(at: microseconds) * 1_000_000
        return microseconds.checkedPlus(offset) ?? (offset < 0 ? .min : .max)
    }

    /// The instant of a local time; saturates at the ends of the range.
    public func utc(_ local: Int64) -> Int64 {
        if isUTC { return local }
        guard let zone else {
            let offset = fixedSeconds * 1_000_000
            return local.checkedMinus(offset) ?? (offset > 0 ? .min : .max)
        }
        let seconds = local.floorDivided(by: 1_000_000)
        let instant = millrace_zone_instant(zone, seconds)
        guard let scaled = instant.checkedTimes(1_000_000)?.checkedPlus(local.floorRemainder(1_000_000)) else {
            return local < 0 ? .min : .max
        }
        return scaled
    }
}
