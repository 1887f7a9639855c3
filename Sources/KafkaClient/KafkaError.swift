import CRDKafka

/// What librdkafka or a broker refused: one code, the three flags that decide what to do, and text with a remedy.
///
/// Thrown by everything in this module; the ports turn it into a `StreamError` (`streamError(_:)`). Equality looks at
/// the code.
public struct KafkaError: Error, Sendable, CustomStringConvertible {
    public var code: Code
    /// The client can do nothing more; only a new one may.
    public var isFatal: Bool
    /// The same call may succeed later.
    public var isRetriable: Bool
    /// The open transaction cannot be committed any more.
    public var requiresAbort: Bool
    /// What failed and why, without secrets and without record content.
    public var message: String
    /// What the user can do; empty where nothing is known.
    public var remedy: String
    /// The setting at fault, for errors of configuration.
    public var property: String?

    public init(
        _ code: Code, _ message: String, remedy: String? = nil, isFatal: Bool = false, isRetriable: Bool? = nil,
        requiresAbort: Bool = false, property: String? = nil
    ) {
        self.code = code
        self.isFatal = isFatal
        self.isRetriable = isRetriable ?? code.isPassing
        self.requiresAbort = requiresAbort
        self.message = message
        self.remedy = remedy ?? code.remedy
        self.property = property
    }

    public var description: String {
        remedy.isEmpty ? "[\(code.name)] \(message)" : "[\(code.name)] \(message) \(remedy)"
    }

    /// The same error with what was being done in front: "Could not commit: ...".
    public func during(_ action: String) -> KafkaError {
        var copy = self
        copy.message = "\(action): \(message)"
        return copy
    }

    /// A code of librdkafka (negative) or of the Kafka protocol.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let number: Int32
        public init(_ number: Int32) { self.number = number }

        /// As librdkafka spells it: `_TIMED_OUT`, `UNKNOWN_TOPIC_OR_PART`.
        public var name: String {
            // Safety: librdkafka returns a pointer to a static string for every code, known or not.
            unsafe String(cString: rd_kafka_err2name(raw))
        }

        /// librdkafka's own sentence for the code.
        public var text: String {
            // Safety: as above.
            unsafe String(cString: rd_kafka_err2str(raw))
        }

        public var description: String { name }

        var raw: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: number) }
        init(_ raw: rd_kafka_resp_err_t) { number = raw.rawValue }
    }
}

extension KafkaError: Equatable {
    public static func == (a: KafkaError, b: KafkaError) -> Bool { a.code == b.code }
}

extension KafkaError {
    /// An error that came as a bare code.
    init(_ raw: rd_kafka_resp_err_t, _ action: String, text: String? = nil) {
        let code = Code(raw)
        self.init(code, "\(action): \(text ?? code.text).")
    }

    /// The fatal error that a client has raised, or nil.
    init?(endOf client: OpaquePointer) {
        var buffer = [CChar](repeating: 0, count: 512)
        let cause = unsafe rd_kafka_fatal_error(client, &buffer, buffer.count)
        guard cause != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let reason = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.init(Code(cause), reason, isFatal: true)
    }

    /// Reads and frees an error object; every `rd_kafka_error_t *` comes here at once.
    /// - Parameter action: what was being done: "Could not commit the transaction".
    init(consuming error: OpaquePointer, _ action: String) {
        let code = unsafe Code(rd_kafka_error_code(error))
        let text = unsafe String(cString: rd_kafka_error_string(error))
        self.init(
            code, "\(action): \(text).", isFatal: unsafe rd_kafka_error_is_fatal(error) != 0,
            isRetriable: unsafe rd_kafka_error_is_retriable(error) != 0,
            requiresAbort: unsafe rd_kafka_error_txn_requires_abort(error) != 0)
        // Safety: the object was handed to us and nobody else holds it.
        unsafe rd_kafka_error_destroy(error)
    }

    /// Throws what a call returned, if it returned anything.
    static func check(_ error: OpaquePointer?, _ action: @autoclosure () -> String) throws(KafkaError) {
        if let error = unsafe error { throw unsafe KafkaError(consuming: error, action()) }
    }

    static func check(_ code: rd_kafka_resp_err_t, _ action: @autoclosure () -> String) throws(KafkaError) {
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, action()) }
    }
}
