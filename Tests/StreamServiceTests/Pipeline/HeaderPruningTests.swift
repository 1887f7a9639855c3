import Testing

@testable import StreamService

/// Headers cost an allocation a record: they are read only where they can be seen again.
@Suite struct HeaderPruningTests {
    @Test(arguments: [
        ("json", "SELECT id FROM s", "{ policy: fail }", false),
        ("json", "SELECT id FROM s WHERE size(_headers) > 0", "{ policy: fail }", true),
        ("json", "SELECT id FROM s", "{ policy: skip }", false),
        ("json", "SELECT id FROM s", "{ policy: dead-letter, topic: dlq }", true),
        ("json", "SELECT * FROM s", "{ policy: fail }", true),
        ("raw", "SELECT value FROM s", "{ policy: fail }", false),
        ("raw", "SELECT value, headers FROM s", "{ policy: fail }", true),
    ])
    func readsHeaders(_ format: String, _ query: String, _ policy: String, _ expected: Bool) throws {
        let schema = format == "json" ? #", schema: "id BIGINT""# : ""
        let yaml = """
            name: q
            sources:
              s: { kafka: { topics: [in] }, format: \(format)\(schema) }
            query: \(query)
            sinks:
              out: { kafka: { topic: out }, format: json }
            errors: \(policy)
            """
        let reading = PipelineSample(checks: .sql, brokers: ["b:1"]).read(yaml)
        let config = try #require(reading.config, "\(reading.issues)")
        #expect(try PipelineQuery(config).readsHeaders(config) == expected)
    }
}
