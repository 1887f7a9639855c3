import CommitProtocol
import StreamCore
import StreamEngine
import StreamTesting

/// The model: a `SimulatedCluster` with its coordinator and its groups.
final class ModelCluster: Cluster {
    private let model = SimulatedCluster()
    private let coordinator: SimulatedCoordinator
    private let group: SplitGroup
    private let ownerGroup = SimulatedGroup()
    private let scenario: Scenario
    private var processes: [ModelPorts] = []
    var onViolation: (Violation) -> Void = { _ in }

    init(_ schedule: Schedule, _ clock: ManualClock) {
        scenario = schedule.scenario
        coordinator = SimulatedCoordinator(model, seed: schedule.seed &* 7 &+ 3, clock: clock)
        let splits = (0..<schedule.splits).map { Split("in", PartitionID(Int32($0))) }
        group = SplitGroup(splits: Set(splits), seed: schedule.seed &* 11 &+ 5)
        for split in splits { model.input[split] = [] }
        model.onPositions = { [unowned self] in checkOwnership($0, $1) }
    }

    private func checkOwnership(_ identity: String, _ commit: EpochCommit) {
        guard scenario == .stateless, let process = processes.first(where: { $0.transactions.identity == identity }),
            let split = commit.positions.keys.sorted().first(where: { !group.owns(process.number, $0) })
        else { return }
        onViolation(
            Violation(
                invariant: 6, text: "\(identity) commits epoch \(commit.epoch) with \(split), which it gave back"))
    }

    // MARK: - Cluster

    var actors: [any WorldActor] { scenario == .stateless ? [coordinator, group] : [coordinator] }
    var onCommit: (EpochCommit, [SimulatedCluster.Output]) -> Void {
        get { model.onCommit }
        set { model.onCommit = newValue }
    }
    var input: [Split: [String?]] { model.input }
    var positions: [Split: Position] { model.positions }
    var isSettled: Bool { !model.hasUnfinishedTransactions }
    var lateCommitCount: Int { coordinator.lateCommitCount }
    var counts: [String: Int] { [:] }

    func append(_ values: [String?], to split: Split) { model.input[split, default: []] += values }

    func connect(_ process: ClusterProcess) -> any ClusterPorts {
        let records = SimulatedInput(model, seed: process.seed)
        let writer = SimulatedWriter(model, seed: process.seed &* 31)
        writer.identity = "slot-\(process.slot)"
        writer.coordinator = coordinator
        let ports: ModelPorts
        if scenario == .stateless {
            group.join(process.number, records)
            writer.isMember = { [unowned group] in group.isMember(process.number) }
            ports = ModelPorts(process, records: records, writer: writer, membership: nil, changelog: nil)
        } else {
            let member = SimulatedMembership(ownerGroup)
            records.isGroupless = true
            records.topic = "in"
            writer.isMember = { [unowned member] in member.isOwner }
            ports = ModelPorts(
                process, records: records, writer: writer, membership: member,
                changelog: SimulatedChangelog(model, seed: process.seed &* 17))
        }
        processes.append(ports)
        return ports
    }

    func disconnect(_ ports: any ClusterPorts, requestArrives: Bool) {
        guard let ports = ports as? ModelPorts else { return }
        ports.transactions.die(requestArrives: requestArrives)
        ports.changelog?.close(within: .zero)
        ports.records.close(within: .zero)
        suspend(ports)
    }

    func suspend(_ ports: any ClusterPorts) {
        guard let ports = ports as? ModelPorts else { return }
        if let membership = ports.membership { ownerGroup.remove(membership) }
        group.remove(ports.number)
        processes.removeAll { $0 === ports }
    }

    func apply(_ fault: Fault, to ports: any ClusterPorts) {
        guard let ports = ports as? ModelPorts else { return }
        switch fault {
        case .expel: if ports.membership == nil { group.expel(ports.number) } else { ownerGroup.expelOwner() }
        case .rebalance: if ports.membership == nil { group.revoke(ports.number) } else { ownerGroup.wantBack() }
        case .transaction(_, let fault): ports.transactions.arm(fault)
        case .expire: coordinator.expire(ports.transactions.identity)
        default: break
        }
    }

    func stopBrokers() { coordinator.isDown = true }
    func startBrokers() { coordinator.isDown = false }
    func calmDown() {}

    func readOutputs() -> [String] { model.outputs.map(\.value) }
    func readChangelogs() -> [Split: [SimulatedCluster.Change?]] { model.changelogs }
}

/// The ports of a process on the model.
final class ModelPorts: ClusterPorts {
    let number: Int
    let records: SimulatedInput
    let transactions: SimulatedWriter
    let membership: SimulatedMembership?
    private let changes: SimulatedChangelog?
    let input: any InputPort

    init(
        _ process: ClusterProcess, records: SimulatedInput, writer: SimulatedWriter, membership: SimulatedMembership?,
        changelog: SimulatedChangelog?
    ) {
        number = process.number
        self.records = records
        transactions = writer
        self.membership = membership
        changes = changelog
        input = membership.map { OwnedInput(membership: $0, sources: [records]) } ?? records
    }

    var writer: any TransactionPort { transactions }
    var changelog: (any ChangelogPort)? { changes }
    var parts: ClusterParts {
        ClusterParts(records: records, writer: transactions, membership: membership, changelog: changes)
    }
    var isClosed: Bool { records.isClosed }
    var faultCounts: [SimulatedWriter.Fault: Int] { transactions.faultCounts }
    var failures: [TransactionFailure.Kind: Int] { transactions.failures }

    var summary: String { "splits \(records.owned.sorted())" }
}
