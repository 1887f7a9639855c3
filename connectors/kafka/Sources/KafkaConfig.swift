public import ConnectorKit
public import StreamCore

/// Where a cluster is, and how to log in: what a source, a sink and the query's own topics share.
public struct KafkaConnection: Sendable, Hashable {
    /// `host:port` each, or `embedded` alone.
    public var brokers: [String]
    /// librdkafka properties, checked against `ProtectedProperty`.
    public var options: [String: SettingValue]

    public init(brokers: [String], options: [String: SettingValue] = [:]) {
        self.brokers = brokers
        self.options = options
    }

    /// Of a broker inside this process; 0: the system chooses. Nil where the brokers are others.
    public var embeddedPort: UInt16? {
        brokers.lazy.compactMap(KafkaNames.embeddedPort).first
    }

    /// The part of the options that says how to connect and log in.
    public var loginOptions: [String: SettingValue] {
        options.filter { name, _ in
            name == "security.protocol" || name.hasPrefix("sasl.") || name.hasPrefix("ssl.")
                || name == "client.dns.lookup"
                || name == "enable.ssl.certificate.verification" || name == "broker.address.family"
        }
    }
}

/// The settings of a Kafka source.
public struct KafkaSourceConfig: Sendable, Hashable {
    /// Which topics are read: `topics` or `topics-pattern`.
    public enum Topics: Sendable, Hashable {
        case names([TopicName])
        /// A regular expression for whole names.
        case pattern(String)
    }

    /// Where splits without progress begin: `start`.
    public enum Start: Sendable, Hashable {
        case earliest
        case latest
        /// Milliseconds since 1970-01-01 UTC.
        case timestamp(milliseconds: Int64)
        case offsets([Split: StartPosition])
    }

    /// What follows when records were deleted before they were read: `on-data-loss`.
    public enum DataLossPolicy: String, Sendable { case fail, `continue` }

    public var connection: KafkaConnection
    public var topics: Topics
    public var start: Start
    public var onDataLoss: DataLossPolicy
    /// Over all partitions; nil: no limit.
    public var offsetsPerTriggerMax: Int64?

    public init(
        connection: KafkaConnection, topics: Topics, start: Start = .latest, onDataLoss: DataLossPolicy = .fail,
        offsetsPerTriggerMax: Int64? = nil
    ) {
        self.connection = connection
        self.topics = topics
        self.start = start
        self.onDataLoss = onDataLoss
        self.offsetsPerTriggerMax = offsetsPerTriggerMax
    }

    /// From settings that were checked without errors; brokers are empty where they were left out.
    public init?(_ settings: CheckedSection) {
        if let names = settings.texts("topics") {
            topics = .names(names.map { TopicName($0) })
        } else if let pattern = settings.text("topics-pattern") {
            topics = .pattern(pattern)
        } else {
            return nil
        }
        connection = KafkaConnection(settings)
        start = Start(settings["start"])
        onDataLoss = settings.text("on-data-loss").flatMap(DataLossPolicy.init) ?? .fail
        offsetsPerTriggerMax = settings.integer("max-offsets-per-trigger")
    }

    /// Where to begin in a split that was there when the query first started and has no progress.
    public func startPosition(of split: Split) -> StartPosition {
        switch start {
        case .earliest: .earliest
        case .latest: .latest
        case .timestamp(let milliseconds): .timestamp(milliseconds: milliseconds)
        case .offsets(let offsets): offsets[split] ?? .earliest
        }
    }
}

/// The settings of a Kafka sink.
public struct KafkaSinkConfig: Sendable, Hashable {
    /// Which topic a row goes to: `topic` or `topic-from`.
    public enum Target: Sendable, Hashable {
        case topic(TopicName)
        /// The column that names the topic of each row.
        case column(String)
    }

    public var connection: KafkaConnection
    public var target: Target
    /// Columns of the query's result; nil where left out.
    public var key: String?
    public var value: String?
    public var headers: String?
    public var partition: String?
    public var timestamp: String?

    public init(
        connection: KafkaConnection, target: Target, key: String? = nil, value: String? = nil, headers: String? = nil,
        partition: String? = nil, timestamp: String? = nil
    ) {
        self.connection = connection
        self.target = target
        self.key = key
        self.value = value
        self.headers = headers
        self.partition = partition
        self.timestamp = timestamp
    }

    /// From settings that were checked without errors; brokers are empty where they were left out.
    public init?(_ settings: CheckedSection) {
        if let topic = settings.text("topic") {
            target = .topic(TopicName(topic))
        } else if let column = settings.text("topic-from") {
            target = .column(column)
        } else {
            return nil
        }
        connection = KafkaConnection(settings)
        key = settings.text("key")
        value = settings.text("value")
        headers = settings.text("headers")
        partition = settings.text("partition")
        timestamp = settings.text("timestamp")
    }
}

extension KafkaConnection {
    /// The `brokers` and `options` of a source or sink.
    init(_ settings: CheckedSection) {
        brokers = (settings.texts("brokers") ?? []).flatMap(KafkaNames.brokers)
        options = settings.settings("options")
    }
}

extension KafkaSourceConfig.Start {
    init(_ value: CheckedValue?) {
        if let milliseconds = value?.instant {
            self = .timestamp(milliseconds: milliseconds)
        } else if let topics = value?.map {
            var offsets: [Split: StartPosition] = [:]
            for topic in topics {
                for partition in topic.value.map ?? [] {
                    guard let number = Int32(partition.key), let offset = partition.value.integer else { continue }
                    offsets[Split(TopicName(topic.key), PartitionID(number))] = Self.position(offset)
                }
            }
            self = .offsets(offsets)
        } else {
            self = value?.text == "earliest" ? .earliest : .latest
        }
    }

    /// As Spark numbers them: -2 earliest, -1 latest.
    private static func position(_ offset: Int64) -> StartPosition {
        switch offset {
        case -2: .earliest
        case -1: .latest
        default: .position(Position(offset))
        }
    }
}
