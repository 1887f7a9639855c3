import ConnectorKit
import Testing

@Suite struct UnitsTests {
    @Test(arguments: [
        ("500ms", 500_000_000 as Int64), ("20 s", 20_000_000_000), ("1.5h", 5_400_000_000_000), ("0s", 0), ("7ns", 7),
        ("2us", 2000), ("3m", 180_000_000_000), ("1d", 86_400_000_000_000),
    ])
    func durations(text: String, nanoseconds: Int64) {
        #expect(Units.duration(text) == .nanoseconds(nanoseconds))
    }

    @Test(arguments: [
        "", "20", "ms", "-1s", "1e3s", ".5s", "5.s", "1  s", "1 week", "300y", "9999999999999999d", "١s",
    ])
    func noDurations(text: String) {
        #expect(Units.duration(text) == nil)
    }

    @Test(arguments: [
        ("0", 0 as Int64), ("4096", 4096), ("64KB", 65536), ("64 KiB", 65536), ("256mb", 268_435_456),
        ("1.5G", 1_610_612_736),
        ("2TB", 2_199_023_255_552),
    ])
    func sizes(text: String, bytes: Int64) {
        #expect(Units.bytes(text) == bytes)
    }

    @Test(arguments: ["", "MB", "-1", "1XB", "99999999999999999999", "9999999999999TB", "1,5MB"])
    func noSizes(text: String) {
        #expect(Units.bytes(text) == nil)
    }

    @Test func writesTheLargestExactUnit() {
        #expect(Units.text(.milliseconds(1500)) == "1500ms")
        #expect(Units.text(.seconds(60)) == "1m")
        #expect(Units.text(.zero) == "0s")
        #expect(Units.text(bytes: 1 << 20) == "1MB")
        #expect(Units.text(bytes: 1025) == "1025B")
    }

    // Expected values from `date -u -d TEXT +%s`.
    @Test(arguments: [
        ("1970-01-01", 0 as Int64), ("2026-01-31", 1_769_817_600_000), ("2026-01-31T12:00:00Z", 1_769_860_800_000),
        ("2024-02-29T23:59:59.250+01:00", 1_709_247_599_250), ("1969-12-31T23:59:59Z", -1000),
        ("2026-01-31 12:00Z", 1_769_860_800_000), ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("1767225600000", 1_767_225_600_000),
    ])
    func instants(text: String, milliseconds: Int64) {
        #expect(Instant.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "2026", "20260131", "2026-13-01", "2025-02-29", "2026-01-31T12:00:00", "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+1", "earliest", "2026-01-31T12:00:00Zx", "9999999999999999",
    ])
    func noInstants(text: String) {
        #expect(Instant.milliseconds(text) == nil)
    }

    @Test(arguments: [
        (0 as Int64, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_709_247_599_250, "2024-02-29T22:59:59.250Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func writesInstants(milliseconds: Int64, text: String) {
        #expect(Instant.text(milliseconds) == text)
        #expect(Instant.milliseconds(text) == milliseconds)
    }
}
