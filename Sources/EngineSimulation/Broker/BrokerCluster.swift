import CommitProtocol
import EmbeddedBroker
import KafkaWire
import StateStore
import StreamCore
import StreamTesting

/// The embedded broker's machine behind a `SimulatedNetwork`.
final class BrokerCluster: Cluster {
    private let schedule: Schedule
    private let network: SimulatedNetwork
    private let feeder: InputFeeder
    private let observer: CommitObserver
    private let assignor: Assignor
    private let topics: Topics
    var onCommit: (EpochCommit, [SimulatedCluster.Output]) -> Void = { _, _ in }
    var onViolation: (Violation) -> Void = { _ in }

    /// The names that the query's parts go by.
    private struct Topics {
        let group = World.query.text
        let progress = TopicName("\(World.query)-progress")
        let control = Split(TopicName("\(World.query)-control"), 0)
        let changelog = TopicName("\(World.query)-\(World.operatorID)-changelog")
        let inputs: [Split]
        let outputs: [Split]
        let changelogs: [Split]

        init(_ schedule: Schedule) {
            func splits(_ topic: TopicName, _ count: Int) -> [Split] {
                (0..<count).map { Split(topic, PartitionID(Int32($0))) }
            }
            inputs = splits("in", schedule.splits)
            outputs = ["out", "totals", "windows"].flatMap { splits($0, schedule.instances) }
            changelogs = splits(changelog, ShardLayout().partitions)
        }
    }

    init(_ schedule: Schedule, _ clock: ManualClock) {
        self.schedule = schedule
        topics = Topics(schedule)
        network = SimulatedNetwork(seed: schedule.seed &* 13 &+ 7, conditions: schedule.network, clock: clock)
        feeder = InputFeeder(network, topics.inputs) { number in
            // The last record is not left in a transaction that nobody ends.
            number + 1 < schedule.records && schedule.value(0, number + 1) == nil
        }
        observer = CommitObserver(
            network, groupID: topics.group, inputs: Set(topics.inputs),
            logs: Set(topics.outputs + [Split(topics.progress, 0)]), progressTopic: topics.progress)
        assignor = Assignor(seed: schedule.seed &* 11 &+ 5)
        startBrokers()
        createTopics()
        network.onHandled = { [unowned self] in handled($0, $1) }
    }

    private func createTopics() {
        var counts = [topics.progress: 1, topics.control.topic: 1]
        for split in topics.inputs + topics.outputs + topics.changelogs { counts[split.topic, default: 0] += 1 }
        let compacted: Set<TopicName> = [topics.progress, topics.changelog]
        let request = CreateTopicsRequest { request in
            request.topics = counts.sorted { $0.key < $1.key }.map { topic, count in
                CreateTopicsRequest.Topic {
                    $0.name = topic.text
                    $0.numPartitions = Int32(count)
                    $0.replicationFactor = 1
                    guard compacted.contains(topic) else { return }
                    $0.configs = [
                        CreateTopicsRequest.Config {
                            $0.name = "cleanup.policy"
                            $0.value = "compact"
                        }
                    ]
                }
            }
        }
        _ = network.ask(.createTopics(request))
    }

    // MARK: - What readers see

    private func handled(_ request: Request, _ response: Response?) {
        switch request {
        case .endTxn: look()
        case .txnOffsetCommit(let request) where response?.errorCode == ErrorCode.none: checkOwnership(request)
        default: break
        }
    }

    private func look() {
        if let seen = observer.look() { onCommit(seen.commit, seen.outputs) }
    }

    /// Offsets were taken into a transaction: of all members only this one may have been given their splits.
    private func checkOwnership(_ request: TxnOffsetCommitRequest) {
        guard
            case .describeGroups(let answer)? = network.ask(
                .describeGroups(DescribeGroupsRequest { $0.groups = [topics.group] }))
        else { return }
        let splits = request.topics.flatMap { topic in
            topic.partitions.map { Split(TopicName(topic.name), PartitionID($0.partition)) }
        }
        for member in answer.groups.flatMap(\.members) where member.memberID != request.memberID {
            let given = GroupAssignment(member.assignment).splits
            guard let split = splits.sorted().first(where: { given.contains($0) }) else { continue }
            return onViolation(
                Violation(
                    invariant: 6,
                    text: "\(request.transactionalID) commits \(split), which the group has given to another member"))
        }
    }

