import StreamCore
import Testing

@testable import StreamSQL

@Suite("operator precedence")
struct PrecedenceTests {
    static let schema = "a INT, b INT, c INT, p BOOLEAN, q BOOLEAN, r BOOLEAN, s STRING, m ARRAY<INT>"

    /// Each expression means the same as the one with all its parentheses: the same plan.
    @Test(arguments: [
        ("p OR q AND r", "p OR (q AND r)"),
        ("NOT p AND q", "(NOT p) AND q"),
        ("NOT a = b", "NOT (a = b)"),
        ("! a = b", "NOT (a = b)"),
        ("NOT p IS NULL", "NOT (p IS NULL)"),
        ("a = b IS NULL", "(a = b) IS NULL"),
        ("a + b IS NULL", "(a + b) IS NULL"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a - b + c", "(a - b) + c"),
        ("a * b % c", "(a * b) % c"),
        ("a div b * c", "(a div b) * c"),
        ("-a * b", "(-a) * b"),
        ("- a + b", "(-a) + b"),
        ("a - -b", "a - (-b)"),
        ("~a & b", "(~a) & b"),
        ("a | b & c", "a | (b & c)"),
        ("a ^ b & c", "a ^ (b & c)"),
        ("a | b ^ c", "a | (b ^ c)"),
        ("a & b << c", "a & (b << c)"),
        ("a << b + c", "a << (b + c)"),
        ("a & b = c", "(a & b) = c"),
        ("a < b + c", "a < (b + c)"),
        ("s || s = s", "(s || s) = s"),
        ("s || a + b", "(s || a) + b"),
        ("s || s LIKE s", "(s || s) LIKE s"),
        ("p AND a BETWEEN b AND c", "p AND (a BETWEEN b AND c)"),
        ("a BETWEEN b AND c AND p", "(a BETWEEN b AND c) AND p"),
        ("a BETWEEN b + 1 AND c - 1 OR p", "(a BETWEEN (b + 1) AND (c - 1)) OR p"),
        ("a NOT IN (b, c) AND p", "(a NOT IN (b, c)) AND p"),
        ("a NOT BETWEEN b AND c", "NOT (a BETWEEN b AND c)"),
        ("-a::string", "-(a::string)"),
        ("a + b::bigint", "a + (b::bigint)"),
        ("m[0] + a", "(m[0]) + a"),
        ("-m[0]", "-(m[0])"),
        ("CASE WHEN p THEN a ELSE b END + c", "(CASE WHEN p THEN a ELSE b END) + c"),
    ])
    func means(text: String, parenthesized: String) throws {
        let harness = try QueryHarness("t", Self.schema, [])
        let plain = try harness.plan("SELECT \(text) AS x FROM t")
        #expect(try harness.plan("SELECT \(parenthesized) AS x FROM t") == plain)
    }

    /// The other way to put the parentheses is another plan: the pairs above could not be equal by chance.
    @Test(arguments: [
        ("p OR q AND r", "(p OR q) AND r"), ("a + b * c", "(a + b) * c"), ("a - b - c", "a - (b - c)"),
        ("a | b & c", "(a | b) & c"), ("a & b << c", "(a & b) << c"), ("a << b + c", "(a << b) + c"),
    ])
    func doesNotMean(text: String, parenthesized: String) throws {
        let harness = try QueryHarness("t", Self.schema, [])
        let plain = try harness.plan("SELECT \(text) AS x FROM t")
        #expect(try harness.plan("SELECT \(parenthesized) AS x FROM t") != plain)
    }

    @Test func values() throws {
        let harness = try QueryHarness("t", "x INT", [[.integer(1)]])
        let result = try harness.run("SELECT 2 + 3 * 4, 10 - 4 - 3, 7 | 8 & 3, 1 << 1 + 1, -2 * 3, 20 div 3 * 2 FROM t")
        #expect(result.rows == [[.integer(14), .integer(3), .integer(7), .integer(4), .integer(-6), .integer(12)]])
    }
}
