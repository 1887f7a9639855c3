import StreamCore
import Testing

@testable import StreamSQL

@Suite("queries over a batch")
struct QueryTests {
    static func orders() throws -> QueryHarness {
        try QueryHarness(
            "orders",
            "id BIGINT, customer STRING, amount DOUBLE, item STRUCT<sku: STRING, qty: INT>, tags ARRAY<STRING>",
            [
                [
                    .integer(1), .string("ann"), .double(2.5), .structure([.string("a"), .integer(2)]),
                    .array([.string("x")]),
                ],
                [.integer(2), .string("bob"), .double(-1), .structure([.string("b"), .integer(0)]), .array([])],
                [.integer(3), .null, .double(4), .structure([.null, .integer(1)]), .null],
                [.integer(4), .string("dan"), .null, .null, .array([.string("y"), .string("z")])],
            ])
    }

    @Test func theIssueExample() throws {
        let result = try Self.orders().run(
            "SELECT id, 'c:' || customer AS customer, amount * item.qty AS total FROM orders "
                + "WHERE amount > 0 AND item.sku IS NOT NULL")
        #expect(result.rows == [[.integer(1), .string("c:ann"), .double(5)]])
        #expect(result.faults.isEmpty)
    }

    @Test func onlyWhatIsReadIsRequired() throws {
        let harness = try Self.orders()
        let query = CompiledQuery(try harness.plan("SELECT item.qty + 1 AS n FROM orders o WHERE o.customer = 'ann'"))
        #expect(query.requiredSchema.description == "customer string, item struct<qty:int>")
        let whole = CompiledQuery(try harness.plan("SELECT item, item.qty FROM orders"))
        #expect(whole.requiredSchema.description == "item struct<sku:string,qty:int>")
        #expect(
            try harness.run("SELECT item.qty + 1 AS n FROM orders o WHERE o.customer = 'ann'").rows == [[.integer(3)]])
    }

    @Test func rowsThatAreFilteredOutRaiseNoFaults() throws {
        let harness = try Self.orders()
        let result = try harness.run("SELECT 1 / item.qty AS x FROM orders WHERE id = 1")
        #expect(result.rows == [[.double(0.5)]])
        #expect(result.faults.isEmpty)
        let all = try harness.run("SELECT id, 1 / item.qty AS x FROM orders")
        #expect(all.faults == ["1:DIVIDE_BY_ZERO"])
        #expect(all.rows.map { $0[0] } == [.integer(1), .integer(3), .integer(4)])
    }

    @Test func branchesThatAreNotTakenRaiseNoFaults() throws {
        let harness = try Self.orders()
        let result = try harness.run(
            """
            SELECT CASE WHEN item.qty = 0 THEN -1 ELSE 1 / item.qty END AS a,
                   if(id = 2, 0, 10 / item.qty) AS b,
                   coalesce(item.qty, raise_error('no')) AS c
            FROM orders WHERE item.qty IS NOT NULL AND (item.qty = 0 OR 1 / item.qty > 0)
            """)
        #expect(result.faults.isEmpty)
        #expect(result.rows.count == 3)
        #expect(result.rows[1] == [.double(-1), .double(0), .integer(0)])
    }

    @Test func bareColumnsAreNotCopied() throws {
        let harness = try Self.orders()
        let query = CompiledQuery(try harness.plan("SELECT customer FROM orders WHERE id > 1"))
        let input = harness.batch(for: query.requiredSchema)
        let result = query.run(input, now: 0)
        guard case .string(let before) = input.columns[query.requiredSchema.index(of: "customer") ?? 0],
            case .string(let after) = result.output.columns[0]
        else {
            Issue.record("no string columns")
            return
        }
        #expect(before.arena === after.arena)
        #expect(result.origins == [1, 2, 3])
    }

    @Test func mistakesAreReportedAllAtOnceWithPositions() throws {
        let mistakes = try Self.orders().mistakes("SELECT custmer, upperr(id),\n  item.skuu\nFROM orders WHERE amount")
        #expect(
            mistakes == [
                "1:8: [UNRESOLVED_COLUMN.WITH_SUGGESTION] unknown column 'custmer', did you mean 'customer'?",
                "1:17: [UNRESOLVED_ROUTINE] unknown function 'upperr', did you mean 'upper'?",
                "2:3: [FIELD_NOT_FOUND] unknown field 'skuu', did you mean 'sku'?",
                "3:19: [DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN] WHERE needs a boolean, not DOUBLE",
            ])
    }
}
