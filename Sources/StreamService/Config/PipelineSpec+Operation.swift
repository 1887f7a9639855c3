internal import ConnectorKit
private import KafkaConnector

/// How the query is run: budgets, errors, places.
extension PipelineSpec {
    static let operationFields = [
        FieldSpec(
            "errors", .section(errors),
            doc: "What becomes of records that cannot be decoded, computed or written.", default: "{}"),
        FieldSpec(
            "memory", .bytes(16 << 20...1 << 40),
            doc:
                "One budget for fetched records, batches, state cache and output. When it is full, reading pauses. "
                + "K, M and G "
                + "are powers of 1024.",
            default: "256MB"),
        FieldSpec(
            "latency-target", .duration(.milliseconds(1) ... .seconds(3600)),
            doc:
                "How old a record may be when its effects are committed: epochs are as long as this allows under "
                + "load, and "
                + "short when there is little to do.",
            default: "20ms"),
        FieldSpec(
            "state-dir", .text,
            doc: "The folder that keeps the instance's identity and local state over restarts. Left out: systemd's "
                + "`STATE_DIRECTORY`, else `millrace` in `XDG_STATE_HOME` or `~/.local/state`. Where that cannot be "
                + "written, the identity is per process and recovery after a crash waits for time-outs.",
            example: "/var/lib/millrace/valid-orders"),
        FieldSpec(
            "shards", .integer(1...4096),
            doc: "How many parts keyed state is hashed into; fixed when the query is first started.", default: "16"),
        FieldSpec(
            "http", .section(http), doc: "Serves `/healthz`, `/readyz` and `/metrics`. Left out: no server."),
        FieldSpec(
            "create-topics", .bool,
            doc:
                "Whether the query creates its own topics (progress, control, dead letters) where they are missing. "
                + "`false` leaves them to an administrator: `millrace plan` lists them. Input and output topics are "
                + "never created.",
            default: "true"),
    ]

    private static let errors = SectionSpec(
        [
            FieldSpec(
                "policy", .choice(PipelineConfig.Errors.Policy.allCases.map(\.rawValue)),
                doc:
                    "`fail` stops the query, `skip` counts the record and goes on, `dead-letter` writes it to "
                    + "`topic` with cause "
                    + "and position, in the same transaction.",
                default: "fail"),
            FieldSpec(
                "topic", .text, doc: "Where dead letters go.", example: "orders-dlq",
                lint: FieldSpec.texts { KafkaNames.topicComplaint($0) }),
            FieldSpec(
                "ceiling", .integer(0 ... .max),
                doc: "The query stops when more records than this were bad since it was started. Left out: no limit.",
                example: "1000"),
        ],
        rules: [
            { section in
                let policy = section.text("policy")
                if policy == "dead-letter", !section.wasGiven("topic") {
                    return [section.issue(at: "policy", "dead-letter needs a 'topic', for example 'topic: orders-dlq'")]
                }
                if let policy, policy != "dead-letter", section.wasGiven("topic") {
                    return [
                        section.issue(at: "topic", "has no effect with policy \(policy): set 'policy: dead-letter'")
                    ]
                }
                if policy == "fail", section.wasGiven("ceiling") {
                    return [
                        section.issue(
                            at: "ceiling", "has no effect with policy fail: the first bad record stops the query")
                    ]
                }
                return []
            }
        ])

    private static let http = SectionSpec([
        FieldSpec(
            "listen", .text,
            doc:
                "Address and port on the loopback interface. Other interfaces need a token, which is not supported "
                + "yet.",
            default: "127.0.0.1:8080", lint: FieldSpec.texts { ListenAddress.complaint($0) })
    ])
}

extension ListenAddress {
    /// What is wrong with a text as an address to listen on; nil where nothing is.
    static func complaint(_ text: String) -> String? {
        guard let address = try? ListenAddress(parsing: text) else {
            return "expected ADDRESS:PORT, such as 127.0.0.1:8080"
        }
        if address.isLoopback { return nil }
        return "only loopback addresses (127.0.0.1, [::1], localhost) are supported: others would need a token; "
            + "put a proxy in front"
    }
}
