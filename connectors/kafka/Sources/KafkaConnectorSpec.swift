public import ConnectorKit

/// Apache Kafka as a source and as a sink.
public struct KafkaConnector: Connector {
    public init() {}

    public var spec: ConnectorSpec { Self.spec }

    public static let spec = ConnectorSpec(
        name: "kafka",
        summary: "Reads and writes topics of Apache Kafka, input positions and output in one transaction.",
        guarantee: """
            Exactly once from Kafka to Kafka on one cluster: outputs, progress and input positions are committed in \
            one Kafka transaction an epoch, and readers with `isolation.level=read_committed` see an output record \
            if and only if its input is committed. With `guarantee: at-least-once` there are no transactions, and \
            records may be repeated after a failure, never lost.
            """,
        source: SourceSpec(SectionSpec(sourceFields, rules: [topicsRule, startRule]), isReplayable: true),
        sink: SinkSpec(SectionSpec(sinkFields, rules: [targetRule]), delivery: .inTransaction),
        example: """
            sources:
              orders:
                kafka: { brokers: ["localhost:9092"], topics: [orders], start: earliest }
                format: json
                schema: "id BIGINT, customer STRING, amount DOUBLE"
            sinks:
              out: { kafka: { topic: valid-orders, key: customer }, format: json }
            """,
        notes: ProtectedProperty.reference,
        limits: [
            "Exactly once needs source and sink on the same cluster; this is checked at start by the cluster's id.",
            "SCRAM logins fail with librdkafka before 2.6.1 against brokers from 3.9.1 on: use PLAIN, OAUTHBEARER, TLS "
                + "certificates or a newer librdkafka.",
        ])

    // MARK: - Fields

    private static let brokers = FieldSpec(
        "brokers", .list(.text),
        doc:
            "Where to connect first, as `host:port`. Left out: a sink takes those of the first Kafka source (with "
            + "that source's "
            + "`security.protocol`, `sasl.*` and `ssl.*` options), everything else those of `MILLRACE_BROKERS`. "
            + "`[embedded]` is a broker inside this process, for development and tests: its data are kept in the "
            + "state folder, and topics that are missing are created; `[embedded:9092]` chooses its port.",
        example: #"["localhost:9092"]"#,
        lint: { value in
            let issues = FieldSpec.texts(KafkaNames.brokersComplaint)(value)
            let all = (value.list ?? []).compactMap(\.text).joined(separator: ",")
            guard issues.isEmpty, !all.isEmpty, let complaint = KafkaNames.brokersComplaint(all) else { return issues }
            return [value.issue(complaint)]
        })

    private static let options = FieldSpec(
        "options", .settings(isSecret: isSecretProperty),
        doc:
            "Any [librdkafka property](https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md) "
            + "that no "
            + "guarantee rests on; the others are refused with the reason. A value may be read from a file: "
            + "`sasl.password: { file: /run/secrets/kafka }`.",
        example: "{ fetch.min.bytes: 1 }",
        lint: { value in
            (value.map ?? []).compactMap { entry in
                ProtectedProperty.reason(for: entry.key).map { entry.issue("cannot be set: \($0)") }
            }
        })

    private static let sourceFields = [
        brokers,
        FieldSpec(
            "topics", .list(.text), doc: "The topics to read, by name. This or `topics-pattern`.", example: "[orders]",
            lint: { value in
                let texts = value.list ?? []
                if texts.isEmpty { return [value.issue("must name at least one topic")] }
                return FieldSpec.texts { KafkaNames.topicComplaint($0) }(value)
            }),
        FieldSpec(
            "topics-pattern", .text,
            doc:
                "A regular expression for the names of the topics to read; new topics that match are found as they "
                + "appear.",
            example: "orders-.*"),
        FieldSpec(
            "start",
            .oneOf([
                .choice(["earliest", "latest"]), .instant,
                .map(key: "topic", .map(key: "partition", .integer(-2 ... .max))),
            ]),
            doc:
                "Where to begin in partitions without progress: `earliest`, `latest`, a timestamp (the first record "
                + "at or "
                + "after it), or offsets, `{orders: {0: 1500, 1: -2}}`, where -2 is earliest and -1 latest as in "
                + "Spark; "
                + "partitions that are not named begin at earliest. Once there is progress it wins.",
            default: "latest", example: "2026-01-31T12:00:00Z"),
        FieldSpec(
            "on-data-loss", .choice(["fail", "continue"]),
            doc: "What to do when records were deleted before they were read: stop, or go on at the first that exists.",
            default: "fail"),
        FieldSpec(
            "max-offsets-per-trigger", .integer(1 ... .max),
            doc: "At most so many offsets in one epoch, over all partitions in proportion to what they hold.",
            example: "100000"),
        options,
    ]

    private static let sinkFields = [
        brokers,
        FieldSpec(
            "topic", .text, doc: "The topic to write. This or `topic-from`.", example: "valid-orders",
            lint: FieldSpec.texts { KafkaNames.topicComplaint($0) }),
        FieldSpec("topic-from", .column, doc: "The column that names the topic of each row.", example: "destination"),
        FieldSpec(
            "key", .column, doc: "The column to write as the record's key. Left out: no key.", example: "customer"),
        FieldSpec(
            "value", .column,
            doc:
                "The column to write as the record's value. Left out: the whole row in the sink's format (with "
                + "`format: raw` the "
                + "column `value`)."),
        FieldSpec(
            "headers", .column, doc: "The column to write as headers: an array of structs of a name and a binary value."
        ),
        FieldSpec(
            "partition", .column,
            doc: "The column with the partition's number. Left out or null: by key, as Java clients choose it."),
        FieldSpec("timestamp", .column, doc: "The column with the record's timestamp. Left out: the time of writing."),
        options,
    ]

    // MARK: - Rules

    private static let topicsRule = SectionSpec.exactlyOne(of: ["topics", "topics-pattern"], what: "what to read")
    private static let targetRule = SectionSpec.exactlyOne(of: ["topic", "topic-from"], what: "where to write")

    /// Start offsets: of topics that are read, by partition numbers.
    private static let startRule: SectionSpec.Rule = { section in
        guard let entries = section["start"]?.map else { return [] }
        let topics = section.texts("topics")
        return entries.flatMap { topic -> [LintIssue] in
            var issues: [LintIssue] = []
            if let topics, !topics.contains(topic.key) {
                issues.append(
                    topic.issue("is not one of the topics\(Suggestion.ending(for: topic.key, among: topics))"))
            }
            for partition in topic.value.map ?? [] where Int32(partition.key).map({ $0 < 0 }) ?? true {
                issues.append(partition.issue("expected the number of a partition"))
            }
            return issues
        }
    }

    /// Properties whose values no message shows.
    @Sendable
    private static func isSecretProperty(_ name: String) -> Bool {
        ["password", "secret", "ssl.key.pem", "oauthbearer.config", "private.key"].contains { name.contains($0) }
            && !name.hasSuffix("location") && !name.hasSuffix(".file")
    }
}
