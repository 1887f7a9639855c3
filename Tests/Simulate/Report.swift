import EngineSimulation
import StreamCore

/// What the program prints at the end.
struct Report {
    let options: Options
    let result: Campaign.Result
    let seconds: Double

    var text: String {
        var lines: [String] = []
        if let failure = result.failure { lines += describe(failure.run, failure.verdict) }
        let sum = result.statistics
        lines.append(
            "\(sum.runs) runs in \(Int(seconds.rounded())) s: \(sum.steps) steps, \(sum.records) records, "
                + "\(sum.commits) commits, \(sum.lives) processes")
        lines.append("faults: " + Self.list(sum.faults))
        lines.append("answers: " + Self.list(sum.failures) + ", \(sum.lateCommits) late commits")
        lines.append(result.failure == nil ? "ok: every invariant held" : "FAILED")
        return lines.joined(separator: "\n")
    }

    private static func list(_ counts: [String: Int]) -> String {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
            .joined(separator: ", ")
    }

    /// The failing schedule, as small as it gets, and what happened in it.
    private func describe(_ run: SimulationRun, _ verdict: Verdict) -> [String] {
        var small = shrink(run)
        small.keepsLog = true
        let again = small()
        var lines = [
            "\(run.schedule.scenario) \(run.schedule.seed): invariant \(verdict.violation?.invariant ?? 0) is broken "
                + "at step \(verdict.violation?.step ?? 0): \(verdict.violation?.text ?? "")",
            "trace \(String(verdict.traceHash, radix: 16)), repeated \(String(run().traceHash, radix: 16)); again: "
                + "scripts/simulate --replay \(run.schedule.seed) --scenario \(run.schedule.scenario)"
                + (options.mutation.map { " --mutation \($0)" } ?? ""),
            "shrunk from \(run.schedule.faults.count) faults to \(small.schedule.faults.count); "
                + "\(small.schedule.instances) instances, \(small.schedule.splits) splits of "
                + "\(small.schedule.records) records:",
        ]
        lines += small.schedule.faults.map { "  \($0.step): \($0.fault)" }
        lines.append(
            "  breaks invariant \(again.violation?.invariant ?? 0) at step \(again.violation?.step ?? 0): "
                + "\(again.violation?.text ?? "")")
        lines.append("what happened (step: event):")
        lines += again.log.suffix(60).map { "  \($0)" }
        return lines
    }

    // MARK: - JSON

    var json: String {
        let sum = result.statistics
        var fields = [
            "\"ok\":\(result.failure == nil)", "\"runs\":\(sum.runs)", "\"steps\":\(sum.steps)",
            "\"records\":\(sum.records)", "\"commits\":\(sum.commits)", "\"processes\":\(sum.lives)",
            "\"lateCommits\":\(sum.lateCommits)", "\"faults\":\(Self.object(sum.faults))",
            "\"answers\":\(Self.object(sum.failures))", "\"seconds\":\((seconds * 10).rounded() / 10)",
        ]
        if let failure = result.failure {
            fields.append(
                "\"failure\":{\"seed\":\(failure.run.schedule.seed),\"scenario\":\"\(failure.run.schedule.scenario)\","
                    + "\"invariant\":\(failure.verdict.violation?.invariant ?? 0),"
                    + "\"step\":\(failure.verdict.violation?.step ?? 0),"
                    + "\"trace\":\"\(String(failure.verdict.traceHash, radix: 16))\"}")
        }
        return "{" + fields.joined(separator: ",") + "}"
    }

    private static func object(_ counts: [String: Int]) -> String {
        "{" + counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }
}
