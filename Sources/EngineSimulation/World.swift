import CommitProtocol
import StateStore
import StreamCore
import StreamEngine
import StreamTesting
import Synchronization

/// One cluster, and the instances of one query on it that live and die.
final class World {
    static let query = QueryName("simulated")
    static let operatorID = OperatorID("totals")
    /// What a graceful stop is given for the open epoch, and what closing may take behind that.
    static let stopWithin = Duration.seconds(10)
    static let closeWithin = Duration.seconds(5)
    /// Many more than a process takes whose deadline is over.
    static let stepsToEnd = 600

    let schedule: Schedule
    let breakages: ProtocolBreakage
    let diskFolder: String?
    let cluster: any Cluster
    let clock = ManualClock()
    let scheduler: SimulatedScheduler
    let oracle: Oracle
    let told = ProgressInbox()
    let outside = OutsideTable()
    /// Failures of output code that ended an instance.
    private var failuresSeen = 0
    var areBrokersDown = false
    /// By slot; nil: none runs.
    var instances: [Instance?]
    /// Asleep or awake, and replaced.
    var zombies: [Instance] = []
    var pending: [(step: Int, what: Pending)] = []
    var arrived = 0
    var lives = 0
    var violation: Violation?
    var statistics = Statistics()
    var log: [String] = []
    let keepsLog: Bool

    enum Pending: Equatable {
        case start(slot: Int)
        case endZombie(number: Int)
        case brokersUp
        /// Of a graceful stop.
        case deadline(number: Int)
    }

    /// A process.
    final class Instance {
        let slot: Int
        let number: Int
        let ports: any ClusterPorts
        let query: StreamQuery
        let store: LocalStore?
        /// Steps after its end until it starts anew; nil: it was not asked to stop.
        var restartAfter: Int?
        /// How long it has been stopping while nothing kept it from that.
        var stopping = Duration.zero
        /// When its deadline was over.
        var deadlineStep: Int?
        /// Before this step something keeps it from working.
        var impededUntil = 0

        init(slot: Int, number: Int, ports: any ClusterPorts, query: StreamQuery, store: LocalStore?) {
            self.slot = slot
            self.number = number
            self.ports = ports
            self.query = query
            self.store = store
        }
    }

    init(_ schedule: Schedule, _ breakages: ProtocolBreakage, diskFolder: String?, keepsLog: Bool) {
        self.schedule = schedule
        self.breakages = breakages
        self.diskFolder = diskFolder
        self.keepsLog = keepsLog
        scheduler = SimulatedScheduler(seed: schedule.seed, clock: clock)
        instances = Array(repeating: nil, count: schedule.instances)
        let cluster: any Cluster =
            switch schedule.cluster {
            case .model: ModelCluster(schedule, clock)
            case .broker: BrokerCluster(schedule, clock)
            }
        self.cluster = cluster
        oracle = Oracle(schedule, outside) { cluster.input }
        for actor in cluster.actors { scheduler.add(actor) }
        arrive(schedule.arrivalRecords)
        watch()
    }

    private func watch() {
        cluster.onCommit = { [unowned self] commit, outputs in
            statistics.commits += 1
            scheduler.mix(UInt64(bitPattern: Int64(outputs.count)) &+ UInt64(bitPattern: commit.epoch.number) &* 31)
            note("epoch \(commit.epoch) is committed: \(commit.positions.sorted { $0.key < $1.key }.map(\.value))")
            if let found = oracle.check(commit, outputs) { violate(found) }
        }
        cluster.onViolation = { [unowned self] in violate($0) }
    }

    func violate(_ found: Violation) {
        guard violation == nil else { return }
        violation = found
        violation?.step = scheduler.stepCount
        note("violated: \(found.text)")
    }

    func note(_ text: @autoclosure () -> String) {
        if keepsLog { log.append("\(scheduler.stepCount): \(text())") }
    }

    func arrive(_ count: Int) {
        let end = min(schedule.records, arrived + count)
        for split in 0..<schedule.splits {
            cluster.append(
                (arrived..<end).map { schedule.value(split, $0) }, to: Split("in", PartitionID(Int32(split))))
        }
        arrived = end
    }

    // MARK: - Steps

