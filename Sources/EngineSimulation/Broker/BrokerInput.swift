import CommitProtocol
import EmbeddedBroker
import KafkaWire
import StreamCore
import StreamTesting

/// Reads the input topic of a broker: the splits that the group assigns, or, beside a membership on the control topic,
/// all of them.
final class BrokerInput: InputPort, WorldActor {
    let name = "input"
    var onReady: (@Sendable () -> Void)?
    private(set) var isClosed = false
    /// nil: everything is ours.
    let member: GroupMember?
    private let topic: TopicName
    private let data: Connection
    private let lookups: Connection
    private let reader: PartitionReader
    private var events: [InputEvent] = []

    init(_ topic: TopicName, _ network: SimulatedNetwork, _ clientID: ClientID, member: GroupMember?, seed: UInt64) {
        self.topic = topic
        self.member = member
        data = Connection(network, clientID)
        lookups = Connection(network, clientID)
        reader = PartitionReader(data, seed: seed)
        reader.onPositionLost = { [unowned self] split in
            // Nothing deletes records here: that a position is not there is a fault of the cluster.
            events.append(.dataLoss(split, at: reader.fetched(split) ?? 0, next: 0))
        }
    }

    func start() {
        guard member == nil else { return member?.start() ?? () }
        let request = MetadataRequest {
            $0.topics = [MetadataRequest.Topic { $0.name = topic.text }]
            $0.allowAutoTopicCreation = false
        }
        lookups.call(.metadata(request)) { [unowned self] result in
            guard case .success(.metadata(let answer)) = result, let found = answer.topics.first else {
                return start()
            }
            events.append(.assigned(Set(found.partitions.map { Split(topic, PartitionID($0.partition)) })))
        }
    }

    func poll(bytesMax: Int) -> InputEvent? {
        if let event = member?.poll() { return event }
        if !events.isEmpty { return events.removeFirst() }
        guard bytesMax > 0 else { return nil }
        switch reader.take(countMax: 4) {
        case .records(let split, let records): return .records(RecordBlock(records, of: split))
        case .reachedEnd(let split, let position): return .reachedEnd(split, position)
        case nil: return nil
        }
    }

    func open(_ positions: [Split: Position]) { reader.open(positions) }

    func release(_ splits: Set<Split>) {
        reader.close(splits)
        member?.release(splits)
    }

    func pause(_ splits: Set<Split>) { reader.pause(splits, true) }
    func resume(_ splits: Set<Split>) { reader.pause(splits, false) }

    func resolve(_ starts: [Split: StartPosition]) {
        // A position needs no broker; of the others only the earliest is used here.
        lookUp(.earliest, Set(starts.keys)) { [unowned self] offsets in
            var resolved = offsets
            for (split, start) in starts {
                if case .position(let position) = start { resolved[split] = position }
            }
            events.append(.resolved(resolved))
        }
    }

    func requestEnds(_ splits: Set<Split>) {
        lookUp(.stableEnd, splits) { [unowned self] in events.append(.ends($0)) }
    }

    private func lookUp(_ place: OffsetLookup, _ splits: Set<Split>, then: @escaping ([Split: Position]) -> Void) {
        lookups.call(place.request(splits)) { [unowned self] result in
            guard case .success(.listOffsets(let answer)) = result else { return lookUp(place, splits, then: then) }
            then(OffsetLookup.positions(answer))
        }
    }

    func close(within: Duration) {
        isClosed = true
        member?.close()
        data.close(requestArrives: true)
        lookups.close(requestArrives: true)
    }

    /// The process is gone.
    func die(requestArrives: Bool) {
        isClosed = true
        member?.die(requestArrives: requestArrives)
        data.close(requestArrives: requestArrives)
        lookups.close(requestArrives: requestArrives)
    }

    // MARK: - The world

    var hasWork: Bool { !isClosed && (data.hasWork || lookups.hasWork || member?.hasWork == true) }
    var deadline: MonotonicTime {
        isClosed ? .distantFuture : min(data.deadline, lookups.deadline, member?.deadline ?? .distantFuture)
    }

    func act() {
        if let member, member.hasWork {
            member.act()
        } else if lookups.hasWork {
            lookups.act()
        } else {
            data.act()
        }
        onReady?()
    }
}

/// A question for offsets of partitions.
enum OffsetLookup {
    case earliest
    /// Of what is committed (last stable offset).
    case stableEnd
    /// Of everything (high watermark).
    case end

    func request(_ splits: Set<Split>) -> Request {
        .listOffsets(
            ListOffsetsRequest { request in
                request.replicaID = -1
                request.isolationLevel = self == .stableEnd ? 1 : 0
                request.topics = Set(splits.map(\.topic)).sorted().map { topic in
                    ListOffsetsRequest.Topic {
                        $0.name = topic.text
                        $0.partitions = splits.filter { $0.topic == topic }.sorted().map { split in
                            ListOffsetsRequest.Partition {
                                $0.partition = split.partition.number
                                $0.timestamp = self == .earliest ? -2 : -1
                            }
                        }
                    }
                }
            })
    }

    static func positions(_ answer: ListOffsetsResponse) -> [Split: Position] {
        var positions: [Split: Position] = [:]
        for topic in answer.topics {
            for found in topic.partitions {
                positions[Split(TopicName(topic.name), PartitionID(found.partition))] = Position(found.offset)
            }
        }
        return positions
    }
}
