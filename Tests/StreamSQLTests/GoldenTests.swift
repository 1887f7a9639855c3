import Foundation
import StreamCore
import Testing

@testable import StreamSQL

/// Every expression of the golden file that is in scope gives what real Spark gave: value, type and error class.
@Suite("golden expressions of real Spark")
struct GoldenTests {
    @Test(.enabled(if: GoldenFile.isPresent, "no ../shared/SPARK-SEMANTICS.md beside the package"))
    func everyRowInScope() throws {
        let rows = try GoldenFile().rows
        #expect(rows.count > 500)
        var groups: [String] = []
        var counts: [String: (ran: Int, passed: Int, all: Int)] = [:]
        var outside: [String] = []
        for row in rows {
            if counts[row.group] == nil { groups.append(row.group) }
            counts[row.group, default: (0, 0, 0)].all += 1
            if let reason = GoldenScope.reason(row) {
                outside.append("  \(row.group): \(row.expression)  [\(reason)]")
                continue
            }
            counts[row.group]?.ran += 1
            let problem = Self.problem(row)
            if let problem {
                Issue.record("\(row.group): \(row.expression): \(problem)")
            } else {
                counts[row.group]?.passed += 1
            }
        }
        for group in groups {
            let count = counts[group] ?? (0, 0, 0)
            print("golden \(group): \(count.passed) passed of \(count.ran) in scope, of \(count.all)")
        }
        let total = counts.values.reduce((0, 0)) { ($0.0 + $1.ran, $0.1 + $1.passed) }
        print("golden total: \(total.1) passed of \(total.0) in scope, of \(rows.count)")
        print("golden rows out of scope:\n" + outside.joined(separator: "\n"))
    }

    /// What is wrong with a row, or nil.
    static func problem(_ row: GoldenFile.Row) -> String? {
        let outcome = evaluate(row.expression)
        switch outcome {
        case .failure(let code):
            if let wanted = row.error { return code == wanted ? nil : "!\(code) instead of !\(wanted)" }
            return "!\(code) instead of \(row.value ?? "")"
        case .success(let result):
            if let wanted = row.error { return "\(result.value) instead of !\(wanted)" }
            if result.value != row.value { return "\(result.value) instead of \(row.value ?? "")" }
            return result.type == row.type ? nil : "type \(result.type) instead of \(row.type ?? "")"
        }
    }

    enum Outcome {
        case success((value: String, type: String))
        case failure(String)
    }

    /// `SELECT expression` over one row.
    static func evaluate(_ expression: String) -> Outcome {
        do throws(SQLError) {
            let plan = try LogicalPlan.parse("SELECT \(expression)", tables: [:])
            guard case .project(_, let items) = plan, let item = items.first else { return .failure("no item") }
            let result = CompiledQuery(plan).run(
                RecordBatch(schema: Schema([]), columns: [], count: 1), now: 1_750_000_000_000_000)
            if let fault = result.faults.first { return .failure(fault.code.name) }
            guard result.output.selectedCount == 1 else { return .failure("no row") }
            let value = GoldenText.text(result.output.columns[0], 0, units: item.expression.units)
            return .success((value, item.expression.typeName))
        } catch {
            return .failure(error.diagnostics.first?.code.name ?? "")
        }
    }
}
