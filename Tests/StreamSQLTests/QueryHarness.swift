import StreamCore

@testable import StreamSQL

/// Runs queries over a few rows given as values; for tests.
struct QueryHarness {
    let table: String
    let schema: Schema
    let rows: [[Datum]]

    init(_ table: String, _ ddl: String, _ rows: [[Datum]]) throws {
        self.table = table
        schema = try Schema.parse(ddl)
        self.rows = rows
    }

    /// The rows as a batch with the columns a query asks for (cut down to the struct fields that it reads).
    func batch(for required: Schema) -> RecordBatch {
        let columns = required.fields.map { field -> Column in
            let index = schema.index(of: field.name) ?? 0
            let full = Column.of(rows.map { $0[index] }, type: schema[index].type)
            return Self.pruned(full, field.type)
        }
        return RecordBatch(schema: required, columns: columns, count: rows.count)
    }

    private static func pruned(_ column: Column, _ type: DataType) -> Column {
        guard case .structure(let full) = column, case .structure(let wanted) = type else { return column }
        let members = wanted.fields.map { field in
            pruned(full.columns[full.schema.index(of: field.name) ?? 0], field.type)
        }
        return .structure(StructColumn(schema: wanted, columns: members, count: full.count, nulls: full.nulls))
    }

    func plan(_ query: String) throws -> LogicalPlan { try LogicalPlan.parse(query, tables: [table: schema]) }

    /// Output rows, and the faults as `row:CODE`.
    func run(_ query: String, now: Int64 = 0) throws -> (rows: [[Datum]], faults: [String]) {
        let compiled = CompiledQuery(try plan(query))
        let result = compiled.run(batch(for: compiled.requiredSchema), now: now)
        var output: [[Datum]] = []
        result.output.forEachRow { row in output.append(result.output.columns.map { $0.datum(row) }) }
        return (output, result.faults.map { "\($0.row):\($0.code)" })
    }

    /// The mistakes of a query that is refused.
    func mistakes(_ query: String) -> [String] {
        do {
            _ = try plan(query)
            return []
        } catch let error as SQLError {
            return error.diagnostics.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }
}
