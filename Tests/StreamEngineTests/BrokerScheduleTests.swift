import EngineSimulation
import StreamCore
import Testing

/// Schedules of faults on the embedded broker's machine (`scripts/simulate --cluster broker`), in a small measure.
/// Its repeatability and its breakages are a matter of `--self-test`: the order of a dictionary must be the same.
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
}
