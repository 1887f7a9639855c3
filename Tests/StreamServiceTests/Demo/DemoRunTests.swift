import ConnectorKit
import KafkaConnector
import StreamCore
import StreamEngine
import Synchronization
import Testing

@testable import StreamService

@Suite struct DemoRunTests {
    private static let pipeline = """
        name: demo-test
        sources:
          clicks:
            kafka: { topics: [clicks], start: earliest }
            format: json
            schema: "user_id STRING, event STRING, price DOUBLE, quantity INT"
        query: SELECT user_id, price * quantity AS total FROM clicks WHERE event = 'purchase' AND price > 0
        sinks:
          out: { kafka: { topic: bought, key: user_id }, format: json }
        errors: { policy: dead-letter, topic: bad-clicks }
        """

    /// Lines of a screen that is no terminal.
    private final class Lines: Sendable {
        private let text = Mutex("")

        var screen: TerminalScreen {
            TerminalScreen(isTerminal: false) { bytes in
                self.text.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
                return true
            }
        }
        var all: [String] { text.withLock { $0 }.split(separator: "\n").map(String.init) }
    }

    private func config(_ text: String = pipeline) throws -> PipelineConfig {
        let reader = PipelineReader(
            registry: BuiltinConnectors.registry, environment: ConfigEnvironment(), checks: .sql,
            brokers: ["127.0.0.1:1"])
        return try #require(reader.read(Array(text.utf8), file: "demo.yaml").config)
    }

    /// The run blocks its thread, which must be none of the concurrency pool's.
    private func run(
        _ text: String = pipeline, duration: Duration, _ lines: Lines
    ) async throws -> StreamService.ExitStatus {
        let config = try config(text)
        return await withCheckedContinuation { continuation in
            startThread(name: "demo-test") {
                let request = RunRequest(
                    config: config, duration: duration, registry: BuiltinConnectors.registry, demo: .insideProcess)
                let environment = ConfigEnvironment(variables: ["MILLRACE_LOG": "error"])
                var demo = DemoRun(request, environment: environment)
                demo.screen = lines.screen
                continuation.resume(returning: demo.run())
            }
        }
    }

    /// The numbers of a line: `1,204 in, 3 out` has 1204 and 3.
    private func numbers(_ line: String) -> [Int] {
        line.filter { $0 != "," }.split { !$0.isNumber }.compactMap { Int($0) }
    }

    @Test(.timeLimit(.minutes(1)))
    func showsRecordsGoingInAndComingOut() async throws {
        let lines = Lines()
        #expect(try await run(duration: .seconds(5), lines) == .done)
        let shown = lines.all
        #expect(shown.dropFirst().first == "It keeps nothing.", "there is no home folder in this environment")
        #expect(shown.contains { $0.hasPrefix("  in   {\"user_id\":\"u") })
        #expect(shown.contains { $0.hasPrefix("  out  {\"user_id\":\"u") && $0.contains("\"total\":") })
        #expect(shown.contains { $0.hasPrefix("  bad  [TRUNCATED] {") || $0.hasPrefix("  bad  [WRONG_TYPE] {") })
        #expect(shown.contains { $0.hasPrefix("demo-test running") })

        let counts = numbers(try #require(shown.first { $0.hasPrefix("Done: ") }))
        try #require(counts.count == 5)
        let (generated, read, out, filtered, bad) = (counts[0], counts[1], counts[2], counts[3], counts[4])
        #expect(read > 1000 && read <= generated)
        #expect(out > 0 && bad > 0)
        #expect(read == out + filtered + bad)
        // All of it was committed, so a reader sees the same.
        #expect(numbers(try #require(shown.last)) == [out, bad])
    }

    @Test func refusesAPipelineWithNothingToShow() async throws {
        let text = """
            name: no-demo
            sources:
              clicks: { generate: { value: '{}' }, format: json, schema: "id INT" }
            query: SELECT id FROM clicks
            sinks:
              out: { kafka: { topic: bought }, format: json }
            """
        #expect(try await run(text, duration: .seconds(1), Lines()) == .usage)
    }

    @Test func changesOnlyWhatTheEmbeddedBrokerCannotDo() throws {
        var config = try config()
        let cluster = KafkaConnection(
            brokers: ["far:9092"],
            options: ["security.protocol": .text("SASL_SSL"), "sasl.username": .text("me"), "linger.ms": .text("3")])
        config.cluster = cluster
        if case .kafka(var kafka) = config.sources[0].input {
            kafka.connection = cluster
            config.sources[0].input = .kafka(kafka)
        }
        let changed = DemoPlan.moved(config, to: ["127.0.0.1:7"])
        let expected = KafkaConnection(brokers: ["127.0.0.1:7"], options: ["linger.ms": .text("3")])
        #expect(changed.cluster == expected)
        #expect(changed.kafkaConnections.map(\.connection.brokers) == [["127.0.0.1:7"], ["127.0.0.1:7"]])
        #expect(changed.kafkaConnections.first?.connection == expected)
        #expect(changed.createTopics)
        #expect(changed.guarantee == .exactlyOnce && changed.errors == config.errors)
        let plan = try DemoPlan(changed)
        #expect(plan.input == "clicks" && plan.output == "bought" && plan.config.dataTopics == ["clicks", "bought"])
    }
}
