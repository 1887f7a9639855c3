import CRDKafka
public import StreamCore

/// librdkafka's imitation of a cluster, inside this process: for demos, and for tests that inject errors.
///
/// It proves nothing about exactly-once: it shows records of aborted transactions to read_committed readers, fences
/// nobody, keeps no transactional offsets, and forgets old records.
@safe
public final class MockCluster {
    private var cluster: OpaquePointer?
    private var client: ClientHandle?

    /// - Throws: `state` if the system refuses the sockets.
    public init(brokers: Int = 1) throws(KafkaError) {
        let settings = KafkaSettings(brokers: ["mock"])
        let handle = try ClientHandle(
            RD_KAFKA_PRODUCER, ConfHandle(), ClientContext(name: "mock", log: NullLog(), settings: settings))
        unsafe cluster = handle.withRaw { unsafe rd_kafka_mock_cluster_new($0, Int32(clamping: max(1, brokers))) }
        guard unsafe cluster != nil else {
            handle.close()
            throw KafkaError(.state, "Could not start the mock cluster.")
        }
        client = consume handle
    }

    deinit {
        // The cluster goes before its client, or librdkafka aborts the process.
        if let cluster = unsafe cluster { unsafe rd_kafka_mock_cluster_destroy(cluster) }
        client.take()?.close()
    }

    /// What to connect to: "127.0.0.1:port,...".
    public var bootstrapServers: String {
        guard let cluster = unsafe cluster, let text = unsafe rd_kafka_mock_cluster_bootstraps(cluster) else {
            return ""
        }
        return unsafe String(cString: text)
    }

    public var settings: KafkaSettings {
        KafkaSettings(brokers: bootstrapServers.split(separator: ",").map(String.init))
    }

    /// Creates a topic; the mock keeps its records in memory only.
    /// - Throws: `KafkaError` where the topic is there already, or its partitions or replicas are out of range.
    public func createTopic(_ name: TopicName, partitions: Int, replication: Int = 1) throws(KafkaError) {
        let code = unsafe rd_kafka_mock_topic_create(
            cluster, name.text, Int32(clamping: partitions), Int32(clamping: replication))
        try KafkaError.check(code, "Could not create topic '\(name)' in the mock cluster")
    }

    /// Answers the next requests of a kind (Kafka's number: 0 Produce, 1 Fetch, 24 AddPartitionsToTxn, 26 EndTxn ...)
    /// with errors.
    public func pushErrors(_ request: Int16, _ codes: [KafkaError.Code]) {
        let raw = codes.map(\.raw)
        unsafe rd_kafka_mock_push_request_errors_array(cluster, request, raw.count, raw)
    }

    /// Makes everything about a topic fail.
    public func setError(_ topic: TopicName, _ code: KafkaError.Code) {
        unsafe rd_kafka_mock_topic_set_error(cluster, topic.text, code.raw)
    }

    /// - Parameter broker: from 1 on.
    public func setBroker(_ broker: Int, isUp: Bool) {
        let id = Int32(clamping: broker)
        _ = unsafe isUp ? rd_kafka_mock_broker_set_up(cluster, id) : rd_kafka_mock_broker_set_down(cluster, id)
    }

    /// Delays a broker's answers.
    public func setRoundTrip(_ duration: Duration, broker: Int) {
        _ = unsafe rd_kafka_mock_broker_set_rtt(cluster, Int32(clamping: broker), duration.cMilliseconds)
    }
}
