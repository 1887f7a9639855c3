import FoundationEssentials
package import StreamCore
import StreamEngine
import StreamTesting

/// Runs a schedule to its end or to the first violation. The same schedule gives the same run, with the same trace.
package struct SimulationRun: Sendable {
    package var schedule: Schedule
    package var breakages: ProtocolBreakage
    /// Where folders of local state are made, and removed; nil: state is in memory alone.
    package var folder: String?
    package var keepsLog = false

    /// How many steps a query may take after the last fault until everything is committed.
    private static let quietStepsMax = 60_000

    package init(_ schedule: Schedule, breakages: ProtocolBreakage = [], folder: String? = nil) {
        self.schedule = schedule
        self.breakages = breakages
        self.folder = folder
    }

    package init(
        seed: UInt64, scenario: Scenario, cluster: ClusterKind = .model, breakages: ProtocolBreakage = [],
        folder: String? = nil
    ) {
        self.init(Schedule(seed: seed, scenario: scenario, cluster: cluster), breakages: breakages, folder: folder)
    }

    package func callAsFunction() -> Verdict {
        var disk: String?
        if schedule.hasDisk, let folder { disk = "\(folder)/\(schedule.scenario)-\(schedule.seed)" }
        defer { if let disk { try? FileManager.default.removeItem(atPath: disk) } }
        if let disk { try? FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true) }
        let world = World(schedule, breakages, diskFolder: disk, keepsLog: keepsLog)
        world.checkRefusal()
        for slot in 0..<schedule.instances { world.start(slot) }
        for scheduled in schedule.faults {
            while world.scheduler.stepCount < scheduled.step, world.violation == nil { _ = world.step() }
            if world.violation != nil { break }
            world.apply(scheduled.fault)
        }
        world.cluster.calmDown()
        calmDown(world)
        for instance in world.instances.compactMap({ $0 }) + world.zombies {
            world.remove(instance, requestArrives: false)
        }
        var statistics = world.statistics
        statistics.runs = 1
        statistics.diskRuns = disk == nil ? 0 : 1
        statistics.steps = world.scheduler.stepCount
        statistics.records = schedule.records * schedule.splits
        statistics.lateCommits = world.cluster.lateCommitCount
        statistics.faults.merge(world.cluster.counts, uniquingKeysWith: +)
        return Verdict(
            violation: world.violation, traceHash: world.scheduler.traceHash, statistics: statistics, log: world.log)
    }

    /// No more faults: everything must be committed, once.
    private func calmDown(_ world: World) {
        world.arrive(schedule.records)
        let limit = world.scheduler.stepCount + Self.quietStepsMax
        while world.violation == nil, !(world.isCaughtUp && world.pending.isEmpty) {
            let couldMove = world.step()
            if !couldMove || world.scheduler.stepCount > limit, !world.isCaughtUp {
                let snapshots = world.instances.map { instance in
                    instance.map { "\($0.query.status.snapshot.phase), \($0.ports.summary)" } ?? "down"
                }
                world.violate(
                    Violation(
                        invariant: 11,
                        text: "\(couldMove ? "no progress" : "nothing can happen any more"): \(snapshots)"))
            }
        }
        guard world.violation == nil else { return }
        do {
            if let found = try world.oracle.checkEnd(world.cluster) { world.violate(found) }
        } catch { world.violate(Violation(invariant: 3, text: "what is committed cannot be read: \(error)")) }
    }
}

/// What became of a run.
package struct Verdict: Sendable {
    package var violation: Violation?
    package var traceHash: UInt64
    package var statistics: Statistics
    /// What happened, by step; empty unless it was asked for.
    package var log: [String]
}
