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
    private var full: [RecordBlock] = []
    private var block: RecordBlock
    private var lastSerial = -1
    private var mark = Mark()

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
        if scope.reached(&lastSerial) { mark = Mark(full: full.count, slots: block.count, bytes: block.arena.count) }
        let partition = try checkedPartition(record)
        let size = record.key.count + record.value.count + headerBytes(record)
        guard size <= Self.recordBytesMax else {
            throw StreamError("RECORD_TOO_LARGE", "a record for '\(topic)' has \(size) bytes", domain: .user)
        }
        if block.arena.count > 0, block.arena.count + size > Self.blockBytes { turnOver() }
        let arena = block.arena
        block.slots.append(
            RecordSlot(
                key: record.key.append(to: arena), value: record.value.append(to: arena),
                headers: record.headers.isEmpty ? .null : RecordHeaders.encode(record.headers, into: arena),
                timestamp: record.timestampMs ?? -1, partition: partition))
    }

    private func checkedPartition(_ record: Record) throws -> Int32 {
        guard let partition = record.partition else { return -1 }
        guard partition.number >= 0 else {
            throw StreamError("OUTPUT_PARTITION", "a record for '\(topic)' asks for partition \(partition)", domain: .user)
        }
        return partition.number
    }

    private func headerBytes(_ record: Record) -> Int {
        record.headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) + 12 }
    }

    private func turnOver() {
        full.append(block)
        block = RecordBlock(arenaCapacity: Self.blockBytes, slotCapacity: block.count, topics: [topic])
    }

    func undoRecord() {
        guard scope.isAt(lastSerial) else { return }
        if full.count > mark.full {
            // The block that the record began in is the current one again.
            block = full[mark.full]
            full.removeSubrange(mark.full...)
        }
        block.slots.removeSubrange(mark.slots...)
        block.arena.truncate(to: mark.bytes)
    }

    func drain(into output: inout TaskOutput) {
        guard !block.isEmpty || !full.isEmpty else { return }
        let blocks = block.isEmpty ? full : full + [block]
        for block in blocks {
            output.counts.written += block.count
            output.counts.bytesWritten += block.arena.count
        }
        output.blocks += blocks
        full = []
        block = RecordBlock(topics: [topic])
    }

    func reset() {
        full = []
        block = RecordBlock(topics: [topic])
    }
}
