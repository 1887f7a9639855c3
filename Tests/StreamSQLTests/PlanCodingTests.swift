import Foundation
import StreamCore
import Testing

@testable import StreamSQL

@Suite("plans as data")
struct PlanCodingTests {
    static let queries = [
        "SELECT * FROM orders",
        "SELECT id, 'c:' || customer AS customer, amount * item.qty AS total FROM orders WHERE amount > 0",
        "SELECT CASE WHEN id IN (1, 2, NULL) THEN 1.50 ELSE CAST(customer AS DECIMAL(10, 2)) END AS x FROM orders",
        "SELECT tags[0] AS first, TRY_CAST(customer AS INT) AS n, customer LIKE 'a%' AS l, id::string AS s FROM orders",
        "SELECT DATE'2024-02-29' AS d, TIMESTAMP'2024-01-01 00:00:00' AS t, INTERVAL 1 DAY AS i, "
            + "X'00FF' AS b, NULL AS n",
        "SELECT named_struct('a', 1, 'b', array(1, 2)) AS s, map('k', 1.5D) AS m, -9223372036854775808 AS low",
        "SELECT substring(customer, 2) AS s, regexp_replace(customer, 'a+', 'b') AS r, round(amount, "
            + "2) AS a FROM orders",
    ]

    @Test(arguments: queries)
    func roundTrip(query: String) throws {
        let harness = try QueryTests.orders()
        let plan = try harness.plan(query)
        let decoded = try JSONDecoder().decode(LogicalPlan.self, from: JSONEncoder().encode(plan))
        #expect(decoded == plan)
        #expect(decoded.schema == plan.schema)
        // And it computes the same.
        let (first, second) = (CompiledQuery(plan), CompiledQuery(decoded))
        let (a, b) = (
            first.run(harness.batch(for: first.requiredSchema), now: 0),
            second.run(harness.batch(for: second.requiredSchema), now: 0)
        )
        #expect(a.faults.map(\.description) == b.faults.map(\.description))
        #expect(a.origins == b.origins)
        for (x, y) in zip(a.output.columns, b.output.columns) {
            a.output.forEachRow { row in #expect(x.datum(row) == y.datum(row)) }
        }
    }

    @Test func doublesThatJSONHasNotAreRefusedNotLost() throws {
        // Literals are finite; NaN and infinities come from casts, which are expressions.
        let plan = try QueryTests.orders().plan("SELECT CAST('NaN' AS DOUBLE) AS x, 1e308D * 10 AS y FROM orders")
        #expect(try JSONDecoder().decode(LogicalPlan.self, from: JSONEncoder().encode(plan)) == plan)
    }
}
