import StreamCore

@testable import StreamSQL

/// Expressions over one row, as text in the golden file's notation (timestamps in UTC); errors as `!CLASS`.
enum ExpressionValue {
    static func of(_ expression: String, zone: TimeZone = .utc, now: Int64 = 1_750_000_000_000_000) -> String {
        do throws(SQLError) {
            let options = SQLOptions(zone: zone)
            let plan = try LogicalPlan.parse("SELECT \(expression)", tables: [:], options: options)
            let result = CompiledQuery(plan, options: options).run(
                RecordBatch(schema: Schema([]), columns: [], count: 1), now: now)
            if let fault = result.faults.first { return "!" + fault.code.name }
            guard case .project(_, let items) = plan, let item = items.first else { return "no item" }
            return GoldenText.text(result.output.columns[0], 0, units: item.expression.units)
        } catch {
            return "!" + (error.diagnostics.first?.code.name ?? "")
        }
    }
}
