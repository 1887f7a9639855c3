import CommitProtocol
import StreamCore
import StreamEngine

/// Encodes output records of one `saveToKafka` into blocks for the epoch's transaction.
final class RecordWriter: Endpoint {
    /// A block this full is handed on as it is and another one begun.
    static let blockBytes = 1 << 20
    /// More than Kafka takes by far; kept below the limit of an arena.
    static let recordBytesMax = 1 << 30

    private let topic: TopicName
    private let scope: RecordScope
    // Looked at for each record, in one thread: the check that a class's variables get would cost more than the work.
    @exclusivity(unchecked) private var full: [RecordBlock] = []
    @exclusivity(unchecked) private var block: RecordBlock
    /// Of the block; moved there when it is handed on.
    @exclusivity(unchecked) private var slots: [RecordSlot] = []
    @exclusivity(unchecked) private var lastSerial = -1
    @exclusivity(unchecked) private var mark = Mark()

    private struct Mark {
        var full = 0
        var slots = 0
        var bytes = 0
    }

    init(topic: TopicName, scope: RecordScope) {
        self.topic = topic
        self.scope = scope
        block = RecordBlock(topics: [topic])
    }

    func write(_ record: Record) throws {
        if scope.reached(&lastSerial) { mark = Mark(full: full.count, slots: slots.count, bytes: block.arena.count) }
        let partition = try checkedPartition(record)
        let size = record.key.count + record.value.count + headerBytes(record)
        guard size <= Self.recordBytesMax else {
            throw StreamError("RECORD_TOO_LARGE", "a record for '\(topic)' has \(size) bytes", domain: .user)
        }
        if block.arena.count > 0, block.arena.count + size > Self.blockBytes { turnOver() }
        let arena = block.arena
        slots.append(
            RecordSlot(
                key: record.key.append(to: arena), value: record.value.append(to: arena),
                headers: record.headers.isEmpty ? .null : RecordHeaders.encode(record.headers, into: arena),
                timestamp: record.timestampMs ?? -1, partition: partition))
    }

    private func checkedPartition(_ record: Record) throws -> Int32 {
        guard let partition = record.partition else { return -1 }
        guard partition.number >= 0 else {
            throw StreamError(
                "OUTPUT_PARTITION", "a record for '\(topic)' asks for partition \(partition)", domain: .user)
        }
        return partition.number
    }

    private func headerBytes(_ record: Record) -> Int {
        record.headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) + 12 }
    }

    private func turnOver() {
        block.slots = slots
        full.append(block)
        // The next block is likely to be like this one.
        let (capacity, bytes) = (slots.count, min(block.arena.count, Self.blockBytes))
        slots = []
        slots.reserveCapacity(capacity)
        block = RecordBlock(arenaCapacity: bytes, topics: [topic])
    }

    func undoRecord() {
        guard scope.isAt(lastSerial) else { return }
        if full.count > mark.full {
            // The block that the record began in is the current one again.
            block = full[mark.full]
            slots = block.slots
            full.removeSubrange(mark.full...)
        }
        slots.removeSubrange(mark.slots...)
        block.arena.truncate(to: mark.bytes)
    }

    func drain(into output: inout TaskOutput) {
        if !slots.isEmpty { turnOver() }
        guard !full.isEmpty else { return }
        for block in full {
            output.counts.written += block.count
            output.counts.bytesWritten += block.arena.count
        }
        output.blocks += full
        full = []
    }

    func reset() {
        full = []
        slots = []
        block = RecordBlock(topics: [topic])
    }
}
