import ConnectorKit
import StreamCore
import StreamService

/// Reads pipelines from text, with an environment of the test's own.
struct PipelineSample {
    var variables: [String: String] = [:]
    var files: [String: String] = [:]
    var checks = PipelineChecks.none
    var brokers: [String]?
    var registry = BuiltinConnectors.registry

    func read(_ yaml: String) -> PipelineReading {
        let files = files
        let environment = ConfigEnvironment(variables: variables) { path in
            guard let text = files[path] else { throw FileProblem("does not exist") }
            return Array(text.utf8)
        }
        return PipelineReader(
            registry: registry, environment: environment, checks: checks, brokers: brokers
        ).read(Array(yaml.utf8), file: "p.yaml")
    }

    func issues(_ yaml: String) -> [String] { read(yaml).issues.map(\.description) }

    /// The pipeline of the project's front page, as it was specified.
    static let orders = """
        name: valid-orders                 # the query's identity: group id, transactional id, progress
        guarantee: exactly-once            # default; at-least-once must be asked for
        trigger: asap                      # asap | 500ms | once | available-now
        sources:
          orders:
            kafka: { brokers: ["localhost:9092"], topics: [orders], start: earliest, options: { fetch.min.bytes: 1 } }
            format: json
            schema: "id BIGINT, customer STRING, amount DOUBLE, ts TIMESTAMP, item STRUCT<sku: STRING, qty: INT>"
        query: |
          SELECT id, upper(customer) AS customer, amount * item.qty AS total, ts
          FROM orders WHERE amount > 0 AND item.sku IS NOT NULL
        sinks:
          out: { kafka: { topic: valid-orders, key: customer }, format: json }
        errors: { policy: dead-letter, topic: orders-dlq }     # fail (default) | skip | dead-letter
        """

    /// A pipeline that is right, with some more lines at the top level.
    static func with(
        _ more: String = "", source: String = "kafka: { topics: [in] }", format: String = "format: raw",
        sink: String = "kafka: { topic: out }"
    ) -> String {
        """
        name: q
        sources:
          s:
            \(source)
            \(format)
        query: SELECT value FROM s
        sinks:
          out:
            \(sink)
        \(more)
        """
    }
}
