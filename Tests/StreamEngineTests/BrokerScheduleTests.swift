import EngineSimulation
import StreamCore
import Testing

/// Schedules of faults on the embedded broker's machine (`scripts/simulate --cluster broker`), in a small measure.
@Suite struct BrokerScheduleTests {
    @Test(arguments: Scenario.allCases) func everyInvariantHolds(scenario: Scenario) {
        var sum = Statistics()
        for seed in UInt64(1)...40 {
            let verdict = SimulationRun(seed: seed, scenario: scenario, cluster: .broker)()
            sum += verdict.statistics
            #expect(
                verdict.violation == nil, "scripts/simulate --replay \(seed) --scenario \(scenario) --cluster broker")
        }
        // Nothing would be shown by runs in which nothing happens.
        #expect(sum.commits > 5 * sum.runs / 2 && sum.lives > 2 * sum.runs)
        for kind in [
            "crashes", "ended sessions", "rebalances", "zombies", "slow parts", "lost answers", "broker restarts",
            "lost connections", "passing refusals",
        ] {
            #expect(sum.faults[kind, default: 0] > 0, "no \(kind)")
        }
    }

    @Test(arguments: Scenario.allCases) func sameScheduleGivesTheSameRun(scenario: Scenario) {
        let verdicts = (0..<2).map { _ in SimulationRun(seed: 7, scenario: scenario, cluster: .broker)() }
        #expect(verdicts[0].traceHash == verdicts[1].traceHash)
        #expect(verdicts[0].statistics.steps == verdicts[1].statistics.steps)
        #expect(SimulationRun(seed: 8, scenario: scenario, cluster: .broker)().traceHash != verdicts[0].traceHash)
    }

    /// Whatever the commit protocol does wrong is found, each breakage in no more seeds than this: readers of the real
    /// machine see it as well.
    @Test(arguments: ProtocolBreakage.all.map(\.name)) func everyBreakageIsFound(name: String) throws {
        let breakage = try #require(ProtocolBreakage.all.first { $0.name == name }?.breakage)
        let scenarios: [Scenario] =
            switch breakage {
            case .stateNotRolledBack, .undoJournalLost, .restoreUnfinished, .fencingIgnored: [.keyed, .windowed]
            case .splitsReleasedEarly, .gateNotShut, .outputsAhead: [.stateless]
            default: Scenario.allCases
            }
        let campaign = Campaign(seeds: 1_500, scenarios: scenarios, clusters: [.broker], breakages: breakage)
        let failure = campaign.run(worker: 0, of: 1) { _ in true }.failure
        let run = try #require(failure?.run, "not found")
        // The same schedule is nothing without it.
        #expect(SimulationRun(run.schedule)().violation == nil)
    }
}