    /// One step of the world and what is due with it.
    /// - Returns: false when nothing can happen by itself any more.
    func step() -> Bool {
        let hadPending = !pending.isEmpty || arrived < schedule.records
        let before = clock.now
        let couldMove = scheduler.runOne()
        for instance in instances.compactMap({ $0 }) { checkStop(instance, clock.now - before) }
        let now = scheduler.stepCount
        while let index = pending.firstIndex(where: { $0.step <= now }) { carryOut(pending.remove(at: index).what) }
        if now % schedule.arrivalSteps == 0 { arrive(schedule.arrivalRecords) }
        for progress in told.takeAll() { check(progress) }
        if let found = outside.violation { violate(found) }
        for instance in instances.compactMap({ $0 }) where instance.ports.isClosed { ended(instance) }
        return couldMove || hadPending
    }

    private func carryOut(_ what: Pending) {
        switch what {
        case .start(let slot): if instances[slot] == nil { start(slot) }
        case .endZombie(let number):
            guard let index = zombies.firstIndex(where: { $0.number == number }) else { return }
            remove(zombies.remove(at: index), requestArrives: false)
        case .brokersUp:
            cluster.startBrokers()
            areBrokersDown = false
        case .deadline(let number):
            guard let instance = instances.compactMap({ $0 }).first(where: { $0.number == number }) else { return }
            guard instance.query.status.snapshot.phase == .draining else {
                return pending.append((scheduler.stepCount + 10, .deadline(number: number)))
            }
            clock.advance(by: Self.stopWithin)
            instance.deadlineStep = scheduler.stepCount
        }
    }

    /// An epoch that an instance calls committed is, and its records are all accounted for.
    private func check(_ progress: EpochProgress) {
        statistics.epochs += 1
        for range in progress.ranges where oracle.positions[range.split] ?? 0 < range.to {
            return violate(
                Violation(invariant: 5, text: "epoch \(progress.epoch) was called committed before it was"))
        }
        let expected = progress.ranges.reduce(0) { $0 + oracle.recordCount($1) }
        guard progress.counts.read != expected || !progress.counts.isBalanced else { return }
        violate(
            Violation(
                invariant: 7,
                text: "epoch \(progress.epoch) accounts for \(progress.counts.read) records and covers \(expected)"))
    }

    /// A graceful stop ends within its deadline, and the time that closing may take.
    private func checkStop(_ instance: Instance, _ passed: Duration) {
        let now = scheduler.stepCount
        guard instance.restartAfter != nil, instance.impededUntil <= now else { return }
        if let step = instance.deadlineStep, now > max(step, instance.impededUntil) + Self.stepsToEnd {
            let text = "slot \(instance.slot) goes on behind the deadline of its stop"
            return violate(Violation(invariant: 9, text: text))
        }
        // A second bound, for stops in which nothing is slow.
        if schedule.cluster == .broker || areBrokersDown || instance.deadlineStep != nil { return }
        instance.stopping += passed
        statistics.slowestStop = max(statistics.slowestStop, instance.stopping)
        guard instance.stopping > Self.stopWithin + Self.closeWithin else { return }
        violate(Violation(invariant: 9, text: "slot \(instance.slot) is stopping for \(instance.stopping)"))
    }

    private func ended(_ instance: Instance) {
        let failure = instance.query.status.snapshot.failure
        note("slot \(instance.slot) has ended")
        remove(instance, requestArrives: false)
        instances[instance.slot] = nil
        if failure?.code == "USER_OUTPUT_FAILED", failuresSeen < outside.failureCount {
            // As a service manager does.
            failuresSeen += 1
            return pending.append((scheduler.stepCount + 20, .start(slot: instance.slot)))
        }
        guard let steps = instance.restartAfter, failure == nil else {
            return violate(
                Violation(
                    invariant: 4,
                    text: "slot \(instance.slot) stopped by itself: \(failure.map { "\($0)" } ?? "no reason given")"))
        }
        pending.append((scheduler.stepCount + steps, .start(slot: instance.slot)))
    }

    var isCaughtUp: Bool {
        arrived == schedule.records
            && cluster.input.allSatisfy { cluster.positions[$0.key] == Position(Int64($0.value.count)) }
            && cluster.isSettled
    }
}

/// What instances say of their committed epochs.
final class ProgressInbox: Sendable {
    private let entries = Mutex<[EpochProgress]>([])

    func add(_ progress: EpochProgress) { entries.withLock { $0.append(progress) } }

    func takeAll() -> [EpochProgress] {
        entries.withLock { entries in
            if entries.isEmpty { return [] }
            defer { entries = [] }
            return entries
        }
    }
}
