import CommitProtocol
import StreamCore
import StreamEngine
import StreamTesting
import Testing

/// The engine under the seeded scheduler against the simulated cluster: invariants 1, 2, 4, 5, 6, 7 and 9.
@Suite struct ExactlyOnceSimulationTests {
    @Test func copiesEveryRecordOnceWithoutFaults() throws {
        let simulation = Simulation(seed: 1)
        simulation.fill(splits: 3, records: 50)
        try simulation.startProcess()
        #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet)
        #expect(simulation.actual == simulation.expected)
    }

    @Test func sameSeedGivesTheSameTrace() throws {
        func trace(_ seed: UInt64) throws -> [String] {
            let simulation = Simulation(seed: seed)
            simulation.fill(splits: 2, records: 40)
            simulation.scheduler.keepsTrace = true
            try simulation.startProcess(faultRate: 20)
            _ = simulation.scheduler.run(steps: 2_000)
            return simulation.scheduler.trace
        }
        #expect(try trace(7) == trace(7))
        #expect(try trace(7) != trace(8))
    }

    @Test(arguments: 1...60) func everyTransactionFaultIsSurvived(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 3, records: 60)
        try simulation.startProcess(faultRate: 8) { $0.taskCount = Int(seed % 3) + 1 }
        let outcome = simulation.scheduler.run(steps: 400_000) { simulation.isCaughtUp }
        #expect(outcome == .conditionMet, "seed \(seed): \(String(describing: simulation.query?.status.snapshot))")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
    }

    @Test(arguments: 1...60) func aCrashAfterAnyStepLosesAndRepeatsNothing(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 80)
        var random = StableRandom(seed: seed)
        for _ in 0..<30 where !simulation.isCaughtUp {
            try simulation.startProcess(faultRate: 40)
            _ = simulation.scheduler.run(steps: 1 + Int(random.next() % 150)) { simulation.isCaughtUp }
        }
        try simulation.startProcess()
        #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
    }

    @Test(arguments: 1...40) func rebalancesAtAnyStepLoseAndRepeatNothing(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 4, records: 60)
        try simulation.startProcess(faultRate: 60)
        let all = Set(simulation.cluster.input.keys)
        var random = StableRandom(seed: seed)
        for round in 0..<20 {
            _ = simulation.scheduler.run(steps: Int(random.next() % 120)) { simulation.isCaughtUp }
            let some = all.filter { _ in random.next() % 2 == 0 }
            if round % 3 == 2 { simulation.input.lose(some) } else { simulation.input.revoke(some) }
            _ = simulation.scheduler.run(steps: Int(random.next() % 60)) { simulation.isCaughtUp }
            simulation.input.assign(all)
        }
        let outcome = simulation.scheduler.run(steps: 200_000) {
            simulation.input.assign(all)
            return simulation.isCaughtUp
        }
        #expect(outcome == .conditionMet, "seed \(seed): \(String(describing: simulation.query?.status.snapshot))")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
    }

    @Test(arguments: 1...40) func availableNowEndsAtTheEndsThatWereThere(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 3, records: 30)
        try simulation.startProcess(faultRate: 30) {
            $0.trigger = .availableNow
            $0.offsetsPerTriggerMax = seed % 2 == 0 ? 10 : nil
        }
        #expect(
            simulation.scheduler.run(steps: 200_000) == .finished,
            "seed \(seed): \(String(describing: simulation.query?.status.snapshot))")
        #expect(simulation.isCaughtUp && simulation.actual == simulation.expected, "seed \(seed)")
        #expect(simulation.query?.status.snapshot.failure == nil)
    }

    @Test(arguments: 1...20) func aGracefulStopCommitsWhatIsOpen(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 500)
        try simulation.startProcess()
        _ = simulation.scheduler.run(steps: 300 + Int(seed) * 7)
        simulation.query?.control.stop(within: .seconds(10))
        #expect(simulation.scheduler.run(steps: 100_000) == .finished)
        #expect(simulation.input.isClosed && simulation.writer.isClosed)
        let total = simulation.query?.status.snapshot.totals ?? RowCounts()
        #expect(total.isBalanced && total.emittedFrom == simulation.cluster.outputs.count)
        try simulation.startProcess()
        #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet)
        #expect(simulation.actual == simulation.expected)
    }
}

extension ExactlyOnceSimulationTests {
    @Test(arguments: 1...60) func aRecordThatStopsTheQueryIsNotSkipped(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 40)
        let split = Split("in", 0)
        simulation.cluster.input[split]?[17] = "bad"
        try simulation.startProcess(policy: .fail) { $0.taskCount = Int(seed % 2) + 1 }
        #expect(simulation.scheduler.run(steps: 100_000) == .finished, "seed \(seed)")
        #expect(simulation.query?.status.snapshot.failure?.code == "BAD")
        #expect((simulation.cluster.positions[split] ?? 0) <= 17, "seed \(seed)")
        try simulation.startProcess()
        #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
        #expect(simulation.cluster.outputs.filter { $0.topic == "dlq" }.map(\.value) == ["bad"])
    }
}
