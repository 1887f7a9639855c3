public import StreamCore

/// What a query does, as data without closures.
public indirect enum LogicalPlan: Hashable, Sendable, Codable {
    /// One row without columns: `SELECT 1`.
    case oneRow
    case scan(table: String, schema: Schema)
    case filter(LogicalPlan, Expression)
    case project(LogicalPlan, [NamedExpression])

    /// The columns that the plan gives.
    public var schema: Schema {
        switch self {
        case .oneRow: Schema([])
        case .scan(_, let schema): schema
        case .filter(let input, _): input.schema
        case .project(_, let items): Schema(items.map { Field($0.name, $0.expression.type) })
        }
    }

    /// The table that is read, if any.
    public var table: String? {
        switch self {
        case .oneRow: nil
        case .scan(let table, _): table
        case .filter(let input, _), .project(let input, _): input.table
        }
    }
}

/// What a session sets for its queries.
public struct SQLOptions: Sendable, Hashable {
    /// The session's time zone, as `spark.sql.session.timeZone`.
    public var zone: TimeZone
    /// Where the query's text begins in its file.
    public var origin: SourceOrigin

    public init(zone: TimeZone = .utc, origin: SourceOrigin = SourceOrigin()) {
        self.zone = zone
        self.origin = origin
    }
}

extension LogicalPlan {
    /// Parses and analyzes a query over these tables.
    /// - Throws: `SQLError` with every mistake that could be found, each with line and column.
    public static func parse(
        _ query: String, tables: [String: Schema], options: SQLOptions = SQLOptions()
    ) throws(SQLError) -> LogicalPlan {
        let source = SourceText(query, origin: options.origin)
        let syntax: SelectSyntax
        do throws(SyntaxIssue) {
            var parser = try Parser(source)
            syntax = try parser.query()
        } catch {
            throw SQLError([error.diagnostic(in: source)])
        }
        var analyzer = Analyzer(source: source, tables: tables, zone: options.zone)
        let plan = analyzer.plan(syntax)
        guard analyzer.issues.isEmpty else { throw SQLError(analyzer.diagnostics) }
        return plan
    }
}
