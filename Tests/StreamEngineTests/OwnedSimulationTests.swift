import CommitProtocol
import StreamCore
import StreamEngine
import StreamTesting
import Testing

/// Queries with one owner at a time: ownership, progress records, plans and their repeats.
@Suite struct OwnedSimulationTests {
    private func check(_ simulation: OwnedSimulation, _ seed: UInt64) {
        let outcome = simulation.scheduler.run(steps: 200_000) { simulation.isCaughtUp }
        let snapshots = simulation.instances.map(\.query.status.snapshot)
        #expect(outcome == .conditionMet, "seed \(seed): \(snapshots)")
        #expect(simulation.isWrittenOnce, "seed \(seed)")
        #expect(simulation.complaint == nil, "seed \(seed)")
    }

    @Test func everyRecordIsWrittenOnceAndDeliveredOnce() throws {
        let simulation = OwnedSimulation(seed: 1)
        simulation.fill(splits: 2, records: 40)
        try simulation.start()
        check(simulation, 1)
        let epochs = Set(simulation.journal.contents.keys)
        #expect(simulation.journal.runCount == epochs.count, "without faults nothing is repeated")
    }

    @Test(arguments: 1...30) func everyTransactionFaultIsSurvived(seed: UInt64) throws {
        let simulation = OwnedSimulation(seed: seed)
        simulation.fill(splits: 2, records: 40)
        try simulation.start(faultRate: 60) { $0.taskCount = Int(seed % 3) + 1 }
        check(simulation, seed)
    }

    @Test(arguments: 1...30) func aCrashAfterAnyStepRepeatsTheSamePlan(seed: UInt64) throws {
        let simulation = OwnedSimulation(seed: seed)
        simulation.fill(splits: 1 + Int(seed % 2), records: 60)
        var random = StableRandom(seed: seed)
        for _ in 0..<25 where !simulation.isCaughtUp {
            try simulation.start(faultRate: 30)
            _ = simulation.scheduler.run(steps: 20 + Int(random.next() % 200)) { simulation.isCaughtUp }
            simulation.kill(0)
        }
        try simulation.start()
        check(simulation, seed)
    }

    @Test(arguments: 1...25) func aNewSplitBetweenTwoLivesChangesNoPlan(seed: UInt64) throws {
        let simulation = OwnedSimulation(seed: seed)
        simulation.fill(splits: 1, records: 30)
        var random = StableRandom(seed: seed)
        for life in 0..<12 {
            try simulation.start(faultRate: 20)
            _ = simulation.scheduler.run(steps: 20 + Int(random.next() % 160))
            simulation.kill(0)
            if life % 3 == 1 {
                simulation.cluster.input[Split("b", PartitionID(Int32(life)))] = (0..<10).map { "n\(life)-\($0)" }
            }
        }
        try simulation.start()
        check(simulation, seed)
    }

    @Test(arguments: 1...25) func theStandbyTakesOverAndNothingIsWrittenTwice(seed: UInt64) throws {
        let simulation = OwnedSimulation(seed: seed)
        simulation.fill(splits: 2, records: 60)
        var random = StableRandom(seed: seed)
        try simulation.start(faultRate: 60, slot: 0)
        try simulation.start(faultRate: 60, slot: 1)
        for _ in 0..<15 where !simulation.isCaughtUp {
            _ = simulation.scheduler.run(steps: 30 + Int(random.next() % 250)) { simulation.isCaughtUp }
            switch random.next() % 4 {
            case 0: simulation.group.expelOwner()
            case 1: simulation.group.wantBack()
            case 2: simulation.instances.first?.query.control.stop(within: .seconds(5))
            default:
                simulation.kill(0)
                try simulation.start(faultRate: 60, slot: 0)
            }
            if simulation.instances.allSatisfy({ $0.query.status.snapshot.isFinished }) { break }
        }
        try simulation.start(slot: 2)
        check(simulation, seed)
    }

    @Test func aStandbyReadsNothing() throws {
        let simulation = OwnedSimulation(seed: 3)
        simulation.fill(splits: 1, records: 20)
        try simulation.start(slot: 0)
        try simulation.start(slot: 1)
        check(simulation, 3)
        _ = simulation.scheduler.run(steps: 1_000)
        #expect(simulation.instances.filter { $0.query.status.snapshot.totals.read > 0 }.count == 1)
    }
}
