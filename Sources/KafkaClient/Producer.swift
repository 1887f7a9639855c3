import CRDKafka
public import StreamCore

/// How a producer sends.
public struct ProducerOptions: Sendable, Hashable {
    /// Makes it transactional.
    public var transactionalID: String?
    /// After this long without a commit the broker aborts the transaction.
    public var transactionTimeout: Duration
    /// How long records wait for company. 0 is a trap at 10,000 records a second (requests of one record, seconds of
    /// backlog): 0.5-1 ms is right for latency, 5 ms for throughput.
    public var linger: Duration
    /// The largest record in bytes with its envelope; nil: what brokers take unless they are told otherwise.
    public var recordBytesMax: Int?
    /// The largest batch in bytes: at most what each topic takes, because a broker refuses a batch as a whole.
    public var batchBytesMax: Int?
    /// Whether `produce` copies values. Without, the call takes 5-30 % less time (measured with 240-byte values) and
    /// half the memory, but the blocks are kept until `flush`, and nobody may reuse their arenas before.
    public var copiesRecords = true

    public init(
        transactionalID: String? = nil, transactionTimeout: Duration = .seconds(10),
        linger: Duration = .milliseconds(5),
        recordBytesMax: Int? = nil, batchBytesMax: Int? = nil
    ) {
        self.transactionalID = transactionalID
        self.transactionTimeout = transactionTimeout
        self.linger = linger
        self.recordBytesMax = recordBytesMax
        self.batchBytesMax = batchBytesMax
    }
}

/// An idempotent producer, transactional where it has a transactional id. Confined to the thread that uses it.
///
/// Every call that waits has a deadline. Delivery errors are collected; ask for them after `flush`.
public final class Producer {
    /// The default of `message.max.bytes` and `max.message.bytes`.
    static let brokerRecordBytesMax = 1_048_588

    let client: SharedClient
    let options: ProducerOptions
    let topics: TopicHandles
    let scratch: ProduceScratch

    /// - Throws: `invalidArgument` for settings that librdkafka does not accept.
    public init(_ settings: KafkaSettings, _ options: ProducerOptions, log: any LogHandler = NullLog())
        throws(KafkaError)
    {
        let name = options.transactionalID ?? "producer"
        let context = ClientContext(name: "\(name) producer", log: log, settings: settings)
        let conf = try Self.conf(settings, options)
        conf.installDelivery()
        client = try SharedClient(RD_KAFKA_PRODUCER, conf, context)
        self.options = options
        topics = TopicHandles()
        scratch = ProduceScratch()
    }

    private static func conf(_ settings: KafkaSettings, _ options: ProducerOptions) throws(KafkaError) -> ConfHandle {
        var defaults = [
            ("batch.size", "\(min(1_000_000, max(1, options.batchBytesMax ?? 1_000_000)))"),
            ("queue.buffering.max.messages", "1000000"),
            ("linger.ms", "\(max(0, options.linger.milliseconds))"),
            // Back to back transactions wait this long whenever the coordinator still writes the last one's markers;
            // the default of 100 ms makes each take 104 ms.
            ("retry.backoff.ms", "2"),
            ("reconnect.backoff.max.ms", "5000"), ("socket.keepalive.enable", "true"),
            // How long an unknown topic may still appear.
            ("topic.metadata.propagation.max.ms", "3000"),
        ]
        // Newer versions (2.4) have an exponential back-off whose ceiling would be below the start otherwise.
        if ConfHandle().knows("retry.backoff.max.ms") { defaults.append(("retry.backoff.max.ms", "50")) }
        let recordBytesMax = options.recordBytesMax ?? Self.brokerRecordBytesMax
        defaults.append(("message.max.bytes", "\(min(1_000_000_000, max(1000, recordBytesMax)))"))
        // A record that is larger than the whole queue would wait for room for ever.
        let queueBytes = max(settings.sendBytesMax, min(1_000_000_000, recordBytesMax) + (1 << 20))
        var fixed = [
            ("enable.idempotence", "true"), ("acks", "all"), ("delivery.report.only.error", "true"),
            // Keys go where Java clients send them.
            ("partitioner", "murmur2_random"), ("allow.auto.create.topics", "false"),
            ("queue.buffering.max.kbytes", "\(min(2_097_151, max(1024, queueBytes / 1024)))"),
        ]
        if let id = options.transactionalID {
            fixed.append(("transactional.id", id))
            fixed.append(("transaction.timeout.ms", "\(max(1000, options.transactionTimeout.cMilliseconds))"))
        }
        return try settings.conf(defaults: defaults, fixed: fixed)
    }

