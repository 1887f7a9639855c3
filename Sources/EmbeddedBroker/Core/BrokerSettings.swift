/// What can be set of a broker. Names in comments are Kafka's; defaults are Kafka's but where a comment says so.
package struct BrokerSettings: Sendable {
    /// `node.id`
    package var nodeId: Int32 = 1
    /// `advertised.listeners`
    package var advertisedHost = "localhost"
    package var advertisedPort: Int32 = 9_092
    /// `num.partitions`
    package var partitionsDefault: Int32 = 1
    /// `auto.create.topics.enable`
    package var autoCreatesTopics = true
    /// Of one topic, and of all topics that one request makes, as in Kafka.
    package var partitionsMax: Int32 = 10_000
    /// Settings of topics that do not have their own, by the topic's name for them (`retention.ms` stands for
    /// `log.retention.ms`, `max.message.bytes` for `message.max.bytes`).
    package var topicDefaults: [String: String] = [:]
    /// `fetch.max.bytes`
    package var fetchBytesMax = 57_671_680
    /// `log.retention.check.interval.ms`
    package var retentionCheckIntervalMs: Int64 = 300_000
    /// `log.cleaner.backoff.ms`
    package var compactionCheckIntervalMs: Int64 = 15_000
    /// `offsets.retention.check.interval.ms`
    package var offsetsCheckIntervalMs: Int64 = 600_000
    /// `producer.id.expiration.ms`
    package var producerIdExpirationMs: Int64 = 86_400_000
    /// `group.*` and `offsets.*`
    package var groups: GroupSettings
    /// `transaction.max.timeout.ms`, `transactional.id.expiration.ms`
    package var transactions = TransactionSettings()
    /// How much the broker's own log may grow before it is compacted.
    package var stateDirtyBytesMax: Int64 = 4 << 20
    /// How long to wait before markers that could not be written are tried again.
    package var markerRetryMs: Int64 = 1_000

    package init() {
        groups = GroupSettings()
        // Kafka waits for 3 s; its own development set-ups use 0.
        groups.initialRebalanceDelayMs = 0
    }

    /// What is wrong with them, or nil.
    package var fault: String? {
        if partitionsDefault < 1 || partitionsDefault > partitionsMax { return "num.partitions is out of its range" }
        return TopicConfig(own: topicDefaults).fault(defaults: [:])
    }
}
