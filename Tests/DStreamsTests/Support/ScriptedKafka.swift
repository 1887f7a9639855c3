import CommitProtocol
import StreamCore

/// One record as a test writes it down.
struct Line: Hashable {
    var key: String?
    var value: String?
    var headers: [RecordHeader] = []
    var timestamp: Int64 = -1
}

/// Topics in memory, with what was committed to them: both ports of one query in one thread.
final class ScriptedKafka {
    var partitions: [Split: [Line]] = [:]
    var committedPositions: [Split: Position] = [:]
    var progress: ProgressRecord?
    /// Committed output records with their epoch, in order.
    var written: [(epoch: Epoch, topic: TopicName, line: Line, partition: Int32)] = []
    /// Committed changes of state, by changelog partition.
    var changelogs: [Split: [(key: [UInt8], value: [UInt8]?)]] = [:]
    /// Batch times of committed epochs.
    var times: [Epoch: Int64] = [:]
    /// Every commit in order: its epoch, and whether it was the plan alone.
    var commits: [(epoch: Epoch, phase: ProgressRecord.Phase?)] = []
    /// Epochs whose next commit is refused.
    var refused: Set<Epoch> = []
    var onCommit: () -> Void = {}

    /// What a crash at this moment leaves behind.
    func copy() -> ScriptedKafka {
        let copy = ScriptedKafka()
        copy.partitions = partitions
        copy.committedPositions = committedPositions
        copy.progress = progress
        copy.written = written
        copy.commits = commits
        return copy
    }

    func makeTopic(_ topic: TopicName, partitions count: Int32) {
        for number in 0..<count { partitions[Split(topic, PartitionID(number))] = [] }
    }

    /// Values to the partitions of a topic in turn.
    func append(_ topic: TopicName, _ values: [String]) {
        let splits = partitions.keys.filter { $0.topic == topic }.sorted()
        for (index, value) in values.enumerated() {
            partitions[splits[index % splits.count]]?.append(Line(value: value))
        }
    }
}

/// Reads `ScriptedKafka`, a few records a block, splits in turn.
final class ScriptedInput: InputPort {
    var onReady: (@Sendable () -> Void)?
    private let kafka: ScriptedKafka
    private let recordsPerBlock: Int
    private var events: [InputEvent] = []
    private var positions: [Split: Position] = [:]
    private var paused: Set<Split> = []
    private var endsTold: [Split: Position] = [:]

    init(_ kafka: ScriptedKafka, recordsPerBlock: Int) {
        self.kafka = kafka
        self.recordsPerBlock = recordsPerBlock
    }

    func start() { events.append(.assigned(Set(kafka.partitions.keys))) }

    func poll(bytesMax: Int) -> InputEvent? {
        if !events.isEmpty { return events.removeFirst() }
        guard bytesMax > 0 else { return nil }
        for split in positions.keys.sorted() where !paused.contains(split) {
            if let event = next(of: split) { return event }
        }
        return nil
    }

    private func next(of split: Split) -> InputEvent? {
        guard let position = positions[split], let lines = kafka.partitions[split] else { return nil }
        let end = Position(Int64(lines.count))
        if position >= end {
            guard endsTold[split] != end else { return nil }
            endsTold[split] = end
            return .reachedEnd(split, end)
        }
        let from = Int(position.number)
        let to = min(lines.count, from + recordsPerBlock)
        let block = RecordBlock(topics: [split.topic])
        for offset in from..<to {
            let line = lines[offset]
            block.slots.append(
                RecordSlot(
                    key: line.key.map { block.arena.append($0) } ?? .null,
                    value: line.value.map { block.arena.append($0) } ?? .null,
                    headers: RecordHeaders.encode(line.headers, into: block.arena), offset: Int64(offset),
                    timestamp: line.timestamp, topic: 0, partition: split.partition.number))
        }
        positions[split] = Position(Int64(to))
        return .records(block)
    }

    func open(_ positions: [Split: Position]) {
        self.positions.merge(positions) { _, new in new }
        for split in positions.keys { endsTold[split] = nil }
    }

    func release(_ splits: Set<Split>) {
        for split in splits { positions[split] = nil }
    }

    func pause(_ splits: Set<Split>) { paused.formUnion(splits) }
    func resume(_ splits: Set<Split>) { paused.subtract(splits) }

    func resolve(_ starts: [Split: StartPosition]) {
        events.append(
            .resolved(
                starts.reduce(into: [:]) { result, entry in
                    let end = Int64(kafka.partitions[entry.key]?.count ?? 0)
                    result[entry.key] = entry.value == .latest ? Position(end) : Position(0)
                }))
    }

    func requestEnds(_ splits: Set<Split>) {
        events.append(
            .ends(splits.reduce(into: [:]) { $0[$1] = Position(Int64(kafka.partitions[$1]?.count ?? 0)) }))
    }

    func close(within: Duration) {}
}

/// Writes to `ScriptedKafka`: what is produced is seen only once it is committed.
final class ScriptedWriter: TransactionPort {
    var onReady: (@Sendable () -> Void)?
    private let kafka: ScriptedKafka
    private var events: [TransactionEvent] = []
    private var pending: [RecordBlock] = []
    let gate = CommitGate()
    private var isBroken = true

    init(_ kafka: ScriptedKafka) { self.kafka = kafka }

    func submit(_ command: TransactionCommand) {
        defer { onReady?() }
        if case .initialize = command {
            gate.open()
            isBroken = false
            pending = []
            return events.append(.initialized)
        }
        guard !isBroken else { return }
        switch command {
        case .initialize: break
        case .recover(let splits):
            events.append(
                .recovered(
                    RecoveredProgress(
                        positions: kafka.committedPositions.filter { splits.contains($0.key) }, progress: kafka.progress
                    )))
        case .begin(let epoch): events.append(.begun(epoch))
        case .produce(let block):
            pending.append(block)
            events.append(.produced(block))
        case .commit(let commit): self.commit(commit)
        }
    }

    private func commit(_ commit: EpochCommit) {
        if kafka.refused.remove(commit.epoch) != nil || !gate.isOpen {
            isBroken = true
            let error = StreamError("SCRIPTED", "Refused by the script.", recovery: .abortEpoch)
            return events.append(.failed(TransactionFailure(.abortable, error)))
        }
        for block in pending {
            for index in 0..<block.count {
                let slot = block.slots[index]
                guard !block.topics[Int(slot.topic)].text.hasSuffix("-changelog") else {
                    kafka.changelogs[block.split(index), default: []].append(
                        (block.key(index) ?? [], block.value(index)))
                    continue
                }
                let line = Line(
                    key: block.key(index).map { String(decoding: $0, as: UTF8.self) },
                    value: block.value(index).map { String(decoding: $0, as: UTF8.self) },
                    headers: block.headers(index),
                    timestamp: slot.timestamp)
                kafka.written.append((commit.epoch, block.topics[Int(slot.topic)], line, slot.partition))
            }
        }
        pending = []
        kafka.committedPositions.merge(commit.positions) { _, new in new }
        if let progress = commit.progress {
            kafka.progress = progress
            kafka.times[progress.epoch] = progress.batchTimeMs
        }
        kafka.commits.append((commit.epoch, commit.progress?.phase))
        kafka.onCommit()
        events.append(.committed(commit.epoch))
    }

    func poll() -> TransactionEvent? { events.isEmpty ? nil : events.removeFirst() }
    func close(within: Duration) {}
}
