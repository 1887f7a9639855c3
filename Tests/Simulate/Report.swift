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
            "\(sum.runs) runs (\(sum.diskRuns) with local state) in \(Int(seconds.rounded())) s: "
                + "\(sum.steps) steps, \(sum.records) records, "
                + "\(sum.commits) commits, \(sum.lives) processes")
        lines.append("faults: " + Self.list(sum.faults))
        lines.append("answers: " + Self.list(sum.failures) + ", \(sum.lateCommits) late commits")
        lines.append("slowest graceful stop: \(sum.slowestStop.nanoseconds / 1_000_000) ms")
        lines.append(result.failure == nil ? "ok: every invariant held" : "FAILED")
        return lines.joined(separator: "\n")
    }

    private static func list(_ counts: [String: Int]) -> String {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
            .joined(separator: ", ")
    }

    /// The failing schedule as it was, then as small as it gets.
    private func describe(_ run: SimulationRun, _ verdict: Verdict) -> [String] {
        var small = shrink(run)
        small.keepsLog = true
        return [
            "\(Self.judgement(run.schedule, verdict)); it is repeated with trace \(String(run().traceHash, radix: 16))",
            "again: scripts/simulate --replay \(run.schedule.seed) --scenario \(run.schedule.scenario)"
                + " --cluster \(run.schedule.cluster)"
                + (options.mutation.map { " --mutation \($0)" } ?? ""),
            "shrunk from \(run.schedule.faults.count) faults to \(small.schedule.faults.count):",
        ] + Self.describe(small.schedule, small()) + [""]
    }

    /// A schedule, and what happened in it.
    static func describe(_ schedule: Schedule, _ verdict: Verdict) -> [String] {
        var lines = [
            judgement(schedule, verdict),
            "\(schedule.instances) instances, \(schedule.splits) splits of \(schedule.records) records, "
                + "\(schedule.arrivalRecords) more of each every \(schedule.arrivalSteps) steps"
                + (schedule.hasDisk ? ", local state" : ""),
            "faults (step: fault):",
        ]
        lines += schedule.faults.map { "  \($0.step): \($0.fault)" }
        lines.append("what happened (step: event):")
        lines += verdict.log.suffix(80).map { "  \($0)" }
        return lines
    }

    /// One line of a self-test.
    static func describe(_ outcome: SelfTest.Outcome) -> String {
        let name = "\(outcome.mutation) on the \(outcome.cluster): "
        guard let (schedule, violation) = outcome.found else { return name + "NOT FOUND" }
        var text = name + "found, \(schedule.scenario) \(schedule.seed), invariant \(violation.invariant)"
        if !outcome.isRepeatable { text += "; IT DOES NOT REPEAT" }
        if !outcome.isSoundWithout { text += "; ALSO WITHOUT THE MUTATION" }
        return text
    }

    private static func judgement(_ schedule: Schedule, _ verdict: Verdict) -> String {
        let name =
            "\(schedule.scenario) \(schedule.seed) on the \(schedule.cluster), "
            + "trace \(String(verdict.traceHash, radix: 16)): "
        guard let violation = verdict.violation else { return name + "every invariant held" }
        return name + "invariant \(violation.invariant) is broken at step \(violation.step): \(violation.text)"
    }

    // MARK: - JSON

    var json: String {
        let sum = result.statistics
        var fields = [
            "\"ok\":\(result.failure == nil)", "\"runs\":\(sum.runs)", "\"diskRuns\":\(sum.diskRuns)",
            "\"steps\":\(sum.steps)",
            "\"records\":\(sum.records)", "\"commits\":\(sum.commits)", "\"processes\":\(sum.lives)",
            "\"lateCommits\":\(sum.lateCommits)", "\"slowestStopMs\":\(sum.slowestStop.nanoseconds / 1_000_000)",
            "\"faults\":\(Self.object(sum.faults))",
            "\"answers\":\(Self.object(sum.failures))", "\"seconds\":\((seconds * 10).rounded() / 10)",
        ]
        if let failure = result.failure {
            fields.append(
                "\"failure\":{\"seed\":\(failure.run.schedule.seed),\"scenario\":\"\(failure.run.schedule.scenario)\","
                    + "\"cluster\":\"\(failure.run.schedule.cluster)\","
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
