import CommitProtocol
import ConnectorKit
import StreamCore
import StreamEngine
import Testing

@testable import StreamService

/// Counts balance (invariant 7) whatever is wrong with a record, and at whatever stage.
@Suite struct SQLProgramTests {
    private static let values = [
        #"{"id": 1, "n": "10"}"#,  // written
        #"{"id": 2, "n": "0"}"#,  // filtered
        #"{"id": 3, "n""#,  // decode: it ends too early
        #"{"id": 4, "n": "x"}"#,  // evaluation: a cast
        #"{"id": 5, "n": "2000"}"#,  // encode: over the limit
        #"{"id": 6, "n": "20"}"#,  // written
    ]

    private func program(policy: String, sinks: String, writers: [String: SinkWriter] = [:]) throws -> any TaskProgram {
        let yaml = """
            name: q
            sources:
              s: { kafka: { topics: [in] }, format: json, schema: "id BIGINT, n STRING" }
            query: SELECT id, repeat('x', CAST(n AS INT)) AS text FROM s WHERE CAST(n AS INT) > 0
            sinks:
            \(sinks)
            errors: \(policy)
            """
        let reading = PipelineSample(checks: .sql, brokers: ["b:1"]).read(yaml)
        let config = try #require(reading.config, "\(reading.issues)")
        return try PipelineQuery(config).makeProgram(
            config, writers: writers, recordBytesMax: ["out": 1_000, "two": 1_000])
    }

    private func run(_ program: any TaskProgram) -> TaskOutput {
        let block = RecordBlock(topics: ["in"])
        for (offset, value) in Self.values.enumerated() {
            block.slots.append(RecordSlot(value: block.arena.append(value), offset: Int64(offset), partition: 0))
        }
        var output = TaskOutput()
        program.process(.records(block, EpochContext(epoch: 1, batchTimeMs: 0)), into: &output)
        return output
    }

    private func texts(_ output: TaskOutput, _ topic: TopicName) -> [String] {
        output.blocks.filter { $0.topics == [topic] }.flatMap { block in
            (0..<block.count).map { String(decoding: block.value($0) ?? [], as: UTF8.self) }
        }
    }

    private static let long = String(repeating: "x", count: 20)

    @Test func everyFaultGoesToTheDeadLetters() throws {
        let output = run(
            try program(
                policy: "{ policy: dead-letter, topic: dlq }",
                sinks: "  out: { kafka: { topic: out }, format: json }"))
        #expect(output.failure == nil && output.counts.isBalanced)
        #expect(output.counts.read == 6 && output.counts.emittedFrom == 2 && output.counts.filtered == 1)
        #expect(output.counts.deadLettered == 3 && output.counts.written == 2)
        #expect(texts(output, "out") == [#"{"id":1,"text":"xxxxxxxxxx"}"#, #"{"id":6,"text":"\#(Self.long)"}"#])
        #expect(Set(texts(output, "dlq")) == Set(Self.values[2...4]))
    }

    @Test func aRowThatOneSinkCannotTakeGoesToNone() throws {
        let output = run(
            try program(
                policy: "{ policy: skip }",
                sinks: """
                      out: { kafka: { topic: out }, format: json }
                      two: { kafka: { topic: two, value: text }, format: raw }
                    """))
        #expect(output.counts.isBalanced && output.counts.skipped == 3 && output.counts.emittedFrom == 2)
        #expect(output.counts.written == 4)
        #expect(texts(output, "out").count == 2 && texts(output, "two") == ["xxxxxxxxxx", Self.long])
    }

    @Test func failingNamesTheFirstRecord() throws {
        let output = run(
            try program(policy: "{ policy: fail }", sinks: "  out: { kafka: { topic: out }, format: json }"))
        #expect(output.failure?.place.offset == 2)
    }
}
