import StreamCore

extension Parser {
    /// Words that end a select list or a relation, so they are no aliases without AS.
    private static let clauseWords: Set<String> = [
        "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "MINUS", "JOIN", "INNER",
        "LEFT", "RIGHT", "FULL", "CROSS", "SEMI", "ANTI", "NATURAL", "LATERAL", "WINDOW", "ON", "USING", "SORT",
        "CLUSTER", "DISTRIBUTE", "OFFSET", "QUALIFY", "PIVOT", "UNPIVOT", "TABLESAMPLE", "AS", "OVER", "FILTER",
    ]

    private static let unsupportedClauses: [String: String] = [
        "GROUP": "GROUP BY: aggregates are not supported yet",
        "HAVING": "HAVING: aggregates are not supported yet",
        "ORDER": "ORDER BY is not supported yet", "SORT": "SORT BY is not supported yet",
        "CLUSTER": "CLUSTER BY is not supported yet", "DISTRIBUTE": "DISTRIBUTE BY is not supported yet",
        "LIMIT": "LIMIT is not supported yet", "OFFSET": "OFFSET is not supported yet",
        "UNION": "UNION is not supported yet", "INTERSECT": "INTERSECT is not supported yet",
        "EXCEPT": "EXCEPT is not supported yet", "MINUS": "MINUS is not supported yet",
        "JOIN": "joins are not supported yet", "INNER": "joins are not supported yet",
        "LEFT": "joins are not supported yet", "RIGHT": "joins are not supported yet",
        "FULL": "joins are not supported yet", "CROSS": "joins are not supported yet",
        "SEMI": "joins are not supported yet", "ANTI": "joins are not supported yet",
        "NATURAL": "joins are not supported yet", "LATERAL": "LATERAL VIEW is not supported yet",
        "WINDOW": "window functions are not supported yet", "QUALIFY": "window functions are not supported yet",
        "PIVOT": "PIVOT is not supported yet", "UNPIVOT": "UNPIVOT is not supported yet",
        "TABLESAMPLE": "TABLESAMPLE is not supported yet",
    ]

    func rejectUnsupportedClause() throws(SyntaxIssue) {
        if let message = Self.unsupportedClauses[token.keyword] {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", message, at: token.span)
        }
    }

    mutating func select() throws(SyntaxIssue) -> SelectSyntax {
        let start = token.span
        if isKeyword("WITH") {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "WITH is not supported yet", at: token.span)
        }
        guard takeKeyword("SELECT") else { throw unexpected("SELECT") }
        _ = takeKeyword("ALL")
        if isKeyword("DISTINCT") {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "DISTINCT is not supported yet", at: token.span)
        }
        var items = [try item()]
        while takeSymbol(",") { items.append(try item()) }
        var result = SelectSyntax(items: items, relation: nil, condition: nil, span: start)
        if takeKeyword("FROM") {
            result.relation = try relation()
            if isSymbol(",") {
                throw SyntaxIssue("UNSUPPORTED_FEATURE", "joins are not supported yet", at: token.span)
            }
            try rejectUnsupportedClause()
        }
        if takeKeyword("WHERE") { result.condition = try expression() }
        try rejectUnsupportedClause()
        result.span = span(from: start)
        return result
    }

    private mutating func item() throws(SyntaxIssue) -> SelectSyntax.Item {
        if isKeyword("FROM") { throw unexpected("a column or an expression") }
        let node = try isSymbol("*") ? star([]) : expression()
        return SelectSyntax.Item(expression: node, alias: try alias())
    }

    mutating func star(_ qualifier: [String]) throws(SyntaxIssue) -> SyntaxNode {
        let start = advance().span
        if isKeyword("EXCEPT") {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "* EXCEPT is not supported yet", at: token.span)
        }
        return SyntaxNode(.star(qualifier), start)
    }

    private mutating func alias() throws(SyntaxIssue) -> String? {
        if takeKeyword("AS") {
            if isSymbol("(") {
                throw SyntaxIssue(
                    "UNSUPPORTED_FEATURE", "several aliases for one item are not supported", at: token.span)
            }
            return try identifier("an alias")
        }
        switch token.kind {
        case .quotedName: return try identifier()
        case .word where !Self.clauseWords.contains(token.keyword): return try identifier()
        default: return nil
        }
    }

    private mutating func relation() throws(SyntaxIssue) -> SelectSyntax.Relation {
        if takeSymbol("(") {
            let inner = try nested { (parser: inout Parser) throws(SyntaxIssue) in try parser.select() }
            try expectSymbol(")")
            return .subquery(inner, alias: try alias())
        }
        let start = token.span
        var name = try identifier("a table name")
        while takeSymbol(".") { name += "." + (try identifier()) }
        if isSymbol("(") {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "table functions are not supported yet", at: span(from: start))
        }
        let place = span(from: start)
        return .table(name: name, alias: try alias(), place)
    }
}
