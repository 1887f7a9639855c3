import CommitProtocol
import EmbeddedBroker
import KafkaWire
import StreamCore

/// Fetches partitions, one request after the other, and keeps what has come until it is taken: what a read_committed
/// consumer does.
final class PartitionReader {
    /// A position was asked for that is not there.
    var onPositionLost: (Split) -> Void = { _ in }
    private let connection: Connection
    private var random: StableRandom
    private var parts: [Split: Part] = [:]
    private var lastVersion = 0

    private struct Part {
        /// Of this opening: answers to an earlier one are dropped.
        var version: Int
        /// Where the next fetch begins.
        var next: Int64
        var records: [LogRecord] = []
        /// Everything up to `next` is there, and nothing behind it is committed.
        var isAtEnd = false
        var toldEnd: Int64?
        var isPaused = false
    }

    /// What can be taken.
    enum Piece {
        case records(Split, [LogRecord])
        case reachedEnd(Split, Position)
    }

    init(_ connection: Connection, seed: UInt64) {
        self.connection = connection
        random = StableRandom(seed: seed)
    }

    var splits: Set<Split> { Set(parts.keys) }

    func open(_ positions: [Split: Position]) {
        lastVersion += 1
        for (split, position) in positions { parts[split] = Part(version: lastVersion, next: position.number) }
        fetch()
    }

    func close(_ splits: Set<Split>) {
        for split in splits { parts[split] = nil }
    }

    func pause(_ splits: Set<Split>, _ isPaused: Bool) {
        for split in splits { parts[split]?.isPaused = isPaused }
        fetch()
    }

    /// How far everything was fetched.
    func fetched(_ split: Split) -> Position? { parts[split].map { Position($0.next) } }

    /// - Parameter countMax: of the records that are taken at a time.
    func take(countMax: Int) -> Piece? {
        let choices = parts.filter { entry in
            let part = entry.value
            return !part.isPaused && (!part.records.isEmpty || (part.isAtEnd && part.toldEnd != part.next))
        }.keys.sorted()
        guard !choices.isEmpty else { return nil }
        let split = choices[random.below(choices.count)]
        guard let part = parts[split] else { return nil }
        guard !part.records.isEmpty else {
            parts[split]?.toldEnd = part.next
            return .reachedEnd(split, Position(part.next))
        }
        let count = min(part.records.count, 1 + random.below(countMax))
        parts[split]?.records.removeFirst(count)
        fetch()
        return .records(split, Array(part.records.prefix(count)))
    }

    // MARK: - Fetching

    private static let waitMs: Int32 = 100

    func fetch() {
        let wanted = parts.filter { $0.value.records.isEmpty && !$0.value.isPaused }
        guard connection.isIdle, !wanted.isEmpty else { return }
        let bytesMax = Int32(150 + random.below(1_500))
        let request = FetchRequest { request in
            request.maxWaitMs = Self.waitMs
            request.minBytes = 1
            request.isolationLevel = 1
            request.topics = Set(wanted.keys.map(\.topic)).sorted().map { topic in
                FetchRequest.Topic {
                    $0.name = topic.text
                    $0.partitions = wanted.filter { $0.key.topic == topic }.sorted { $0.key < $1.key }.map { entry in
                        FetchRequest.Partition {
                            $0.partition = entry.key.partition.number
                            $0.fetchOffset = entry.value.next
                            $0.maxBytes = bytesMax
                        }
                    }
                }
            }
        }
        let versions = wanted.mapValues(\.version)
        connection.call(.fetch(request), within: .seconds(1)) { [unowned self] result in
            switch result {
            case .success(.fetch(let answer)), .failure(.refused(_, .fetch(let answer)?)): accept(answer, versions)
            case .success, .failure: break
            }
            fetch()
        }
    }

    private func accept(_ answer: FetchResponse, _ versions: [Split: Int]) {
        for topic in answer.topics {
            for found in topic.partitions {
                let split = Split(TopicName(topic.name), PartitionID(found.partition))
                guard var part = parts[split], part.version == versions[split] else { continue }
                if found.errorCode == .offsetOutOfRange {
                    parts[split] = nil
                    onPositionLost(split)
                } else if found.errorCode == .none {
                    part.records = CommittedRecords.read(found, next: &part.next)
                    part.isAtEnd = part.next >= found.lastStableOffset
                    parts[split] = part
                }
            }
        }
    }
}

/// What a read_committed consumer makes of the batches of a fetch.
enum CommittedRecords {
    /// - Parameter next: the offset that was asked for, and then the one behind everything that was fetched.
    static func read(_ found: FetchResponse.Partition, next: inout Int64) -> [LogRecord] {
        var rest = found.records ?? []
        var waiting = (found.abortedTransactions ?? []).sorted { $0.firstOffset < $1.firstOffset }[...]
        var aborted: Set<Int64> = []
        var records: [LogRecord] = []
        let first = next
        while let header = try? RecordBatchHeader(checked: rest) {
            let batch = rest.prefix(header.byteCount)
            rest = rest.dropFirst(header.byteCount)
            while let entry = waiting.first, entry.firstOffset <= header.lastOffset {
                aborted.insert(entry.producerID)
                waiting = waiting.dropFirst()
            }
            next = max(next, header.nextOffset)
            if header.isControl {
                if (try? TransactionMarker(batch: batch))?.result == .abort { aborted.remove(header.producerId) }
            } else if !header.isTransactional || !aborted.contains(header.producerId) {
                records += ((try? LogRecord.records(of: batch)) ?? []).filter { $0.offset >= first }
            }
        }
        return records
    }
}

extension RecordBlock {
    /// Records of one partition, as a consumer hands them out.
    convenience init(_ records: [LogRecord], of split: Split) {
        self.init(topics: [split.topic])
        for record in records {
            slots.append(
                RecordSlot(
                    key: record.key.map { arena.append(contentsOf: $0) } ?? .null,
                    value: record.value.map { arena.append(contentsOf: $0) } ?? .null, offset: record.offset,
                    timestamp: record.timestamp, topic: 0, partition: split.partition.number,
                    timestampType: .createTime))
        }
    }
}
