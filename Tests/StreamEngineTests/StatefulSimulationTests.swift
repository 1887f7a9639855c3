import CommitProtocol
import StreamCore
import StreamEngine
import StreamTesting
import Testing

/// Keyed state under faults, crashes and takeovers: invariant 3, state read by an epoch is exactly what was committed
/// before it.
@Suite struct StatefulSimulationTests {
    private func check(_ simulation: StatefulSimulation, _ seed: UInt64) throws {
        let outcome = simulation.scheduler.run(steps: 400_000) { simulation.isCaughtUp }
        #expect(outcome == .conditionMet, "seed \(seed): \(simulation.snapshots)")
        let complaint = try simulation.complaint()
        #expect(complaint == nil, "seed \(seed)")
    }

    @Test(arguments: 1...40) func faultsInTransactionsLeaveNoTrace(seed: UInt64) throws {
        let simulation = StatefulSimulation(seed: seed)
        try simulation.start(faultRate: 25, tasks: 1 + Int(seed % 3))
        try check(simulation, seed)
    }

    @Test(arguments: 1...60) func aCrashAfterAnyStepAndOtherTasksChangeNoCount(seed: UInt64) throws {
        let simulation = StatefulSimulation(seed: seed)
        var random = StableRandom(seed: seed)
        for _ in 0..<12 where !simulation.isCaughtUp {
            try simulation.start(faultRate: 40, tasks: 1 + Int(random.next() % 4))
            _ = simulation.scheduler.run(steps: 50 + Int(random.next() % 600)) { simulation.isCaughtUp }
            simulation.kill(0)
        }
        try simulation.start(tasks: 2)
        try check(simulation, seed)
    }

    @Test(arguments: 1...60) func aWarmStandbyTakesOverWithTheSameState(seed: UInt64) throws {
        let simulation = StatefulSimulation(seed: seed)
        var random = StableRandom(seed: seed)
        try simulation.start(faultRate: 60, slot: 0, tasks: 2)
        try simulation.start(faultRate: 60, slot: 1, tasks: 3)
        for _ in 0..<15 where !simulation.isCaughtUp {
            _ = simulation.scheduler.run(steps: 100 + Int(random.next() % 600)) { simulation.isCaughtUp }
            switch random.next() % 3 {
            case 0: simulation.group.expelOwner()
            case 1: simulation.group.wantBack()
            default:
                simulation.kill(0)
                try simulation.start(faultRate: 60, slot: 0, tasks: 1 + Int(random.next() % 3))
            }
        }
        try check(simulation, seed)
    }

    /// An epoch that is given up, and one that another instance commits meanwhile, have the same number.
    @Test(arguments: 1...30) func aNumberThatAnotherInstanceTookIsNotTakenForOurs(seed: UInt64) throws {
        let simulation = StatefulSimulation(seed: seed)
        var random = StableRandom(seed: seed)
        try simulation.start(slot: 0, tasks: 2)
        try simulation.start(slot: 1, tasks: 2)
        let commits = 2 + Int(random.next() % 3)
        _ = simulation.scheduler.run(steps: 20_000) { simulation.cluster.commitCount >= commits }
        simulation.holdWriter(steps: 1_000_000)
        _ = simulation.scheduler.run(steps: 40 + Int(random.next() % 200)) { simulation.isCaughtUp }
        simulation.group.expelOwner()
        let before = simulation.cluster.commitCount
        _ = simulation.scheduler.run(steps: 20_000) {
            simulation.cluster.commitCount > before || simulation.isCaughtUp
        }
        simulation.group.expelOwner()
        _ = simulation.scheduler.run(steps: 200) { simulation.isCaughtUp }
        simulation.holdWriter(steps: 0)
        try check(simulation, seed)
    }
}