    /// Serves callbacks: errors, statistics, delivery failures. Now and then, also when idle.
    public func serve() {
        _ = try? unsafe client.use { unsafe rd_kafka_poll($0, 0) }
    }

    /// The last error that the connection reported; to say why something timed out.
    public var lastConnectionError: KafkaError? { client.context.recentError }

    /// librdkafka's newest statistics, as JSON, where the property `statistics.interval.ms` asks for them.
    public var statistics: String? { client.context.withState { $0.statistics } }

    /// Errors that nobody waits for, since the last call.
    public func takeErrors() -> [KafkaError] { client.context.takeErrors() }

    /// Asks for topics' metadata before the first transaction: without it the first commit takes 1 s (librdkafka 2.0.2;
    /// 2.16 does not have this).
    /// - Throws: `unknownTopic` or `topicAuthorization` with the topic's name.
    public func prepare(_ names: [TopicName], within: Duration) throws(KafkaError) {
        for name in names { _ = unsafe try topics.handle(name, client) }
        for topic in try client.metadata(names, within: within) {
            if let error = topic.error { throw KafkaError(error.raw, "Cannot write to topic '\(topic.name)'") }
        }
    }

    /// Waits until every record was acknowledged or refused.
    ///
    /// In slices: `rd_kafka_flush` looks only every 10 ms whether all is delivered, which was most of a small commit
    /// (measured: 10.3 of 13.7 ms), but looks once more when its time is over.
    /// - Throws: `timedOut`; the first delivery error has its own call.
    public func flush(within: Duration) throws(KafkaError) {
        let start = SystemClock().now
        var code = RD_KAFKA_RESP_ERR__TIMED_OUT
        repeat {
            let isShort = SystemClock().now - start < .milliseconds(50)
            code = try unsafe client.use { client throws(KafkaError) in
                unsafe rd_kafka_flush(client, isShort ? 1 : 5)
            }
        } while code == RD_KAFKA_RESP_ERR__TIMED_OUT && SystemClock().now - start < within
        try KafkaError.check(code, "Could not deliver all records within \(within)")
        client.retained = []
    }

    /// Delivery failures since the last call.
    public func takeDeliveryFailure() -> DeliveryFailure? {
        let failures = client.context.withState { state in
            defer { state.delivery = DeliveryFailures() }
            return state.delivery
        }
        guard let first = failures.first else { return nil }
        let error = KafkaError(first.code.raw, "Could not write \(failures.count) records to topic '\(first.topic)'")
        return DeliveryFailure(error: error, tag: first.tag)
    }

    /// Drops what was not sent, gives the topics back, destroys the client.
    /// - Returns: false if that takes longer than the deadline; it then ends by itself.
    @discardableResult
    public func close(within: Duration) -> Bool {
        topics.close()
        return unsafe client.close(within: within) { client in
            _ = unsafe rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        }
    }
}

/// A record that a broker refused, or that could not be sent.
public struct DeliveryFailure: Error, Sendable {
    public var error: KafkaError
    /// As given to `produce`: block and index; 0 if unknown.
    public var tag: UInt
}

/// Topic handles by name, made once: producing by handle is about twice as fast as by name.
@safe
final class TopicHandles {
    private var handles: [TopicName: OpaquePointer] = unsafe [:]

    init() {}

    func handle(_ name: TopicName, _ client: SharedClient) throws(KafkaError) -> OpaquePointer {
        if let handle = unsafe handles[name] { return unsafe handle }
        let made = try unsafe client.use { client throws(KafkaError) in
            guard let made = unsafe rd_kafka_topic_new(client, name.text, nil) else {
                throw KafkaError(rd_kafka_last_error(), "Could not use topic '\(name)'")
            }
            return unsafe made
        }
        unsafe handles[name] = made
        return unsafe made
    }

    func close() {
        unsafe handles.values.forEach(rd_kafka_topic_destroy)
        unsafe handles = [:]
    }
}
