import CommitProtocol
import ConnectorKit
import KafkaClient
import KafkaConnector
import StreamCore
import StreamEngine

/// Looks at the clusters before a query starts: creates its internal topics, checks what a guarantee rests on, learns
/// the limits of the output topics.
struct ClusterPreparation {
    /// What was found.
    struct Answer: Sendable {
        /// The largest record of each sink's topic, by the sink's name.
        var recordBytesMax: [String: Int] = [:]
    }

    let config: PipelineConfig
    let log: any LogHandler

    /// Of each call: short, since a stop waits for it, and since it is tried again anyway.
    private static let patience = Duration.seconds(3)

    /// One try; everything in it is bounded by deadlines.
    /// - Throws: `KafkaError` (to be tried again where it is passing) or `StreamError` (a plan that must be refused).
    func run() throws -> Answer {
        guard let cluster = config.cluster else { return Answer() }
        let admin = try Admin(cluster.settings, log: log)
        defer { admin.close(within: .seconds(2)) }
        do {
            return try run(admin, cluster)
        } catch let error as KafkaError where error.code == .timedOut || error.code == .transport {
            throw admin.lastConnectionError ?? error
        }
    }

    private func run(_ admin: Admin, _ cluster: KafkaConnection) throws -> Answer {
        var answer = Answer()
        try refuseOtherClusters(admin, cluster)
        let own = internalTopics
        if config.createTopics, !own.isEmpty {
            for topic in try admin.create(own, within: Self.patience).sorted() {
                log.info("Created the topic '\(topic)'.")
            }
        }
        try checkTopics(admin, own.map(\.name))
        for sink in config.sinks {
            guard case .kafka(let kafka) = sink.output else { continue }
            answer.recordBytesMax[sink.name] = recordBytesMax(admin, kafka)
        }
        return answer
    }

    /// The topics that belong to the query itself, with their settings.
    var internalTopics: [NewTopic] {
        var topics: [NewTopic] = []
        if config.isOwned {
            topics.append(NewTopic(CommitOptions.controlTopic(of: config.name), partitions: 1))
            topics.append(.compacted(CommitOptions.progressTopic(of: config.name)))
        }
        if let topic = config.errors.topic { topics.append(NewTopic(topic, partitions: 1)) }
        return topics
    }

    /// A transaction spans one cluster: the same id, whatever the addresses.
    private func refuseOtherClusters(_ admin: Admin, _ cluster: KafkaConnection) throws {
        guard config.guarantee == .exactlyOnce else { return }
        let others = config.kafkaConnections.filter { Set($0.connection.brokers) != Set(cluster.brokers) }
        guard !others.isEmpty else { return }
        let id = try admin.clusterID()
        for other in others {
            let otherAdmin = try Admin(other.connection.settings, log: log)
            defer { otherAdmin.close(within: .seconds(2)) }
            let otherID = try otherAdmin.clusterID()
            guard otherID != id else { continue }
            throw StreamError(
                "OTHER_CLUSTER",
                "'\(other.name)' is on another cluster than the query's progress (\(otherID), not \(id)), "
                    + "and no transaction spans two.",
                remedy: "Use one cluster, or set 'guarantee: at-least-once'.", domain: .user)
        }
    }

    private func checkTopics(_ admin: Admin, _ own: [TopicName]) throws {
        var wanted = Set(own)
        for sink in config.sinks {
            if case .kafka(let kafka) = sink.output, case .topic(let topic) = kafka.target { wanted.insert(topic) }
        }
        guard !wanted.isEmpty else { return }
        for topic in try admin.describe(wanted.sorted(), within: Self.patience) {
            if let error = topic.error { throw error }
        }
    }

    private func recordBytesMax(_ admin: Admin, _ kafka: KafkaSinkConfig) -> Int {
        let client = kafka.connection.options["message.max.bytes"].flatMap { Int($0.reveal()) } ?? 1_000_000
        guard case .topic(let topic) = kafka.target,
            let settings = try? admin.topicConfig(topic, within: Self.patience),
            let limit = settings["max.message.bytes"].flatMap({ Int($0) })
        else { return client }  // Not every user may read a topic's settings; the broker then says no by itself.
        return min(client, limit)
    }
}

extension PipelineConfig {
    /// Every Kafka connection of a source or sink, with its name.
    var kafkaConnections: [(name: String, connection: KafkaConnection)] {
        sources.compactMap { source in
            if case .kafka(let kafka) = source.input { (source.name, kafka.connection) } else { nil }
        }
            + sinks.compactMap { sink in
                if case .kafka(let kafka) = sink.output { (sink.name, kafka.connection) } else { nil }
            }
    }
}

extension KafkaConnection {
    /// For the client; secrets are revealed here and nowhere else.
    var settings: KafkaSettings { KafkaSettings(brokers: brokers, properties: options.mapValues { $0.reveal() }) }
}
