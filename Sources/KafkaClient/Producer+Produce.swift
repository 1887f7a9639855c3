import CRDKafka
public import StreamCore

/// Why a block could not be enqueued, and which record is at fault if one is.
public struct ProduceFailure: Error, Sendable {
    public var error: KafkaError
    public var record: Int?
}

/// Memory for one call's messages, kept between calls.
@safe
final class ProduceScratch {
    static let capacity = 1000
    let messages: UnsafeMutablePointer<rd_kafka_message_t>

    init() {
        unsafe messages = UnsafeMutablePointer.allocate(capacity: Self.capacity)
        unsafe messages.initialize(repeating: rd_kafka_message_t(), count: Self.capacity)
    }

    deinit { unsafe messages.deallocate() }
}

extension Producer {
    /// The tag of a record: which block of the transaction, and the index in it.
    public static func tag(block: Int, record: Int) -> UInt {
        UInt(truncatingIfNeeded: (block + 1) << 32 | record)
    }

    /// The block of a tag; nil for 0, which tags no record of a block.
    public static func block(ofTag tag: UInt) -> Int? { tag == 0 ? nil : Int(tag >> 32) - 1 }
    /// The index of the record in its block; nil for 0, which tags no record of a block.
    public static func record(ofTag tag: UInt) -> Int? { tag == 0 ? nil : Int(tag & 0xffff_ffff) }

    /// Puts all records of a block into the send queue, in order: copies of them, or the block itself
    /// (`ProducerOptions.copiesRecords`).
    /// - Parameters:
    ///   - block: number of the block in its transaction, for the tags of delivery failures.
    ///   - within: bounds the wait while the queue is full.
    /// - Throws: the first failure; records behind it were not enqueued.
    public func produce(_ block: RecordBlock, number: Int, within: Duration) throws(ProduceFailure) {
        let deadline = SystemClock().now + within
        if !options.copiesRecords { client.retained.append(block) }
        var index = 0
        while index < block.count {
            let slot = block.slots[index]
            if slot.headers.isNull, slot.timestamp < 0 {
                index = try produceRun(block, from: index, number, deadline)
            } else {
                try produceOne(block, index, number, deadline)
                index += 1
            }
        }
    }

    // MARK: - Many at once

    /// Enqueues records of one topic that have neither headers nor timestamps: `rd_kafka_produce_batch` takes no
    /// others.
    /// - Returns: the index behind them.
    private func produceRun(
        _ block: RecordBlock, from start: Int, _ number: Int, _ deadline: MonotonicTime
    ) throws(ProduceFailure) -> Int {
        let topic = block.slots[start].topic
        var end = start
        while end < block.count, end - start < ProduceScratch.capacity {
            let slot = block.slots[end]
            guard slot.topic == topic, slot.headers.isNull, slot.timestamp < 0 else { break }
            unsafe scratch.messages[end - start] = Self.message(slot, block, Self.tag(block: number, record: end))
            end += 1
        }
        let handle = unsafe try topicHandle(block.topics[Int(topic)])
        var sent = 0
        while start + sent < end {
            let count = end - start - sent
            let from = unsafe scratch.messages + sent
            let accepted = try unsafe attempt { client in
                unsafe rd_kafka_produce_batch(
                    handle, RD_KAFKA_PARTITION_UA, copyFlag | RD_KAFKA_MSG_F_PARTITION, from, Int32(count))
            }
            if Int(accepted) == count { break }
            // Once the queue is full all later messages of the call are refused too, so the order is kept.
            var first = 0
            while first < count, unsafe from[first].err == RD_KAFKA_RESP_ERR_NO_ERROR { first += 1 }
            guard first < count else { break }
            sent += first
            try serveFullQueue(unsafe from[first].err, block, start + sent, deadline)
        }
        return end
    }

    private var copyFlag: Int32 { options.copiesRecords ? RD_KAFKA_MSG_F_COPY : 0 }

    private static func message(_ slot: RecordSlot, _ block: RecordBlock, _ tag: UInt) -> rd_kafka_message_t {
        var message = unsafe rd_kafka_message_t()
        // Safety: librdkafka reads the arena during the call only (MSG_F_COPY), or the client retains the block. Null
        // and empty stay distinct.
        if !slot.value.isNull {
            unsafe message.payload = UnsafeMutableRawPointer(mutating: block.arena.bytes(slot.value).baseAddress)
            unsafe message.len = Int(slot.value.length)
        }
        if !slot.key.isNull {
            unsafe message.key = UnsafeMutableRawPointer(mutating: block.arena.bytes(slot.key).baseAddress)
            unsafe message.key_len = Int(slot.key.length)
        }
        unsafe message.partition = slot.partition < 0 ? RD_KAFKA_PARTITION_UA : slot.partition
        unsafe message._private = UnsafeMutableRawPointer(bitPattern: tag)
        return unsafe message
    }

    // MARK: - One by one

