import ConnectorKit
import KafkaConnector
import StreamCore
import Testing

@testable import StreamService

@Suite struct PipelineConfigTests {
    @Test func readsThePipelineOfTheFrontPage() throws {
        let reading = PipelineSample().read(PipelineSample.orders)
        #expect(reading.issues.map(\.description) == [])
        let config = try #require(reading.config)
        #expect(config.name == QueryName("valid-orders"))
        #expect(config.guarantee == .exactlyOnce)
        #expect(config.trigger == .asap)
        #expect(config.errors == .init(policy: .deadLetter, topic: "orders-dlq", ceiling: nil))
        let source = try #require(config.sources.first)
        #expect(source.name == "orders" && source.format == .json)
        #expect(source.schemaText?.text.hasPrefix("id BIGINT") == true)
        guard case .kafka(let input) = source.input else { return #expect(Bool(false), "no Kafka source") }
        #expect(input.connection.brokers == ["localhost:9092"])
        #expect(input.connection.options == ["fetch.min.bytes": .text("1")])
        #expect(input.topics == .names(["orders"]))
        #expect(input.start == .earliest)
        #expect(input.onDataLoss == .fail && input.offsetsPerTriggerMax == nil)
        guard case .kafka(let output) = try #require(config.sinks.first).output else { return #expect(Bool(false)) }
        #expect(output.target == .topic("valid-orders") && output.key == "customer")
        #expect(output.connection.brokers == ["localhost:9092"])
        #expect(config.cluster?.brokers == ["localhost:9092"])
    }

    @Test func givesDefaults() throws {
        let config = try #require(
            PipelineSample(variables: ["MILLRACE_BROKERS": "a:1, b:2"]).read(PipelineSample.with()).config)
        #expect(config.guarantee == .exactlyOnce)
        #expect(config.errors == .init(policy: .fail, topic: nil, ceiling: nil))
        #expect(config.memoryBytes == 256 * 1024 * 1024)
        #expect(config.latencyTarget == .milliseconds(20))
        #expect(config.shards == 16)
        #expect(config.stateFolder == nil && config.http == nil)
        #expect(config.createTopics)
        #expect(config.cluster?.brokers == ["a:1", "b:2"])
        guard case .kafka(let input) = config.sources[0].input else { return #expect(Bool(false)) }
        #expect(input.start == .latest)
    }

    @Test func readsEveryFurtherKey() throws {
        let yaml = PipelineSample.with(
            """
            trigger: 500ms
            memory: 64MB
            latency-target: 5ms
            state-dir: /var/lib/q
            shards: 8
            http: { listen: "127.0.0.1:9100" }
            create-topics: false
            errors: { policy: skip, ceiling: 10 }
            """,
            source: """
                kafka: { brokers: ["b:9092"], topics-pattern: "in-.*", on-data-loss: continue,
                         max-offsets-per-trigger: 1000 }
                """,
            sink: """
                kafka: { topic-from: t, key: k, value: v, headers: h, partition: p, timestamp: ts,
                         options: { linger.ms: 5 } }
                """)
        let reading = PipelineSample().read(yaml)
        #expect(reading.issues.map(\.description) == [])
        let config = try #require(reading.config)
        #expect(config.trigger == .interval(.milliseconds(500)))
        #expect(config.memoryBytes == 64 << 20 && config.latencyTarget == .milliseconds(5))
        #expect(config.stateFolder == "/var/lib/q" && config.shards == 8 && !config.createTopics)
        #expect(config.http == ListenAddress(host: "127.0.0.1", port: 9100))
        #expect(config.errors == .init(policy: .skip, topic: nil, ceiling: 10))
        guard case .kafka(let input) = config.sources[0].input, case .kafka(let output) = config.sinks[0].output
        else { return #expect(Bool(false)) }
        #expect(
            input.topics == .pattern("in-.*") && input.onDataLoss == .continue && input.offsetsPerTriggerMax == 1000)
        #expect(
            output
                == KafkaSinkConfig(
                    connection: KafkaConnection(brokers: ["b:9092"], options: ["linger.ms": .text("5")]),
                    target: .column("t"),
                    key: "k", value: "v", headers: "h", partition: "p", timestamp: "ts"))
    }

    @Test(arguments: [
        ("earliest", KafkaSourceConfig.Start.earliest), ("latest", .latest),
        ("2026-01-01T00:00:00Z", .timestamp(milliseconds: 1_767_225_600_000)),
        ("1767225600000", .timestamp(milliseconds: 1_767_225_600_000)),
        (
            "{ in: { 0: 1500, 1: -2, 2: -1 } }",
            .offsets([Split("in", 0): .position(1500), Split("in", 1): .earliest, Split("in", 2): .latest])
        ),
    ])
    func readsStart(text: String, start: KafkaSourceConfig.Start) throws {
        let yaml = PipelineSample.with(source: "kafka: { brokers: [\"b:1\"], topics: [in], start: \(text) }")
        let config = try #require(PipelineSample().read(yaml).config)
        guard case .kafka(let input) = config.sources[0].input else { return #expect(Bool(false)) }
        #expect(input.start == start)
        if case .offsets = start { #expect(input.startPosition(of: Split("in", 9)) == .earliest) }
    }

    @Test(arguments: [
        ("once", PipelineConfig.Trigger.once), ("available-now", .availableNow), ("2s", .interval(.seconds(2))),
    ])
    func readsTriggers(text: String, trigger: PipelineConfig.Trigger) throws {
        let sample = PipelineSample(variables: ["MILLRACE_BROKERS": "b:1"])
        #expect(sample.read(PipelineSample.with("trigger: \(text)")).config?.trigger == trigger)
    }

    @Test func sinkLogsInAsItsSource() throws {
        let yaml = PipelineSample.with(
            source: """
                kafka: { brokers: ["b:1"], topics: [in],
                         options: { security.protocol: SASL_SSL, sasl.password: "${PW}", fetch.min.bytes: 9 } }
                """)
        let config = try #require(PipelineSample(variables: ["PW": "hush"]).read(yaml).config)
        #expect(
            config.cluster
                == KafkaConnection(
                    brokers: ["b:1"],
                    options: ["security.protocol": .text("SASL_SSL"), "sasl.password": .secret(Secret("hush"))]))
    }

    @Test func commandLineBrokersWin() throws {
        let sample = PipelineSample(variables: ["MILLRACE_BROKERS": "env:1"], brokers: ["cli:1"])
        #expect(sample.read(PipelineSample.orders).config?.cluster?.brokers == ["cli:1"])
    }

    @Test func stateFolderComesFromSystemd() {
        let sample = PipelineSample(variables: ["MILLRACE_BROKERS": "b:1", "STATE_DIRECTORY": "/var/lib/q:/x"])
        #expect(sample.read(PipelineSample.with()).config?.stateFolder == "/var/lib/q")
    }

    @Test(arguments: [("embedded", 0), ("embedded:9092", 9092), ("localhost:9092", nil), ("embedded.org:1", nil)])
    func knowsItsEmbeddedBroker(brokers: String, port: UInt16?) throws {
        let sample = PipelineSample(variables: ["MILLRACE_BROKERS": brokers])
        let config = try #require(sample.read(PipelineSample.with()).config)
        #expect(config.embeddedPort == port)
        #expect(config.dataTopics == ["in", "out"])
    }
}
