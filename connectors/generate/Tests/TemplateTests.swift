import StreamCore
import Testing

@testable import GenerateConnector

@Suite struct TemplateTests {
    private func text(_ template: String, seed: UInt64 = 1, sequence: Int64 = 41) throws -> String {
        var input = TemplateInput(
            sequence: sequence, lane: 3, timestampMs: 1_767_225_600_123, random: StableRandom(seed: seed))
        var bytes: [UInt8] = []
        try Template(template).write(&input, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("", ""), ("plain } {", "plain } {"), (#"{"id": {{sequence}}}"#, #"{"id": 41}"#),
        ("{{lane}}{{ sequence }}", "341"),
        ("{{timestamp}}", "2026-01-01T00:00:00.123Z"), ("{{timestamp-ms}}", "1767225600123"), ("{{int:7..7}}", "7"),
        ("{{decimal:-0.05..-0.05}}", "-0.05"), ("{{decimal:1.5..1.50}}", "1.50"), ("{{choice:a}}", "a"),
        ("{{choice:|}}", ""),
        ("{{int:-9223372036854775808..-9223372036854775808}}", "-9223372036854775808"),
    ])
    func writes(template: String, expected: String) throws {
        #expect(try text(template) == expected)
    }

    @Test(arguments: [
        "{{", "{{sequence", "{{sequence:1}}", "{{int}}", "{{int:1}}", "{{int:2..1}}", "{{int:1.5..2}}", "{{int:a..b}}",
        "{{int:1..99999999999999999999}}", "{{decimal:1.0.0..2}}", "{{decimal:0.0000000001..1}}", "{{hex:0}}",
        "{{hex:9999999}}",
        "{{hex:-1}}", "{{choice}}", "{{}}", "{{unknown}}",
    ])
    func refuses(template: String) {
        #expect(throws: TemplateProblem.self) { try Template(template) }
    }

    @Test func drawsEvenlyWithinBounds() throws {
        var counts: [String: Int] = [:]
        for seed in 0..<3000 as Range<UInt64> { counts[try text("{{int:1..3}}", seed: seed), default: 0] += 1 }
        #expect(Set(counts.keys) == ["1", "2", "3"])
        // Binomial with mean 1000 and deviation 26: six of them.
        #expect(counts.values.allSatisfy { abs($0 - 1000) < 156 })
        _ = try text("{{int:-9223372036854775808..9223372036854775807}}")
    }

    @Test func shapesAreThoseOfTheirKind() throws {
        #expect(try text("{{hex:20}}").wholeMatch(of: /[0-9a-f]{20}/) != nil)
        let uuid = try text("{{uuid}}")
        #expect(
            uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil, "\(uuid)"
        )
        #expect(try text("{{decimal:0.00..9.99}}").wholeMatch(of: /[0-9]\.[0-9]{2}/) != nil)
        #expect(["true", "false"].contains(try text("{{bool}}")))
    }
}
