import EngineSimulation
import StreamCore
import Testing

/// Schedules of faults: what scripts/simulate runs by the thousand, in a small measure.
@Suite struct ScheduleTests {
    @Test(arguments: Scenario.allCases) func everyInvariantHolds(scenario: Scenario) {
        var sum = Statistics()
        for seed in UInt64(1)...60 {
            let verdict = SimulationRun(seed: seed, scenario: scenario)()
            sum += verdict.statistics
            #expect(verdict.violation == nil, "scripts/simulate --replay \(seed) --scenario \(scenario)")
        }
        // Nothing would be shown by runs in which nothing happens.
        #expect(sum.commits > 5 * sum.runs / 2 && sum.lives > 2 * sum.runs)
        for kind in ["crashes", "ended sessions", "rebalances", "zombies", "slow parts", "lost answers"] {
            #expect(sum.faults[kind, default: 0] > 0, "no \(kind)")
        }
    }

    @Test func sameScheduleGivesTheSameRun() {
        for scenario in Scenario.allCases {
            let hashes = (0..<2).map { _ in SimulationRun(seed: 7, scenario: scenario)().traceHash }
            #expect(hashes[0] == hashes[1])
            #expect(SimulationRun(seed: 8, scenario: scenario)().traceHash != hashes[0])
        }
    }

    /// Whatever the commit protocol does wrong is found: each breakage, in no more seeds than this.
    @Test(arguments: SelfTest(clusters: [.model], seeds: 1).cases.map(\.mutation.name))
    func everyBreakageIsFound(name: String) throws {
        let breakage = try #require(ProtocolBreakage.all.first { $0.name == name }?.breakage)
        let outcome = SelfTest(clusters: [.model], seeds: 1_500).run((name, breakage), .model)
        #expect(outcome.found != nil && outcome.isSoundWithout)
    }

    /// Faults that have nothing to do with it are dropped; what is left still fails.
    @Test func failingScheduleIsMadeSmall() {
        let run = SimulationRun(seed: 3, scenario: .stateless, breakages: .offsetsPastEpoch)
        #expect(run().violation != nil)
        let small = shrink(run)
        #expect(small().violation != nil)
        #expect(small.schedule.faults.isEmpty && small.schedule.records < run.schedule.records)
    }
}
