import StreamCore

/// Resolves names, types and functions of a parsed query. Goes on after a mistake, so that all are reported at once.
struct Analyzer {
    let source: SourceText
    let tables: [String: Schema]
    let zone: TimeZone
    private(set) var issues: [SyntaxIssue] = []

    /// The columns an expression can see, and the names they may be qualified with.
    struct Scope {
        var schema: Schema
        var qualifiers: [String]
    }

    init(source: SourceText, tables: [String: Schema], zone: TimeZone) {
        self.source = source
        self.tables = tables
        self.zone = zone
    }

    var diagnostics: [SQLDiagnostic] {
        issues.sorted { $0.span.start < $1.span.start }.map { $0.diagnostic(in: source) }
    }

    /// The plan; of no use when there are issues.
    mutating func plan(_ select: SelectSyntax) -> LogicalPlan {
        var (plan, scope) = relation(select.relation)
        // Without its table every column would be reported as unknown.
        guard let known = scope else { return plan }
        if let condition = select.condition {
            if let resolved = attempt({ (analyzer) throws(SyntaxIssue) in try analyzer.condition(condition, known) }) {
                plan = .filter(plan, resolved)
            }
        }
        var items: [NamedExpression] = []
        for item in select.items {
            if case .star(let qualifier) = item.expression.kind {
                items += star(qualifier, item.expression.span, known)
                continue
            }
            let resolved = attempt { (analyzer) throws(SyntaxIssue) in try analyzer.resolve(item.expression, known) }
            guard let resolved else { continue }
            items.append(NamedExpression(item.alias ?? SyntaxText.name(of: item.expression), resolved))
        }
        scope = nil
        return .project(plan, items)
    }

    private mutating func attempt<Result>(
        _ body: (inout Analyzer) throws(SyntaxIssue) -> Result
    ) -> Result? {
        do throws(SyntaxIssue) {
            return try body(&self)
        } catch {
            report(error)
            return nil
        }
    }

    mutating func report(_ issue: SyntaxIssue) {
        if !issues.contains(issue) { issues.append(issue) }
    }

    private mutating func relation(_ relation: SelectSyntax.Relation?) -> (LogicalPlan, Scope?) {
        switch relation {
        case nil: return (.oneRow, Scope(schema: Schema([]), qualifiers: []))
        case .subquery(let inner, let alias):
            let count = issues.count
            let plan = plan(inner)
            let scope = Scope(schema: plan.schema, qualifiers: alias.map { [$0] } ?? [])
            return (plan, issues.count == count ? scope : nil)
        case .table(let name, let alias, let span):
            let match = tables.first { $0.key == name } ?? tables.first { $0.key.lowercased() == name.lowercased() }
            guard let match else {
                let hint = NameSuggestion.phrase(for: name, among: Array(tables.keys))
                report(SyntaxIssue("TABLE_OR_VIEW_NOT_FOUND", "unknown source '\(name)'\(hint)", at: span))
                return (.oneRow, nil)
            }
            let scope = Scope(schema: match.value, qualifiers: [alias ?? match.key])
            return (.scan(table: match.key, schema: match.value), scope)
        }
    }

    private mutating func condition(_ node: SyntaxNode, _ scope: Scope) throws(SyntaxIssue) -> Expression {
        let resolved = try resolve(node, scope)
        guard let condition = resolved.type == .null ? resolved.cast(to: .boolean) : resolved as Expression?,
            condition.type == .boolean
        else {
            throw SyntaxIssue(
                "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "WHERE needs a boolean, not \(resolved.typeName.uppercased())",
                at: node.span)
        }
        return condition
    }

    private mutating func star(_ qualifier: [String], _ span: SourceSpan, _ scope: Scope) -> [NamedExpression] {
        let columns = scope.schema.fields.enumerated().map { index, field in
            NamedExpression(field.name, Expression(.column(index), field.type))
        }
        if qualifier.isEmpty {
            if columns.isEmpty {
                report(SyntaxIssue("INVALID_USAGE_OF_STAR_OR_REGEX", "'*' needs a FROM with columns", at: span))
            }
            return columns
        }
        let name = qualifier.joined(separator: ".").lowercased()
        if scope.qualifiers.contains(where: { $0.lowercased() == name }) { return columns }
        // `item.*`: the fields of a struct.
        let base = attempt { (analyzer) throws(SyntaxIssue) in
            try analyzer.resolve(SyntaxNode(.name(qualifier), span), scope)
        }
        guard let base else { return [] }
        guard case .structure(let schema) = base.type else {
            report(SyntaxIssue("CANNOT_RESOLVE_STAR_EXPAND", "'\(name)' is neither a source nor a struct", at: span))
            return []
        }
        return schema.fields.enumerated().map { index, field in
            NamedExpression(field.name, Expression(.member(base, index), field.type))
        }
    }
}
