import ConnectorKit
import StreamCore
import StreamService
import Testing

@Suite struct PipelineLintTests {
    private let sample = PipelineSample(variables: ["MILLRACE_BROKERS": "b:1"])

    @Test func fiveMistakesAreFiveLocatedIssues() {
        let yaml = """
            name: valid orders
            trigger: 500
            sources:
              orders:
                kafka: { brokers: ["localhost:9092"], topics: [orders], topics-pattern: "o.*" }
                format: raw
            query: SELECT value FROM orders
            sinks:
              out: { kafka: { topik: valid-orders } }
            errors: { policy: dead-letter }
            """
        #expect(
            sample.issues(yaml) == [
                "p.yaml:1:7: name: may hold only letters a-z, digits, '.', '_' and '-', as Kafka's topics do",
                "p.yaml:2:10: trigger: expected asap, once or available-now or a duration such as 500ms, 20s or 5m, "
                    + "found '500'",
                "p.yaml:5:61: sources.orders.kafka.topics-pattern: cannot stand beside 'topics': "
                    + "give 'topics' or 'topics-pattern', not both",
                "p.yaml:9:19: sinks.out.kafka.topik: unknown field, did you mean 'topic'?",
                "p.yaml:10:11: errors.policy: dead-letter needs a 'topic', for example 'topic: orders-dlq'",
            ])
    }

    @Test(arguments: [
        ("nme: x", "p.yaml:10:1: nme: unknown field, did you mean 'name'?"),
        ("zzz: x", "p.yaml:10:1: zzz: unknown field"),
        ("shards: many", "p.yaml:10:9: shards: expected an integer, found 'many'"),
        ("shards: 0", "p.yaml:10:9: shards: must be between 1 and 4096, found '0'"),
        ("shards: 99999999999999999999", "p.yaml:10:9: shards: expected an integer, found '99999999999999999999'"),
        ("shards: [1]", "p.yaml:10:9: shards: expected an integer, found a list"),
        ("shards:", "p.yaml:10:1: shards: has no value: expected an integer"),
        ("memory: 256", "p.yaml:10:9: memory: must be between 16MB and 1TB, found '256'"),
        ("memory: 256XB", "p.yaml:10:9: memory: expected a size such as 64KB, 256MB or 1GB, found '256XB'"),
        (
            "latency-target: 20",
            "p.yaml:10:17: latency-target: expected a duration such as 500ms, 20s or 5m, found '20'"
        ),
        (
            "guarantee: exactly_once",
            "p.yaml:10:12: guarantee: expected exactly-once or at-least-once, found 'exactly_once', did you mean "
                + "'exactly-once'?"
        ),
        ("create-topics: yes", "p.yaml:10:16: create-topics: expected true or false, found 'yes'"),
        (
            "errors: { policy: skip, topic: t }",
            "p.yaml:10:25: errors.topic: has no effect with policy skip: set 'policy: dead-letter'"
        ),
        (
            "errors: { ceiling: 3 }",
            "p.yaml:10:11: errors.ceiling: has no effect with policy fail: the first bad record stops the query"
        ),
        (
            "errors: { policy: dead-letter, topic: in }",
            "p.yaml:10:39: errors.topic: the query reads this topic: its dead letters would come back for ever"
        ),
        ("http: { listen: 8080 }", "p.yaml:10:17: http.listen: expected ADDRESS:PORT, such as 127.0.0.1:8080"),
        (
            "http: { listen: \"0.0.0.0:8080\" }",
            "p.yaml:10:17: http.listen: only loopback addresses (127.0.0.1, [::1], localhost) are supported: others "
                + "would need a token; put a proxy in front"
        ),
        ("name: twice", "p.yaml:10:1: the key 'name' was given already in line 1"),
        ("shards: !!int 3", "p.yaml:10:9: the tag 'tag:yaml.org,2002:int' is not supported: leave it out"),
        (
            "state-dir: \"${NOPE}\"",
            "p.yaml:10:12: the environment variable NOPE is not set; '${NOPE:-…}' would give it a default"
        ),
    ])
    func topLevel(line: String, issue: String) {
        #expect(sample.issues(PipelineSample.with(line)).first == issue)
    }

    @Test(arguments: [
        ("kafka: { topics: [in], topic: x }", "sources.s.kafka.topic: unknown field, did you mean 'topics'?"),
        ("kafka: {}", "sources.s.kafka: what to read is missing: give 'topics' or 'topics-pattern'"),
        ("kafka: { topics: in }", "sources.s.kafka.topics: expected a list such as [a, b], found 'in'"),
        ("kafka: { topics: [] }", "sources.s.kafka.topics: must name at least one topic"),
        (
            "kafka: { topics: [in, \"a b\"] }",
            "sources.s.kafka.topics[1]: may hold only letters a-z, digits, '.', '_' and '-', as Kafka's topics do"
        ),
        (
            "kafka: { topics: [in], brokers: [\"b:x\"] }",
            "sources.s.kafka.brokers[0]: expected HOST:PORT, such as localhost:9092"
        ),
        (
            "kafka: { topics: [in], start: erliest }",
            "sources.s.kafka.start: expected earliest or latest, a timestamp such as 2026-01-31T12:00:00Z or a map "
                + "of topics, found 'erliest', did you mean 'earliest'?"
        ),
        (
            "kafka: { topics: [in], start: { im: { 0: 1 } } }",
            "sources.s.kafka.start.im: is not one of the topics, did you mean 'in'?"
        ),
        (
            "kafka: { topics: [in], start: { in: { x: 1 } } }",
            "sources.s.kafka.start.in.x: expected the number of a partition"
        ),
        (
            "kafka: { topics: [in], start: { in: { 0: -3 } } }",
            "sources.s.kafka.start.in.0: must be at least -2, found '-3'"
        ),
        (
            "kafka: { topics: [in], on-data-loss: ignore }",
            "sources.s.kafka.on-data-loss: expected fail or continue, found 'ignore'"
        ),
        (
            "kafka: { topics: [in], max-offsets-per-trigger: 0 }",
            "sources.s.kafka.max-offsets-per-trigger: must be at least 1, found '0'"
        ),
        (
            "kafka: { topics: [in], options: { isolation.level: read_uncommitted } }",
            "sources.s.kafka.options.isolation.level: cannot be set: reading uncommitted records would let aborted "
                + "ones through"
        ),
        (
            "kafka: { topics: [in], options: { group.id: g } }",
            "sources.s.kafka.options.group.id: cannot be set: the group's identity comes from the pipeline's name"
        ),
        (
            "generate: { rate: 0, value: x }",
            "sources.s.generate.rate: must be between 0.001 and 1000000000.0, found '0'"
        ),
        (
            "generate: {}",
            "sources.s.generate: required field 'value' is missing, for example 'value: '{\"id\": {{sequence}}}''"
        ),
        (
            "generate: { value: \"{{sequense}}\" }",
            "sources.s.generate.value: unknown placeholder 'sequense', did you mean 'sequence'?"
        ),
        ("file: { path: \"\" }", "sources.s.file.path: must not be empty"),
        ("kafak: { topics: [in] }", "sources.s.kafak: unknown field, did you mean 'kafka'?"),
    ])
    func sources(source: String, issue: String) {
        let found = sample.read(PipelineSample.with(source: source)).issues
        #expect(found.map { "\($0.path): \($0.message)" }.contains(issue), "\(found)")
        #expect(found.allSatisfy { $0.place.line == 4 })
    }

    @Test(arguments: [
        (
            "kafka: { topic: out, topic-from: c }",
            "sinks.out.kafka.topic-from: cannot stand beside 'topic': give 'topic' or 'topic-from', not both"
        ),
        (
            "kafka: { topic: out, options: { acks: 1 } }",
            "sinks.out.kafka.options.acks: cannot be set: records could be lost, repeated or reordered"
        ),
        (
            "stdout: {}",
            "sinks.out.stdout: cannot keep exactly-once: what an epoch wrote before it failed is written again; set "
                + "'guarantee: at-least-once'"
        ),
        ("stdout: { colour: red }", "sinks.out.stdout.colour: unknown field"),
        ("kafka: { topic: in }", "sinks.out.kafka.topic: the query reads this topic as well, and so its own output"),
    ])
    func sinks(sink: String, issue: String) {
        let found = sample.read(PipelineSample.with(sink: sink)).issues
        #expect(found.map { "\($0.path): \($0.message)" }.contains(issue), "\(found)")
        #expect(found.allSatisfy { $0.place.line == 9 })
    }

    @Test func stdoutIsFineAtLeastOnce() {
        #expect(sample.issues(PipelineSample.with("guarantee: at-least-once", sink: "stdout: {}")) == [])
    }

    @Test func generateAndFileKeepExactlyOnce() {
        #expect(sample.issues(PipelineSample.with(source: "generate: { value: \"{{sequence}}\" }")) == [])
        #expect(sample.issues(PipelineSample.with(source: "file: { path: /data }")) == [])
    }

    @Test func sourcesThatCannotRepeatAreRefused() {
        struct Gauge: Connector {
            let spec = ConnectorSpec(
                name: "gauge", summary: "", guarantee: "", source: SourceSpec(SectionSpec([]), isReplayable: false),
                example: "")
        }
        let registry = ConnectorRegistry(BuiltinConnectors.registry.connectors + [Gauge()])
        let sample = PipelineSample(variables: ["MILLRACE_BROKERS": "b:1"], registry: registry)
        #expect(
            sample.issues(PipelineSample.with(source: "gauge: {}")) == [
                "p.yaml:4:5: sources.s.gauge: cannot keep exactly-once: it does not give the same records again after "
                    + "a failure; set 'guarantee: at-least-once'"
            ])
        #expect(sample.issues(PipelineSample.with("guarantee: at-least-once", source: "gauge: {}")) == [])
    }

    @Test func deadLettersNeedKafka() {
        let yaml = PipelineSample.with(
            "guarantee: at-least-once\nerrors: { policy: dead-letter, topic: d }", source: "file: { path: /data }",
            sink: "stdout: {}")
        #expect(
            PipelineSample().issues(yaml) == [
                "p.yaml:11:11: errors.policy: dead letters go to Kafka: set MILLRACE_BROKERS, or use a Kafka sink"
            ])
        #expect(sample.issues(yaml) == [])
    }

    @Test func brokersMustComeFromSomewhere() {
        #expect(
            PipelineSample().issues(PipelineSample.with()) == [
                "p.yaml:4:12: sources.s.kafka: 'brokers' is missing, and MILLRACE_BROKERS is not set"
            ])
    }

    @Test(arguments: [
        ("[embedded]", "[embedded]", nil), ("[embedded]", "[\"embedded:9092\"]", nil),
        (
            "[\"embedded:9093\"]", "[\"embedded:9092\"]",
            "p.yaml:9:26: sinks.out.kafka.brokers: there is one embedded broker, and it has another port already"
        ),
        (
            "[embedded, \"a:1\"]", "[embedded]",
            "p.yaml:4:37: sources.s.kafka.brokers: 'embedded' stands alone: it is a cluster of its own"
        ),
        (
            "[embedded], options: { sasl.username: me }", "[embedded]",
            "p.yaml:4:49: sources.s.kafka.options: the embedded broker knows neither TLS nor logins: leave out "
                + "'sasl.username'"
        ),
    ])
    func theEmbeddedBrokerIsOneAndOpen(source: String, sink: String, issue: String?) {
        let yaml = PipelineSample.with(
            source: "kafka: { topics: [in], brokers: \(source) }", sink: "kafka: { topic: out, brokers: \(sink) }")
        #expect(PipelineSample().issues(yaml) == [issue].compactMap(\.self))
    }

    @Test func missingFieldsAreNamed() {
        #expect(
            sample.issues("name: q\n") == [
                "p.yaml:1:1: required field 'sources' is missing",
                "p.yaml:1:1: required field 'query' is missing, for example "
                    + "'query: SELECT id, upper(customer) AS customer FROM orders'",
                "p.yaml:1:1: required field 'sinks' is missing",
            ])
    }

    @Test func formatsAndSchemasGoTogether() {
        #expect(
            sample.issues(PipelineSample.with(format: "format: json")) == [
                "p.yaml:4:5: sources.s: format json needs a 'schema', for example 'schema: \"id BIGINT, name STRING\"'"
            ])
        #expect(
            sample.issues(PipelineSample.with(format: "format: raw\n    schema: \"id INT\"")) == [
                "p.yaml:6:5: sources.s.schema: has no place with format raw, whose columns are key, value, topic, …"
            ])
    }
}
