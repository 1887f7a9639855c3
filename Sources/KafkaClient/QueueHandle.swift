import CRDKafka
import StreamCore

/// A queue of librdkafka: the consumer's own, one of ours, or one for the answer of a single request.
@safe
struct QueueHandle: ~Copyable {
    private let raw: OpaquePointer

    /// Takes over a reference.
    init(adopting raw: OpaquePointer) { unsafe self.raw = raw }

    deinit { unsafe rd_kafka_queue_destroy(raw) }

    borrowing func withRaw<R, E>(_ body: (OpaquePointer) throws(E) -> R) throws(E) -> R { try unsafe body(raw) }

    /// How many records and events wait in it.
    var length: Int { unsafe Int(rd_kafka_queue_length(raw)) }

    /// Calls the context's `wake` from a librdkafka thread whenever the queue stops being empty. What lies in it
    /// already does not count: poll once afterwards.
    borrowing func wakeOnData(_ context: ClientContext) {
        // Safety: the context outlives the client, and the queue is destroyed before the client is.
        unsafe rd_kafka_queue_cb_event_enable(
            raw,
            { _, opaque in
                guard let opaque = unsafe opaque else { return }
                unsafe Unmanaged<ClientContext>.fromOpaque(opaque).takeUnretainedValue().wake()
            }, Unmanaged.passUnretained(context).toOpaque())
    }

    borrowing func stopWaking() { unsafe rd_kafka_queue_cb_event_enable(raw, nil, nil) }
}

/// Messages as librdkafka hands them out, freed one by one when they are taken or all at the end.
@safe
struct MessageBatch: ~Copyable {
    private let slots: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    let capacity: Int
    private(set) var count = 0
    private(set) var cursor = 0

    init(capacity: Int) {
        self.capacity = capacity
        unsafe slots = UnsafeMutablePointer.allocate(capacity: capacity)
        unsafe slots.initialize(repeating: nil, count: capacity)
    }

    deinit {
        for index in cursor..<count { unsafe rd_kafka_message_destroy(slots[index]) }
        unsafe slots.deallocate()
    }

    var isEmpty: Bool { cursor == count }

    /// Takes what lies in the queue, up to `max` messages, without waiting. Only when empty.
    ///
    /// `rd_kafka_consume_batch_queue` waits out its whole time-out unless as many as asked for are there, so the time-
    /// out is 0 and the queue's event tells when to ask.
    mutating func fill(from queue: borrowing QueueHandle, max: Int) {
        precondition(isEmpty)
        cursor = 0
        count = 0
        let got = unsafe queue.withRaw { raw in
            unsafe rd_kafka_consume_batch_queue(raw, 0, slots, Swift.min(max, capacity))
        }
        count = Swift.max(0, got)
    }

    /// The next messages, and how much their keys and values take.
    struct Part {
        var count = 0
        var bytes = 0
    }

    /// As many messages as about fit in `bytesMax`, at least one unless none is left.
    func measure(bytesMax: Int) -> Part {
        var part = Part()
        for index in cursor..<count {
            guard let message = unsafe slots[index] else { break }
            part.bytes += unsafe message.pointee.len + message.pointee.key_len
            part.count += 1
            if part.bytes >= bytesMax { break }
        }
        return part
    }

    /// The message so many places behind the next one; valid until `free`.
    subscript(index: Int) -> UnsafeMutablePointer<rd_kafka_message_t> {
        precondition(cursor + index < count)
        // Safety: librdkafka filled the places below `count`.
        return unsafe slots[cursor + index].unsafelyUnwrapped
    }

    /// Frees the next messages and goes on behind them.
    mutating func free(_ number: Int) {
        for index in cursor..<min(count, cursor + number) { unsafe rd_kafka_message_destroy(slots[index]) }
        cursor = min(count, cursor + number)
    }
}