    private func produceOne(
        _ block: RecordBlock, _ index: Int, _ number: Int, _ deadline: MonotonicTime
    ) throws(ProduceFailure) {
        let slot = block.slots[index]
        let handle = unsafe try topicHandle(block.topics[Int(slot.topic)])
        let copyFlag = copyFlag
        let headers = slot.headers.isNull ? [] : block.headers(index)
        while true {
            let error = try unsafe attempt { client in
                unsafe Self.send(
                    client, handle, slot, block, Self.tag(block: number, record: index), copyFlag,
                    headers: Self.headerList(headers))
            }
            guard let error = unsafe error else { return }
            let code = unsafe rd_kafka_error_code(error)
            unsafe rd_kafka_error_destroy(error)
            try serveFullQueue(code, block, index, deadline)
        }
    }

    /// - Parameter headers: taken over by librdkafka unless it refuses the message.
    private static func send(
        _ client: OpaquePointer, _ topic: OpaquePointer, _ slot: RecordSlot, _ block: RecordBlock, _ tag: UInt,
        _ copyFlag: Int32, headers: OpaquePointer?
    ) -> OpaquePointer? {
        let parts = unsafe message(slot, block, tag)
        var fields = unsafe [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 7)
        unsafe fields[0].vtype = RD_KAFKA_VTYPE_RKT
        unsafe fields[0].u.rkt = topic
        unsafe fields[1].vtype = RD_KAFKA_VTYPE_PARTITION
        unsafe fields[1].u.i32 = parts.partition
        unsafe fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS
        unsafe fields[2].u.i = copyFlag
        unsafe fields[3].vtype = RD_KAFKA_VTYPE_VALUE
        unsafe fields[3].u.mem.ptr = parts.payload
        unsafe fields[3].u.mem.size = parts.len
        unsafe fields[4].vtype = RD_KAFKA_VTYPE_KEY
        unsafe fields[4].u.mem.ptr = parts.key
        unsafe fields[4].u.mem.size = parts.key_len
        unsafe fields[5].vtype = RD_KAFKA_VTYPE_OPAQUE
        unsafe fields[5].u.ptr = parts._private
        // 0 lets librdkafka take the present time.
        unsafe fields[6].vtype = RD_KAFKA_VTYPE_TIMESTAMP
        unsafe fields[6].u.i64 = slot.timestamp < 0 ? 0 : slot.timestamp
        if let headers = unsafe headers {
            var field = unsafe rd_kafka_vu_t()
            unsafe field.vtype = RD_KAFKA_VTYPE_HEADERS
            unsafe field.u.headers = headers
            unsafe fields.append(field)
        }
        let error = unsafe rd_kafka_produceva(client, fields, fields.count)
        if unsafe error != nil, let headers = unsafe headers { unsafe rd_kafka_headers_destroy(headers) }
        return unsafe error
    }

    private static func headerList(_ headers: [RecordHeader]) -> OpaquePointer? {
        guard !headers.isEmpty, let list = unsafe rd_kafka_headers_new(headers.count) else { return nil }
        for header in headers {
            var name = header.name
            name.withUTF8 { name in
                unsafe name.withMemoryRebound(to: CChar.self) { name in
                    // A null value is not an empty one; the empty array's pointer may be nil, so it gets a byte to
                    // point at.
                    if let value = header.value {
                        let bytes = value.isEmpty ? [0] : value
                        _ = unsafe rd_kafka_header_add(list, name.baseAddress, name.count, bytes, value.count)
                    } else {
                        _ = unsafe rd_kafka_header_add(list, name.baseAddress, name.count, nil, -1)
                    }
                }
            }
        }
        return unsafe list
    }

    // MARK: -

    /// Waits for room while the queue is full; every other code is a failure.
    private func serveFullQueue(
        _ code: rd_kafka_resp_err_t, _ block: RecordBlock, _ index: Int, _ deadline: MonotonicTime
    ) throws(ProduceFailure) {
        let topic = block.topics[Int(block.slots[index].topic)]
        guard code == RD_KAFKA_RESP_ERR__QUEUE_FULL else {
            let error = KafkaError(code, "Could not send a record to topic '\(topic)'")
            throw ProduceFailure(error: error, record: error.code.refusesRecord ? index : nil)
        }
        guard SystemClock().now < deadline else {
            throw ProduceFailure(
                error: KafkaError(code, "Could not send records to topic '\(topic)': the send queue stays full"),
                record: nil)
        }
        _ = try unsafe attempt { unsafe rd_kafka_poll($0, 5) }
    }

    private func topicHandle(_ name: TopicName) throws(ProduceFailure) -> OpaquePointer {
        do throws(KafkaError) {
            return unsafe try topics.handle(name, client)
        } catch {
            throw ProduceFailure(error: error, record: nil)
        }
    }

    private func attempt<R>(_ body: (OpaquePointer) -> R) throws(ProduceFailure) -> R {
        do throws(KafkaError) {
            return try unsafe client.use { unsafe body($0) }
        } catch {
            throw ProduceFailure(error: error, record: nil)
        }
    }
}
