public import ConnectorKit
public import KafkaConnector
public import StreamCore

/// A pipeline file, read and checked: everything that `run` and `plan` need.
public struct PipelineConfig: Sendable {
    /// What `guarantee` asks for.
    public enum Guarantee: String, Sendable, CaseIterable {
        case exactlyOnce = "exactly-once"
        case atLeastOnce = "at-least-once"
    }

    /// When epochs begin, and when the query ends: `trigger`.
    public enum Trigger: Sendable, Hashable {
        case asap
        case interval(Duration)
        case once
        case availableNow
    }

    /// How records are read and written: `format`.
    public enum Format: String, Sendable, CaseIterable { case json, raw }

    /// One entry of `sources`.
    public struct Source: Sendable {
        /// What the query calls it.
        public var name: String
        public var input: Input
        public var format: Format
        /// Nil with `format: raw`, whose columns are Spark's.
        public var schemaText: PlacedText?
        /// What `PipelineChecks.schema` made of it.
        public var schema: Schema?
        public var place: ConfigPlace
    }

    /// Where a source's records come from.
    public enum Input: Sendable {
        case kafka(KafkaSourceConfig)
        /// By the registry's connector of this name.
        case connector(name: String, settings: CheckedSection)
    }

    /// One entry of `sinks`.
    public struct Sink: Sendable {
        public var name: String
        public var output: Output
        public var format: Format
        public var place: ConfigPlace
    }

    /// Where a sink's records go.
    public enum Output: Sendable {
        case kafka(KafkaSinkConfig)
        case connector(name: String, settings: CheckedSection)
    }

    /// What happens to records that cannot be read or computed: `errors`.
    public struct Errors: Sendable, Hashable {
        /// What becomes of a bad record.
        public enum Policy: String, Sendable, CaseIterable {
            case fail, skip
            case deadLetter = "dead-letter"
        }

        public var policy: Policy
        /// Set if and only if the policy is `deadLetter`.
        public var topic: TopicName?
        /// The query stops when more records than this were bad in one run; nil: no limit.
        public var ceiling: Int64?

        public init(policy: Policy, topic: TopicName? = nil, ceiling: Int64? = nil) {
            self.policy = policy
            self.topic = topic
            self.ceiling = ceiling
        }
    }

    /// The file as it was named.
    public var file: String
    public var name: QueryName
    public var guarantee: Guarantee
    public var trigger: Trigger
    /// In the order of the file; at least one.
    public var sources: [Source]
    public var query: PlacedText
    /// In the order of the file; at least one.
    public var sinks: [Sink]
    public var errors: Errors
    public var memoryBytes: Int
    public var latencyTarget: Duration
    /// From `state-dir`, else systemd's `STATE_DIRECTORY`; nil: the identity is per process.
    public var stateFolder: String?
    public var shards: Int
    /// Nil: no HTTP server.
    package var http: ListenAddress?
    public var createTopics: Bool
    /// The cluster that holds the query's progress and dead letters: that of the first Kafka sink, else of the first
    /// Kafka source, else `MILLRACE_BROKERS`; nil: there is no Kafka.
    public var cluster: KafkaConnection?
}

/// Text inside a configuration whose own lines and columns can be told as places in the file: SQL, a schema.
public struct PlacedText: Sendable {
    public var text: String
    /// Where the scalar begins in the file.
    public var start: ConfigPlace
    /// Where the text's first line begins; nil where its lines are folded.
    public var firstLine: ConfigPlace?

    public init(_ text: String, start: ConfigPlace, firstLine: ConfigPlace? = nil) {
        self.text = text
        self.start = start
        self.firstLine = firstLine
    }

    init?(_ value: CheckedValue?) {
        guard let value, let text = value.text else { return nil }
        self.init(text, start: value.place, firstLine: value.scalar?.firstLine)
    }

    /// The place in the file of a line and column (from 1, in characters) of the text.
    public func place(line: Int, column: Int) -> ConfigPlace {
        guard let firstLine, line > 0, column > 0, line < 1 << 30, column < 1 << 30 else { return start }
        return ConfigPlace(file: firstLine.file, line: firstLine.line + line - 1, column: firstLine.column + column - 1)
    }
}
