import CRDKafka
public import StreamCore

/// A topic to create.
public struct NewTopic: Sendable, Hashable {
    public var name: TopicName
    public var partitions: Int
    /// nil: the broker's default.
    public var replication: Int?
    public var config: [String: String]

    public init(_ name: TopicName, partitions: Int, replication: Int? = nil, config: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.config = config
    }

    /// One that keeps the newest record of each key: for progress, which has few keys and is read at each recovery.
    public static func compacted(_ name: TopicName, partitions: Int = 1, replication: Int? = nil) -> NewTopic {
        NewTopic(
            name, partitions: partitions, replication: replication,
            config: ["cleanup.policy": "compact", "segment.bytes": "67108864", "min.cleanable.dirty.ratio": "0.1"])
    }

    /// One that keeps the newest record of each key, for state. Smaller segments than Kafka's 1 GiB, because the newest
    /// one is never compacted; how eagerly the others are is the cluster's choice.
    public static func changelog(_ name: TopicName, partitions: Int, replication: Int? = nil) -> NewTopic {
        NewTopic(
            name, partitions: partitions, replication: replication,
            config: ["cleanup.policy": "compact", "segment.bytes": "67108864"])
    }
}

/// A topic as the cluster describes it.
public struct TopicDescription: Sendable {
    public var name: TopicName
    public var partitionCount: Int
    /// It cannot be used: it does not exist, or may not be seen.
    public var error: KafkaError?
}

/// Creates, deletes and describes topics. Safe from any thread; every call blocks, up to its time-out: never on a
/// driver's.
public final class Admin: Sendable {
    private let client: SharedClient
    private let isOwner: Bool

    /// - Throws: `invalidArgument` for settings that librdkafka does not accept.
    public init(_ settings: KafkaSettings, log: any LogHandler = NullLog()) throws(KafkaError) {
        let context = ClientContext(name: "admin", log: log, settings: settings)
        let defaults = [("reconnect.backoff.max.ms", "5000")]
        client = try SharedClient(RD_KAFKA_PRODUCER, settings.conf(defaults: defaults), context)
        isOwner = true
    }

    /// Asks over a connection that is there already; closing it is not ours.
    init(sharing client: SharedClient) {
        self.client = client
        isOwner = false
    }

    /// The last error that the connection reported, unless it is long past: says why a call timed out (a login that was
    /// refused, a certificate that nobody trusts), which the call itself does not know.
    public var lastConnectionError: KafkaError? {
        _ = try? unsafe client.use { unsafe rd_kafka_poll($0, 0) }
        guard let error = client.context.recentError, error.code != .allBrokersDown else { return nil }
        return error
    }

    /// Creates topics. One that exists already is left as it is.
    /// - Returns: the topics that were created.
    @discardableResult
    public func create(_ topics: [NewTopic], within: Duration = .seconds(10)) throws(KafkaError) -> Set<TopicName> {
        guard !topics.isEmpty else { return [] }
        let requests = NewTopicArray()
        for topic in topics { try requests.add(topic) }
        let results = try unsafe ask("create topics", within) { client, options, queue in
            unsafe requests.withRaw { list, count in unsafe rd_kafka_CreateTopics(client, list, count, options, queue) }
        } read: { event in
            var count = 0
            let list = unsafe rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
            return unsafe Self.results(list, count)
        }
        var created: Set<TopicName> = []
        for result in results {
            guard let error = result.error else {
                created.insert(result.name)
                continue
            }
            if error.code != .topicExists { throw error.during("Could not create topic '\(result.name)'") }
        }
        return created
    }

