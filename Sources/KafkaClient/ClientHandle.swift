import CRDKafka
import StreamCore

/// One librdkafka client: owner of the `rd_kafka_t` and of the context that its callbacks write into.
@safe
struct ClientHandle: ~Copyable {
    private let raw: OpaquePointer
    private let context: Unmanaged<ClientContext>

    /// Creates the client. It connects by itself, in the background.
    /// - Throws: `invalidArgument` where settings do not fit together or a file they name cannot be read.
    init(_ type: rd_kafka_type_t, _ conf: borrowing ConfHandle, _ context: ClientContext) throws(KafkaError) {
        conf.installCallbacks(context)
        let copy = unsafe conf.duplicate()
        var text = [CChar](repeating: 0, count: 512)
        guard let client = unsafe rd_kafka_new(type, copy, &text, text.count) else {
            // Safety: the configuration stays ours when the call fails.
            unsafe rd_kafka_conf_destroy(copy)
            let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw KafkaError(
                .invalidArgument, "Could not create the Kafka client '\(context.name)': \(reason).",
                remedy: "Correct the connection's settings.")
        }
        unsafe raw = client
        unsafe self.context = Unmanaged.passRetained(context)
    }

    deinit { Self.trapUnclosed() }

    private static func trapUnclosed() { precondition(false, "a Kafka client was dropped without close()") }

    borrowing func withRaw<R, E>(_ body: (OpaquePointer) throws(E) -> R) throws(E) -> R { try unsafe body(raw) }

    /// Destroys the client; waits for its threads. Nothing of it may be in use.
    consuming func close() {
        // A consumer was closed before, or its broker cannot be reached: destroy must not try again.
        unsafe rd_kafka_destroy_flags(raw, Int32(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE))
        unsafe context.release()
        discard self
    }
}
