import Foundation
import StreamCore
import StreamService
import Testing

@Suite("Progress")
struct ProgressTests {
    private let clock = HandClock()
    private let written = Collected<String>()

    private var later: ServiceSnapshot {
        var snapshot = ServiceSnapshot.sample
        snapshot.epoch = 1042
        snapshot.records.read += 24_600
        snapshot.records.output += 1_900
        snapshot.epochs.committed += 2
        snapshot.epochDurations.record(.milliseconds(15))
        snapshot.epochDurations.record(.milliseconds(15))
        return snapshot
    }

    @Test("a file gets one plain line a period, with rates since the last")
    func lines() {
        let printer = ProgressPrinter(
            screen: .collecting(written, isTerminal: false), style: .rewritten, clock: clock)
        printer.show(.sample)
        clock.advance(.milliseconds(1999))
        printer.show(later)
        #expect(written.all.isEmpty)
        clock.advance(.milliseconds(1))
        printer.show(later)
        #expect(
            written.all == [
                "orders running · epoch 1,042 · in 12.3 k/s · out 950/s · lag 10 · epoch p50 15 ms"
                    + " · 9 bad · 3 epochs dropped\n"
            ])
    }

    @Test("a terminal gets one line that is rewritten and never wraps")
    func rewritten() {
        let printer = ProgressPrinter(
            screen: .collecting(written, isTerminal: true, width: 30), style: .rewritten, clock: clock)
        printer.show(.sample)
        clock.advance(.milliseconds(500))
        printer.show(later)
        #expect(written.all == ["orders running · epoch 1,042 …"])
        clock.advance(.milliseconds(500))
        printer.finish(later)
        // The last line is whole and stays.
        #expect(written.all.last?.hasSuffix("3 epochs dropped\n") == true)
        #expect(written.all[1] == "\r\u{1B}[2K")
    }

    @Test("JSON lines carry the same figures")
    func json() throws {
        let printer = ProgressPrinter(
            screen: .collecting(written, isTerminal: true), style: .json, interval: .seconds(1), clock: clock)
        printer.show(.sample)
        clock.advance(.seconds(2))
        printer.show(later)
        let line = try #require(written.all.first)
        let json = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(line.hasSuffix("}\n"))
        #expect(json["recordsInPerSecond"] as? Double == 12_300)
        #expect(json["epochsDropped"] as? Int == 3)
        #expect(json["lastError"] as? String == "FENCED")
    }

    @Test("a query that is not ready says why")
    func trouble() {
        var snapshot = ServiceSnapshot(query: QueryName("orders"))
        snapshot.state = .retrying
        snapshot.lastError = ErrorNote(code: "NO_BROKER", message: "No broker\nanswers.", atMs: 0)
        let rate = ProgressRate(from: snapshot, to: snapshot, over: .zero)
        #expect(
            ProgressLine.text(snapshot, rate) == "orders retrying · in 0/s · out 0/s · lag - · No broker\\nanswers.")
    }

    @Test("counters that went back belong to another run")
    func wentBack() {
        let rate = ProgressRate(from: later, to: .sample, over: .seconds(1))
        #expect(rate.recordsIn == 1000)
    }

    @Test(arguments: [
        (0, "0/s"), (0.44, "0.4/s"), (9.949, "9.9/s"), (9.95, "10/s"), (999.4, "999/s"), (999.5, "1.0 k/s"),
        (12_345, "12.3 k/s"), (99_949, "99.9 k/s"), (99_950, "100 k/s"), (999_499, "999 k/s"), (999_500, "1.00 M/s"),
        (.infinity, "0/s"), (-1, "0/s"), (1e300, "100000000000000.0 M/s"),
    ])
    func rates(rate: Double, expected: String) {
        #expect(ProgressLine.perSecond(rate) == expected)
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"), (Int64.min, "-9,223,372,036,854,775,808"),
    ])
    func groups(number: Int64, expected: String) {
        #expect(ProgressLine.grouped(number) == expected)
    }
}
