import CRDKafka
import StreamCore

/// A client that several threads use: every use is counted, and closing waits for the last one.
///
/// librdkafka's functions may be called from any thread as long as the client exists; this keeps it in existence.
@safe
final class SharedClient: @unchecked Sendable {
    // Safety: the mutable fields are used under `monitor`; `raw` only while a use is counted, and it is destroyed by
    // `close` alone, when none is.
    private let raw: OpaquePointer
    private let monitor = Monitor()
    private var handle: ClientHandle?
    private var uses = 0
    private var isClosing = false
    /// Blocks whose bytes librdkafka still reads: they outlive it, since this object lives until it is destroyed.
    /// Touched by the producer's thread only.
    var retained: [RecordBlock] = []
    let context: ClientContext

    init(_ type: rd_kafka_type_t, _ conf: borrowing ConfHandle, _ context: ClientContext) throws(KafkaError) {
        let handle = try ClientHandle(type, conf, context)
        unsafe raw = handle.withRaw { unsafe $0 }
        self.handle = consume handle
        self.context = context
    }

    /// Lends the client to a call.
    /// - Throws: `closed` once `close` was called.
    func use<R: ~Copyable>(_ body: (OpaquePointer) throws(KafkaError) -> R) throws(KafkaError) -> R {
        let isOpen = monitor.locked {
            if !isClosing { uses += 1 }
            return !isClosing
        }
        guard isOpen else { throw KafkaError(.closed, "The Kafka client '\(context.name)' is closed.") }
        defer {
            monitor.locked {
                uses -= 1
                if uses == 0 { monitor.broadcast() }
            }
        }
        return try unsafe body(raw)
    }

    /// Refuses further uses, runs `shutdown`, and destroys the client when the last use is over: all on a thread of its
    /// own, because librdkafka may wait for its brokers.
    /// - Returns: false if that takes longer than the deadline; it then happens later.
    @discardableResult
    func close(within: Duration, _ shutdown: @escaping @Sendable (OpaquePointer) -> Void = { _ in }) -> Bool {
        let wasOpen = monitor.locked {
            defer { isClosing = true }
            return !isClosing
        }
        guard wasOpen else { return true }
        context.setNotify(nil)
        let worker = WorkerThread()
        worker.submit { [self] in unsafe finishClosing(shutdown) }
        return worker.stop(within: within)
    }

    private func finishClosing(_ shutdown: @Sendable (OpaquePointer) -> Void) {
        // Every use is a call with a deadline of its own.
        monitor.locked {
            while uses > 0 { monitor.wait(until: SystemClock().now + .seconds(60)) }
        }
        unsafe shutdown(raw)
        handle.take()?.close()
    }
}