    var input: [Split: [String?]] { feeder.input }
    var positions: [Split: Position] { observer.positions }
    var isSettled: Bool {
        // What was aborted meanwhile.
        look()
        return network.isUp && !observer.hasOpenTransactions
    }
    var lateCommitCount: Int { network.lateCommitCount }
    var counts: [String: Int] { network.counts }

    /// In the order of commits, which no single log has.
    func readOutputs() throws -> [String] {
        for split in topics.outputs {
            let found = try readCommitted(split).map { String(decoding: $0.value ?? [], as: UTF8.self) }
            let seen = observer.outputs.filter { $0.split == split }.map(\.value)
            guard found == seen else { throw Disagreement(split: split, found: found.count, seen: seen.count) }
        }
        return observer.outputs.map(\.value)
    }

    /// The broker's account of what is committed is not what the markers in the log say.
    private struct Disagreement: Error {
        var split: Split
        var found: Int
        var seen: Int
    }

    func readChangelogs() throws -> [Split: [SimulatedCluster.Change?]] {
        var changelogs: [Split: [SimulatedCluster.Change?]] = [:]
        for split in topics.changelogs {
            var changes: [SimulatedCluster.Change?] = []
            for record in try readCommitted(split) {
                changes += Array(repeating: nil, count: Int(record.offset) - changes.count)
                changes.append(.init(split: split, key: record.key ?? [], value: record.value))
            }
            changelogs[split] = changes
        }
        return changelogs
    }

    /// The broker did not answer a reader.
    private struct Unreadable: Error { var split: Split }

    /// By the broker's own account of what is committed: its last stable offset, and its aborted transactions.
    private func readCommitted(_ split: Split) throws -> [LogRecord] {
        var records: [LogRecord] = []
        var next: Int64 = 0
        while true {
            guard
                case .fetch(let answer)? = network.ask(.read(split, from: Position(next), isCommitted: true)),
                let found = answer.topics.first?.partitions.first, found.errorCode == .none
            else { throw Unreadable(split: split) }
            if found.records?.isEmpty ?? true { return records }
            records += CommittedRecords.read(found, next: &next)
        }
    }

    // MARK: - Cluster

    var actors: [any WorldActor] { [network] }

    func append(_ values: [String?], to split: Split) { feeder.append(values, to: split) }

    func connect(_ process: ClusterProcess) -> any ClusterPorts {
        let client = ClientID("process-\(process.number)")
        let isOwned = schedule.scenario != .stateless
        let member = GroupMember(
            GroupMember.GroupSubscription(
                groupID: topics.group, instanceID: schedule.seed % 3 == 0 ? nil : "slot-\(process.slot)",
                topic: isOwned ? topics.control.topic : "in", splits: isOwned ? [topics.control] : topics.inputs),
            assignor, Connection(network, client), clock: network.clock)
        var options = BrokerWriter.Options(
            identity: "slot-\(process.slot)", query: World.query, outputPartition: Int32(process.slot))
        if isOwned {
            options.progressTopic = topics.progress
            options.extraPositions = [topics.control: 0]
        }
        return BrokerPorts(
            network, client, member: member, isOwned: isOwned, options: options, seed: process.seed)
    }

    func disconnect(_ ports: any ClusterPorts, requestArrives: Bool) {
        (ports as? BrokerPorts)?.die(requestArrives: requestArrives)
    }

    /// Both go on: the group and the transactions' coordinator have to tell them apart.
    func suspend(_ ports: any ClusterPorts) {}

    func apply(_ fault: Fault, to ports: any ClusterPorts) {
        guard let ports = ports as? BrokerPorts else { return }
        switch fault {
        case .expel: if let removal = ports.member.removal { _ = network.ask(removal) }
        case .rebalance:
            assignor.takesBack = true
            ports.member.rejoin()
        case .expire: network.armed[ports.client] = .refused(.expired)
        case .transaction(_, let fault): network.armed[ports.client] = fault
        default: break
        }
    }

    func stopBrokers() { network.stopBroker() }

    func startBrokers() {
        do throws(StorageError) { try network.startBroker() } catch {
            onViolation(Violation(invariant: 4, text: "the broker does not start: \(error)"))
        }
        feeder.flush()
    }

    func calmDown() {
        network.conditions = NetworkConditions()
        network.armed = [:]
    }
}