    /// Deletes topics. One that does not exist counts as deleted.
    public func delete(_ topics: [TopicName], within: Duration = .seconds(10)) throws(KafkaError) {
        guard !topics.isEmpty else { return }
        var requests = unsafe topics.map { unsafe rd_kafka_DeleteTopic_new($0.text) }
        defer { unsafe rd_kafka_DeleteTopic_destroy_array(&requests, requests.count) }
        let results = try unsafe ask("delete topics", within) { client, options, queue in
            unsafe rd_kafka_DeleteTopics(client, &requests, requests.count, options, queue)
        } read: { event in
            var count = 0
            let list = unsafe rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count)
            return unsafe Self.results(list, count)
        }
        for result in results {
            if let error = result.error, error.code != .unknownTopic {
                throw error.during("Could not delete topic '\(result.name)'")
            }
        }
    }

    /// Deletes the records before these positions.
    public func deleteRecords(_ before: [Split: Position], within: Duration = .seconds(10)) throws(KafkaError) {
        guard !before.isEmpty else { return }
        let list = TopicPartitionList(before)
        let request = unsafe list.withRaw { unsafe rd_kafka_DeleteRecords_new($0) }
        defer { unsafe rd_kafka_DeleteRecords_destroy(request) }
        var requests = unsafe [request]
        let failed = try unsafe ask("delete records", within) { client, options, queue in
            unsafe rd_kafka_DeleteRecords(client, &requests, 1, options, queue)
        } read: { event in
            unsafe Self.firstFailure(event)
        }
        if let failed { throw failed }
    }

    /// Describes topics, or all of the cluster.
    public func describe(_ topics: [TopicName]? = nil, within: Duration = .seconds(10)) throws(KafkaError)
        -> [TopicDescription]
    {
        try client.metadata(topics, within: within).map { topic in
            TopicDescription(
                name: topic.name, partitionCount: topic.partitionCount,
                error: topic.error.map { KafkaError($0.raw, "Topic '\(topic.name)' cannot be used") })
        }
    }

    /// A topic's settings by name, such as `max.message.bytes` and `cleanup.policy`; those without a value are left
    /// out.
    /// - Throws: `unsupportedFeature` on librdkafka's mock cluster.
    public func topicConfig(_ topic: TopicName, within: Duration = .seconds(10)) throws(KafkaError) -> [String: String]
    {
        // The mock cluster has no controller: the request would wait for one until its time is over.
        if let id = try? client.clusterID(within: within), id.hasPrefix("mockCluster") {
            throw KafkaError(.unsupportedFeature, "The mock cluster knows no settings of topics.")
        }
        guard let resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.text) else {
            throw KafkaError(.invalidArgument, "'\(topic)' is no name of a topic.")
        }
        defer { unsafe rd_kafka_ConfigResource_destroy(resource) }
        var list: [OpaquePointer?] = unsafe [resource]
        let answer = try unsafe ask("describe topic '\(topic)'", within) { client, options, queue in
            unsafe rd_kafka_DescribeConfigs(client, &list, 1, options, queue)
        } read: { event in
            unsafe Self.config(event)
        }
        if let error = answer.error { throw error.during("Could not read the settings of topic '\(topic)'") }
        return answer.entries
    }

    /// The cluster's id: equal wherever one connects.
    public func clusterID(within: Duration = .seconds(10)) throws(KafkaError) -> String {
        try client.clusterID(within: within)
    }

    /// The splits' ends, first offsets or first offsets after an instant.
    public func positions(
        _ starts: [Split: StartPosition], within: Duration = .seconds(10)
    ) throws(KafkaError) -> [Split: Position] {
        var found: [Split: Position] = [:]
        var instants: [Split: Int64] = [:]
        for (split, start) in starts {
            switch start {
            case .earliest: instants[split] = SharedClient.earliest
            case .latest: instants[split] = SharedClient.latest
            case .timestamp(let milliseconds): instants[split] = max(0, milliseconds)
            case .position(let position): found[split] = position
            }
        }
        return try found.merging(client.offsets(at: instants, within: within)) { $1 }
    }

    /// Also when the deadline passes the client goes, later.
    public func close(within: Duration = .seconds(5)) {
        if isOwner { _ = unsafe client.close(within: within) }
    }

    // MARK: -

    private func ask<R>(
        _ what: String, _ within: Duration, _ send: (OpaquePointer, OpaquePointer?, OpaquePointer) -> Void,
        read: (OpaquePointer) -> R
    ) throws(KafkaError) -> R {
        try unsafe client.use { client throws(KafkaError) in
            let queue = unsafe QueueHandle(adopting: rd_kafka_queue_new(client))
            let options = unsafe rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_ANY)
            defer { unsafe rd_kafka_AdminOptions_destroy(options) }
            var text = [CChar](repeating: 0, count: 256)
            unsafe rd_kafka_AdminOptions_set_request_timeout(options, within.cMilliseconds, &text, text.count)
            return try unsafe queue.withRaw { queue throws(KafkaError) in
                unsafe send(client, options, queue)
                guard let event = unsafe rd_kafka_queue_poll(queue, within.cMilliseconds) else {
                    throw KafkaError(.timedOut, "Could not \(what) within \(within).")
                }
                defer { unsafe rd_kafka_event_destroy(event) }
                let code = unsafe rd_kafka_event_error(event)
                if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                    let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
                    throw KafkaError(code, "Could not \(what)", text: text)
                }
                return unsafe read(event)
            }
        }
    }
}
