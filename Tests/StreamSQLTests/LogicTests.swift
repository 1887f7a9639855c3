import StreamCore
import Testing

@testable import StreamSQL

@Suite("three-valued logic")
struct LogicTests {
    /// nil is NULL.
    typealias Truth = Bool?

    static let values: [Truth] = [true, false, nil]

    static func sql(_ value: Truth) -> String { value.map { $0 ? "true" : "false" } ?? "CAST(NULL AS BOOLEAN)" }
    static func datum(_ value: Truth) -> Datum { value.map { .boolean($0) } ?? .null }

    /// Kleene's tables, written out.
    static func and(_ a: Truth, _ b: Truth) -> Truth {
        switch (a, b) {
        case (false, _), (_, false): false
        case (true, true): true
        default: nil
        }
    }
    static func or(_ a: Truth, _ b: Truth) -> Truth {
        switch (a, b) {
        case (true, _), (_, true): true
        case (false, false): false
        default: nil
        }
    }
    static func equal(_ a: Truth, _ b: Truth) -> Truth {
        guard let a, let b else { return nil }
        return a == b
    }

    /// All pairs, as columns: the rows of one batch.
    static func table() throws -> (harness: QueryHarness, pairs: [(Truth, Truth)]) {
        let pairs = values.flatMap { a in values.map { b in (a, b) } }
        return (try QueryHarness("t", "a BOOLEAN, b BOOLEAN", pairs.map { [datum($0.0), datum($0.1)] }), pairs)
    }

    @Test func columns() throws {
        let (harness, pairs) = try Self.table()
        let result = try harness.run(
            "SELECT a AND b, a OR b, NOT a, a = b, a != b, a <=> b, a IS NULL, a IS NOT NULL FROM t")
        let wanted = pairs.map { a, b in
            [
                Self.and(a, b), Self.or(a, b), a.map { !$0 }, Self.equal(a, b), Self.equal(a, b).map { !$0 }, a == b,
                a == nil, a != nil,
            ].map { Self.datum($0) }
        }
        #expect(result.rows == wanted)
        #expect(result.faults.isEmpty)
    }

    @Test func constants() throws {
        let harness = try QueryHarness("t", "x INT", [[.integer(1)]])
        for a in Self.values {
            for b in Self.values {
                let (x, y) = (Self.sql(a), Self.sql(b))
                let rows = try harness.run("SELECT \(x) AND \(y), \(x) OR \(y), NOT \(x) FROM t").rows
                #expect(rows == [[Self.datum(Self.and(a, b)), Self.datum(Self.or(a, b)), Self.datum(a.map { !$0 })]])
            }
        }
    }

    @Test func chainsOfThree() throws {
        let triples = Self.values.flatMap { a in Self.values.flatMap { b in Self.values.map { c in [a, b, c] } } }
        let harness = try QueryHarness(
            "t", "a BOOLEAN, b BOOLEAN, c BOOLEAN", triples.map { $0.map { Self.datum($0) } })
        let result = try harness.run("SELECT a AND b AND c, a OR b OR c, a AND b OR c, NOT (a OR b) AND c FROM t")
        let wanted = triples.map { triple -> [Datum] in
            let (a, b, c) = (triple[0], triple[1], triple[2])
            let neither = Self.or(a, b).map { !$0 }
            return [
                Self.and(Self.and(a, b), c), Self.or(Self.or(a, b), c), Self.or(Self.and(a, b), c),
                Self.and(neither, c),
            ].map { Self.datum($0) }
        }
        #expect(result.rows == wanted)
    }

    /// WHERE keeps what is true: neither false nor null.
    @Test(arguments: [
        "a AND b", "a OR b", "NOT a", "a = b", "NOT (a AND b)", "NOT (a OR NOT b)", "a <=> b", "a IN (b, NULL)",
    ])
    func filters(condition: String) throws {
        let (harness, _) = try Self.table()
        let projected = try harness.run("SELECT a, b, \(condition) FROM t").rows
        let filtered = try harness.run("SELECT a, b FROM t WHERE \(condition)").rows
        #expect(filtered == projected.filter { $0[2] == .boolean(true) }.map { Array($0.prefix(2)) })
    }

    @Test func branchesTakeNullForFalse() throws {
        let (harness, pairs) = try Self.table()
        let result = try harness.run("SELECT CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END, if(a, 1, 2) FROM t")
        #expect(
            result.rows
                == pairs.map { a, b in
                    [.integer(a == true ? 1 : b == true ? 2 : 3), .integer(a == true ? 1 : 2)]
                })
    }

    @Test func membership() throws {
        let harness = try QueryHarness("t", "x INT", [[.integer(1)], [.integer(2)], [.null]])
        let result = try harness.run(
            "SELECT x IN (1, 3), x IN (1, NULL), x NOT IN (1, NULL), x BETWEEN 1 AND NULL FROM t")
        #expect(
            result.rows == [
                [.boolean(true), .boolean(true), .boolean(false), .null],
                [.boolean(false), .null, .null, .null],
                [.null, .null, .null, .null],
            ])
    }
}
