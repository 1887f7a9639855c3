import CommitProtocol
import EmbeddedBroker
import FoundationEssentials
import KafkaWire
import StreamCore
import StreamTesting

/// Sees commits as readers do, by ordinary requests: after every end of a transaction it reads on in the logs and asks
/// for the group's offsets.
///
/// It reads everything and waits for the markers itself, as a read_committed consumer does that keeps a transaction's
/// records until it knows its end. So it can tell which commit a record is of, though a log's last stable offset may
/// stand before it for a while.
final class CommitObserver {
    /// What one commit has made visible.
    struct Seen {
        var commit: EpochCommit
        var outputs: [SimulatedCluster.Output]
    }

    private let network: SimulatedNetwork
    private let groupID: String
    private let inputs: Set<Split>
    private let progressTopic: TopicName
    private var next: [Split: Position] = [:]
    /// Records whose transaction is open, by split and producer.
    private var pending: [Split: [Int64: [LogRecord]]] = [:]
    private(set) var positions: [Split: Position] = [:]
    /// Every output that was committed, in the order of commits.
    private(set) var outputs: [(split: Split, value: String)] = []
    private var lastEpoch = Epoch(0)

    init(
        _ network: SimulatedNetwork, groupID: String, inputs: Set<Split>, logs: Set<Split>, progressTopic: TopicName
    ) {
        self.network = network
        self.groupID = groupID
        self.inputs = inputs
        self.progressTopic = progressTopic
        for split in logs { next[split] = 0 }
    }

    /// Whether a transaction is open that has written something.
    var hasOpenTransactions: Bool { pending.values.contains { !$0.isEmpty } }

    /// What was committed since the last look; nil: nothing.
    func look() -> Seen? {
        var outputs: [SimulatedCluster.Output] = []
        var progress: ProgressRecord?
        for split in next.keys.sorted() {
            for record in readOn(split) {
                if split.topic == progressTopic {
                    progress = record.value.flatMap {
                        try? JSONDecoder().decode(ProgressRecord.self, from: Data($0))
                    }
                } else {
                    let value = String(decoding: record.value ?? [], as: UTF8.self)
                    self.outputs.append((split, value))
                    outputs.append(.init(topic: split.topic, value: value, epoch: progress?.epoch ?? 0))
                }
            }
        }
        let committed = committedPositions()
        let changed = committed.filter { positions[$0.key] != $0.value }
        positions = committed
        guard !outputs.isEmpty || progress != nil || !changed.isEmpty else { return nil }
        lastEpoch = progress?.epoch ?? lastEpoch.next
        return Seen(
            commit: EpochCommit(epoch: lastEpoch, positions: changed, progress: progress), outputs: outputs)
    }

    private func committedPositions() -> [Split: Position] {
        guard case .offsetFetch(let answer)? = network.ask(.committed(inputs, of: groupID, isStable: false)) else {
            return positions
        }
        return answer.positions
    }

    /// Goes over what is new in a log. - Returns: the records of transactions that were committed there.
    private func readOn(_ split: Split) -> [LogRecord] {
        var committed: [LogRecord] = []
        while let found = fetch(split), var rest = found.records, !rest.isEmpty {
            while let header = try? RecordBatchHeader(checked: rest) {
                let batch = rest.prefix(header.byteCount)
                rest = rest.dropFirst(header.byteCount)
                next[split] = Position(header.nextOffset)
                if header.isControl {
                    let records = pending[split]?.removeValue(forKey: header.producerId) ?? []
                    if (try? TransactionMarker(batch: batch))?.result == .commit { committed += records }
                } else {
                    let records = (try? LogRecord.records(of: batch)) ?? []
                    pending[split, default: [:]][header.producerId, default: []] += records
                }
            }
        }
        return committed
    }

    private func fetch(_ split: Split) -> FetchResponse.Partition? {
        let request = Request.read(split, from: next[split] ?? 0, isCommitted: false)
        guard case .fetch(let answer)? = network.ask(request) else { return nil }
        return answer.topics.first?.partitions.first
    }
}
