import CRDKafka
import StreamCore

/// A consumer's two queues, and the records on their way into a block.
///
/// The group's events stay on the consumer's own queue; the partitions' records are forwarded to a queue of ours. So
/// the group is served also while the query's memory is full and no record may be taken.
struct ConsumerFeed: ~Copyable {
    private let control: QueueHandle
    private let data: QueueHandle
    private var batch: MessageBatch
    private var controlBatch: MessageBatch
    /// Counts the chunks taken from the data queue.
    private(set) var chunk: UInt64 = 0
    /// A running mean, to ask for about as many messages as may be handed out.
    private var bytesPerRecord = 256
    private let readsHeaders: Bool
    private var gauge: FetchGauge
    /// The fetchers may have stopped at a full queue, and there is room again.
    private(set) var needsNudge = false

    /// What came besides records.
    enum Note {
        case positionLost(Split)
        /// A record or an end came by the group's queue, which hands out none.
        case strayed(Split)
        case failed(KafkaError)
    }

    init(_ client: OpaquePointer, _ context: ClientContext, _ gauge: FetchGauge, readsHeaders: Bool) {
        self.gauge = gauge
        self.readsHeaders = readsHeaders
        control = unsafe QueueHandle(adopting: rd_kafka_queue_get_consumer(client))
        data = unsafe QueueHandle(adopting: rd_kafka_queue_new(client))
        batch = MessageBatch(capacity: 10_000)
        controlBatch = MessageBatch(capacity: 64)
        control.wakeOnData(context)
        data.wakeOnData(context)
    }

    /// Lets the records of a partition arrive in our queue. Before it is assigned: afterwards some might go elsewhere.
    borrowing func forward(_ split: Split, of client: OpaquePointer) {
        guard let queue = unsafe rd_kafka_queue_get_partition(client, split.topic.text, split.partition.number) else {
            return
        }
        unsafe data.withRaw { unsafe rd_kafka_queue_forward(queue, $0) }
        unsafe rd_kafka_queue_destroy(queue)
    }

    borrowing func stopWaking() {
        control.stopWaking()
        data.stopWaking()
    }

    /// Serves callbacks (rebalance, errors) and hands on what else came for the group.
    /// - Returns: whether there may be more.
    mutating func serveControl(_ onNote: (Note) -> Void) -> Bool {
        controlBatch.fill(from: control, max: 64)
        let part = controlBatch.measure(bytesMax: .max)
        for index in 0..<part.count {
            let message = unsafe controlBatch[index]
            if let split = unsafe Self.strayed(message) {
                onNote(.strayed(split))
            } else {
                unsafe onNote(.failed(Self.error(message)))
            }
        }
        controlBatch.free(part.count)
        return part.count == 64
    }

    /// Copies records until about `bytesMax` bytes are in the block or nothing is left.
    mutating func drain(
        into block: RecordBlock, bytesMax: Int, table: inout SplitTable, _ onNote: (Note) -> Void
    ) {
        var slots: [RecordSlot] = []
        var left = bytesMax
        needsNudge = false
        while left > 0 {
            if batch.isEmpty {
                chunk += 1
                noteLength()
                batch.fill(from: data, max: max(1, min(batch.capacity, left / max(1, bytesPerRecord) + 1)))
                if batch.isEmpty { break }
            }
            let part = batch.measure(bytesMax: left)
            bytesPerRecord = max(64, (bytesPerRecord + part.bytes / part.count) / 2)
            slots.reserveCapacity(max(slots.capacity, slots.count + part.count))
            copy(part, into: block, &slots, table: &table, onNote)
            batch.free(part.count)
            left -= part.bytes + part.count * MemoryLayout<RecordSlot>.stride
        }
        noteLength()
        block.slots = slots
    }

    private mutating func noteLength() {
        if gauge.note(records: data.length, bytesPerRecord: bytesPerRecord) { needsNudge = true }
    }

