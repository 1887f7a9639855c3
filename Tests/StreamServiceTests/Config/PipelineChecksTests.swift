import ConnectorKit
import StreamCore
import StreamService
import Testing

/// What the injected checks find is put at its place in the file.
@Suite struct PipelineChecksTests {
    private func sample(
        schema: [PipelineChecks.Finding] = [], query: [PipelineChecks.Finding] = [],
        columns: [String]? = ["customer", "id"]
    ) -> PipelineSample {
        PipelineSample(
            checks: PipelineChecks(
                schema: { _ in .init(schema: schema.isEmpty ? Schema([Field("id", .int64)]) : nil, findings: schema) },
                query: { _, tables in
                    let isKnown = tables.map(\.name) == ["orders"] && tables[0].schema?.fields.map(\.name) == ["id"]
                    return .init(columns: isKnown ? columns : [], findings: query)
                }))
    }

    @Test func queryErrorsAreInTheFile() {
        let finding = PipelineChecks.Finding(line: 2, column: 6, "[TABLE_NOT_FOUND] no such table")
        #expect(
            sample(query: [finding], columns: nil).issues(PipelineSample.orders) == [
                "p.yaml:11:8: query: [TABLE_NOT_FOUND] no such table"
            ])
    }

    @Test func schemaErrorsAreInTheFile() {
        let finding = PipelineChecks.Finding(line: 1, column: 4, "unknown type")
        #expect(
            sample(schema: [finding]).issues(PipelineSample.orders) == [
                "p.yaml:8:17: sources.orders.schema: unknown type"
            ])
    }

    @Test func warningsDoNotRefuse() throws {
        let reading = sample(query: [.init(.warning, line: 1, column: 1, "odd")]).read(PipelineSample.orders)
        #expect(reading.issues.map(\.description) == ["p.yaml:10:3: warning: query: odd"])
        #expect(try #require(reading.config).sources[0].schema == Schema([Field("id", .int64)]))
    }

    @Test func sinkColumnsMustBeInTheResult() {
        #expect(sample(columns: ["CUSTOMER"]).issues(PipelineSample.orders) == [])
        #expect(
            sample(columns: ["custom", "id"]).issues(PipelineSample.orders) == [
                "p.yaml:13:45: sinks.out.kafka.key: 'customer' is no column of the query's result, did you mean "
                    + "'custom'?"
            ])
    }

    @Test func placesOfFoldedTextAreItsStart() {
        let text = PlacedText("a b", start: ConfigPlace(file: "f", line: 3, column: 8), firstLine: nil)
        #expect(text.place(line: 1, column: 3) == ConfigPlace(file: "f", line: 3, column: 8))
        let block = PlacedText("a\nb", start: text.start, firstLine: ConfigPlace(file: "f", line: 4, column: 3))
        #expect(block.place(line: 2, column: 1) == ConfigPlace(file: "f", line: 5, column: 3))
        #expect(block.place(line: 0, column: .max) == text.start)
    }
}
