import StreamCore
import Testing

@testable import StreamSQL

@Suite("bad input never crashes")
struct RobustnessTests {
    /// Random token streams, from a seed: each is parsed or refused.
    @Test(arguments: [UInt64(1), 7, 2026])
    func randomTokens(seed: UInt64) throws {
        var random = StableRandom(seed: seed)
        let words = [
            "SELECT", "FROM", "WHERE", "t", "a", "b", "s", ".", "x", "(", ")", "[", "]", "1", "2.5", "1e3", "'x'",
            "X'0g'", "+", "-",
            "*", "/", "%", "div", "AND", "OR", "NOT", "IS", "NULL", "IN", "BETWEEN", "LIKE", "RLIKE", ",", "CASE",
            "WHEN", "THEN",
            "ELSE", "END", "CAST", "AS", "INT", "ARRAY", "<", ">", ">>", "=", "<=>", "::", "||", "interval", "day",
            "to",
            "second", "date", "'2024-01-01'", "upper", "if", "coalesce", "->", "`q`", "é", "\"d\"",
            "9999999999999999999999",
        ]
        let harness = try QueryHarness("t", "a INT, b STRING, s STRUCT<x: INT>", [[.integer(1), .string("x"), .null]])
        for _ in 0..<3000 {
            let count = Int.random(in: 1...25, using: &random)
            let body = (0..<count).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }.joined(
                separator: " ")
            if harness.mistakes("SELECT \(body) FROM t").isEmpty { _ = try harness.run("SELECT \(body) FROM t") }
            _ = harness.mistakes(body)
        }
    }

    @Test(arguments: ["(", "-", "NOT ", "a[", "CAST(", "ARRAY<", "CASE WHEN "])
    func deepNestingIsRefused(part: String) throws {
        let harness = try QueryHarness("t", "a INT", [])
        let text = String(repeating: part, count: 100_000)
        #expect(harness.mistakes("SELECT \(text)1 FROM t").first?.contains("PARSE_SYNTAX_ERROR") == true)
    }

    @Test func longChains() throws {
        let harness = try QueryHarness("t", "a INT", [[.integer(5)]])
        let ors = (0..<5000).map { "a = \($0)" }.joined(separator: " OR ")
        #expect(try harness.run("SELECT a FROM t WHERE \(ors)").rows == [[.integer(5)]])
        let sum = [String](repeating: "a", count: 5000).joined(separator: " + ")
        #expect(harness.mistakes("SELECT \(sum) FROM t").first?.contains("nested deeper") == true)
    }
}