    /// The hot loop: one copy of each record's bytes. What belongs to a partition is looked up once per run of it, and
    /// the arena is asked for room once per chunk.
    private func copy(
        _ part: MessageBatch.Part, into block: RecordBlock, _ slots: inout [RecordSlot], table: inout SplitTable,
        _ onNote: (Note) -> Void
    ) {
        let base = block.arena.count
        var withHeaders: [(slot: Int, message: Int)] = []
        _ = unsafe block.arena.appendInPlace(limit: part.bytes) { buffer in
            var used = 0
            var run = Run()
            for index in 0..<part.count {
                let message = unsafe batch[index]
                if unsafe !run.covers(message) {
                    run.finish(&table)
                    run = unsafe Run(message, table, block, chunk: chunk)
                }
                let offset = unsafe message.pointee.offset
                if unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                    run.finish(&table)
                    unsafe note(message, run, &table, onNote)
                    run = Run()
                } else if run.isLive, offset >= run.next {
                    let value = unsafe Self.put(message.pointee.payload, message.pointee.len, buffer, &used, base)
                    let key = unsafe Self.put(message.pointee.key, message.pointee.key_len, buffer, &used, base)
                    var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
                    let time = unsafe rd_kafka_message_timestamp(message, &type)
                    if readsHeaders { withHeaders.append((slots.count, index)) }
                    slots.append(
                        RecordSlot(
                            key: key, value: value, offset: offset,
                            timestamp: type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : time, topic: run.topic,
                            partition: run.partition, timestampType: Self.timestampType(type)))
                    run.next = offset &+ 1
                }
            }
            run.finish(&table)
            return used
        }
        for (slot, message) in withHeaders {
            let headers = unsafe Self.headers(batch[message], block.arena)
            if !headers.isNull { slots[slot].headers = headers }
        }
    }

    // MARK: -

    /// Messages of one partition that follow each other.
    @safe
    private struct Run {
        private var rkt: OpaquePointer?
        var partition: Int32 = -1
        var topic: Int32 = 0
        private(set) var index = -1
        var next: Int64 = 0
        /// Records may be handed out.
        private(set) var isLive = false
        private var first: Int64 = 0

        init() {}

        init(
            _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ table: SplitTable, _ block: RecordBlock,
            chunk: UInt64
        ) {
            unsafe rkt = message.pointee.rkt
            partition = unsafe message.pointee.partition
            guard let rkt = unsafe rkt, let name = unsafe rd_kafka_topic_name(rkt) else { return }
            let topicName = unsafe TopicName(String(cString: name))
            guard let found = table.index(of: Split(topicName, PartitionID(partition))) else { return }
            index = found
            topic = block.topicIndex(topicName)
            let entry = table[found]
            next = entry.next
            first = next
            isLive = entry.isReading && !entry.isRevoking && chunk >= entry.validFrom
        }

        func covers(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Bool {
            // Topic handles stay distinct while messages of the chunk hold them.
            unsafe message.pointee.rkt == rkt && message.pointee.partition == partition && rkt != nil
        }

        func finish(_ table: inout SplitTable) {
            guard index >= 0, next != first else { return }
            table[index].next = next
            table[index].end = nil
        }
    }

    private func note(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ run: Run, _ table: inout SplitTable,
        _ onNote: (Note) -> Void
    ) {
        let code = unsafe message.pointee.err
        if code == RD_KAFKA_RESP_ERR__PARTITION_EOF {
            let offset = unsafe message.pointee.offset
            // Also how a position gets past transaction markers, which are no records.
            guard run.isLive, offset >= run.next else { return }
            table[run.index].next = offset
            table[run.index].end = offset
        } else if code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == Self.logTruncation {
            guard run.isLive else { return }
            table[run.index].validFrom = .max
            onNote(.positionLost(table[run.index].split))
        } else {
            unsafe onNote(.failed(Self.error(message)))
        }
    }

    /// Newer than the headers of librdkafka 2.0.
    private static let logTruncation = rd_kafka_resp_err_t(rawValue: -139)

    private static func strayed(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Split? {
        let ofSplit = [
            RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR__PARTITION_EOF, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,
            logTruncation,
        ]
        guard unsafe ofSplit.contains(message.pointee.err), let rkt = unsafe message.pointee.rkt,
            let name = unsafe rd_kafka_topic_name(rkt)
        else { return nil }
        return unsafe Split(TopicName(String(cString: name)), PartitionID(message.pointee.partition))
    }

    private static func error(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> KafkaError {
        let code = unsafe KafkaError.Code(message.pointee.err)
        let text = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) } ?? code.text
        return KafkaError(code, text.hasSuffix(".") ? text : text + ".")
    }

    private static func timestampType(_ type: rd_kafka_timestamp_type_t) -> RecordSlot.TimestampType {
        switch type {
        case RD_KAFKA_TIMESTAMP_CREATE_TIME: .createTime
        case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME: .logAppendTime
        default: .none
        }
    }

    /// A null payload is a tombstone (no value), which is not the same as an empty one.
    @inline(__always)
    private static func put(
        _ bytes: UnsafeMutableRawPointer?, _ count: Int, _ buffer: UnsafeMutableRawBufferPointer, _ used: inout Int,
        _ base: Int
    ) -> ByteView {
        guard let bytes = unsafe bytes else { return .null }
        if count > 0, let target = buffer.baseAddress {
            // Safety: the chunk was measured: all its keys and values fit.
            unsafe (target + used).copyMemory(from: bytes, byteCount: count)
        }
        defer { used += count }
        return ByteView(start: base + used, length: count)
    }

    /// As `RecordHeaders.encode` lays them out.
    private static func headers(_ message: UnsafeMutablePointer<rd_kafka_message_t>, _ arena: ByteArena) -> ByteView {
        var list: OpaquePointer?
        guard unsafe rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list = unsafe list
        else {
            return .null
        }
        let count = unsafe rd_kafka_header_cnt(list)
        if count == 0 { return .null }
        let start = arena.count
        append(Int32(truncatingIfNeeded: count), arena)
        for index in 0..<count {
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            let status = unsafe rd_kafka_header_get_all(list, index, &name, &value, &size)
            precondition(status == RD_KAFKA_RESP_ERR_NO_ERROR, "the index is below the count")
            let text = unsafe name.map { unsafe String(cString: $0) } ?? ""
            append(Int32(truncatingIfNeeded: text.utf8.count), arena)
            arena.append(text)
            append(unsafe value == nil ? -1 : Int32(truncatingIfNeeded: size), arena)
            if let value = unsafe value { unsafe arena.append(UnsafeRawBufferPointer(start: value, count: size)) }
        }
        return ByteView(start: start, length: arena.count - start)
    }

    private static func append(_ number: Int32, _ arena: ByteArena) {
        unsafe withUnsafeBytes(of: number.littleEndian) { _ = unsafe arena.append($0) }
    }
}
