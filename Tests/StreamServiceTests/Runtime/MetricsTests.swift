import Foundation
import StreamCore
import StreamService
import Testing

@Suite("Metrics")
struct MetricsTests {
    private let pulses = [Heartbeats.Pulse(loop: "driver", age: .milliseconds(20), deadline: .seconds(5))]

    private func page(_ snapshot: ServiceSnapshot) throws -> PrometheusParser {
        var process = ProcessReport()
        process.residentBytes = 50_000_000
        return try PrometheusParser(
            MetricsPage.text(snapshot, process: process, pulses: pulses, version: "0.1.0"))
    }

    @Test("the page is valid and holds the snapshot's figures")
    func figures() throws {
        let page = try page(.sample)
        #expect(page.value("millrace_records_read_total") == 1000)
        #expect(page.value("millrace_records_dead_lettered_total") == 7)
        #expect(page.value("millrace_epochs_dropped_total", ["query": "orders", "reason": "expired"]) == 2)
        #expect(page.value("millrace_split_lag_records", ["query": "orders", "topic": "in", "partition": "0"]) == 10)
        #expect(page.value("millrace_split_end", ["query": "orders", "topic": "in", "partition": "1"]) == nil)
        #expect(page.value("millrace_lag_records") == 10)
        #expect(page.value("millrace_query_state", ["query": "orders", "state": "running"]) == 1)
        #expect(page.value("millrace_query_state", ["query": "orders", "state": "failed"]) == 0)
        #expect(page.value("millrace_last_epoch_phase_seconds", ["query": "orders", "phase": "commit"]) == 0.008)
        #expect(page.value("millrace_epoch_duration_seconds_bucket", ["query": "orders", "le": "0.02"]) == 2)
        #expect(page.value("millrace_epoch_duration_seconds_bucket", ["query": "orders", "le": "+Inf"]) == 3)
        #expect(
            page.value("millrace_last_error_timestamp_seconds", ["query": "orders", "code": "FENCED"])
                == 1_772_368_245.5)
        #expect(page.value("millrace_loop_beat_age_seconds", ["query": "orders", "loop": "driver"]) == 0.02)
        #expect(page.value("process_resident_memory_bytes", [:]) == 50_000_000)
    }

    @Test("a query that has not begun makes a valid page")
    func empty() throws {
        let page = try page(ServiceSnapshot(query: QueryName("orders")))
        #expect(page.value("millrace_ready") == 0)
        #expect(page.value("millrace_epoch") == nil)
        #expect(page.value("millrace_epoch_duration_seconds_count") == 0)
    }

    @Test("names with quotes, line breaks and backslashes are escaped")
    func escapes() throws {
        let page = try page(ServiceSnapshot(query: QueryName("a\"b\\c\nd")))
        #expect(page.value("millrace_ready", ["query": "a\"b\\c\nd"]) == 0)
    }

    @Test("every family is on the page and in docs/operations.md")
    func catalogue() throws {
        let page = try page(.sample)
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let docs = try String(contentsOf: root.appending(path: "docs/operations.md"), encoding: .utf8)
        for family in MetricCatalog.all {
            #expect(docs.contains("`\(family.name)`"), "docs/operations.md does not tell of \(family.name)")
            if family.name.hasPrefix("millrace_") { #expect(page.types[family.name] == family.kind.rawValue) }
        }
        #expect(Set(MetricCatalog.all.map(\.name)).count == MetricCatalog.all.count)
        for name in page.types.keys { #expect(MetricCatalog.all.contains { $0.name == name }) }
    }

    @Test("the parser is strict")
    func parser() {
        for bad in [
            "a 1", "a 1\n", "# HELP a x\n# TYPE a gauge\na{b=1} 1\n", "# HELP a x\n# TYPE a counter\na 1\n",
            "# HELP a x\n# TYPE a gauge\na one\n", "# HELP a x\n# TYPE a gauge\na 1\na 1\n",
            "# HELP a x\n# TYPE a gauge\na{b=\"\\x\"} 1\n", "# HELP a x\n# TYPE a gauge\n\na 1\n",
        ] {
            #expect(throws: PrometheusParser.Failure.self) { try PrometheusParser(bad) }
        }
    }
}

@Suite("Duration histogram")
struct DurationHistogramTests {
    @Test("quantiles are linear inside a bucket")
    func quantiles() {
        var histogram = DurationHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for _ in 0..<10 { histogram.record(.milliseconds(15)) }
        // All ten lie in (10 ms, 20 ms]: half of them is the middle of it.
        #expect(abs((histogram.quantile(0.5) ?? 0) - 0.015) < 1e-9)
        #expect(abs((histogram.quantile(1) ?? 0) - 0.02) < 1e-9)
        histogram.record(.seconds(1000))
        #expect(histogram.quantile(1) == 60)
        #expect(histogram.count == 11)
        #expect(abs(histogram.sumSeconds - 1000.15) < 1e-6)
    }

    @Test("a bound belongs to its bucket; a negative duration counts as none")
    func bounds() {
        var histogram = DurationHistogram()
        histogram.record(.milliseconds(1))
        histogram.record(.seconds(-1))
        #expect(histogram.counts[0] == 2)
        #expect(histogram.sumSeconds == 0.001)
    }

    @Test("the difference to an earlier one holds only what is new")
    func since() {
        var earlier = DurationHistogram()
        earlier.record(.seconds(1))
        var later = earlier
        later.record(.milliseconds(1))
        #expect(later.since(earlier).count == 1)
        #expect(later.since(earlier).counts[0] == 1)
    }
}

@Suite("Process report")
struct ProcessReportTests {
    @Test("this process has memory, files, threads and a start")
    func own() {
        let report = ProcessReport.read()
        #expect((report.residentBytes ?? 0) > 1_000_000)
        #expect((report.openFiles ?? 0) >= 3)
        #expect((report.openFilesMax ?? 0) >= 16)
        #expect((report.threads ?? 0) >= 1)
        #expect((report.cpuSeconds ?? -1) >= 0)
        #expect((report.startedAtSeconds ?? 0) > 1_600_000_000)
    }
}
