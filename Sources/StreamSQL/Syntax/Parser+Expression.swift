import StreamCore

/// Binding strength of an operator, the loosest first, as in Spark's grammar.
enum Precedence: Int, Comparable {
    case or, and, not, predicate, comparison, bitOr, bitXor, bitAnd, shift, additive, multiplicative, unary

    static func < (a: Precedence, b: Precedence) -> Bool { a.rawValue < b.rawValue }
    var next: Precedence { Precedence(rawValue: rawValue + 1) ?? .unary }
}

extension Parser {
    private static let symbolOperators: [String: (call: String, precedence: Precedence)] = [
        "=": ("=", .comparison), "==": ("=", .comparison), "<>": ("!=", .comparison), "!=": ("!=", .comparison),
        "<": ("<", .comparison), "<=": ("<=", .comparison), ">": (">", .comparison), ">=": (">=", .comparison),
        "<=>": ("<=>", .comparison), "|": ("|", .bitOr), "^": ("^", .bitXor), "&": ("&", .bitAnd),
        "<<": ("shiftleft", .shift), ">>": ("shiftright", .shift), ">>>": ("shiftrightunsigned", .shift),
        "+": ("+", .additive), "-": ("-", .additive), "||": ("concat", .additive),
        "*": ("*", .multiplicative), "/": ("/", .multiplicative), "%": ("%", .multiplicative),
    ]

    mutating func expression() throws(SyntaxIssue) -> SyntaxNode {
        try nested { (parser: inout Parser) throws(SyntaxIssue) in try parser.expression(.or) }
    }

    /// Precedence climbing: everything that binds at least as strongly as `minimum`.
    private mutating func expression(_ minimum: Precedence) throws(SyntaxIssue) -> SyntaxNode {
        var left = try prefix(minimum)
        while let (call, precedence) = infixOperator(), precedence >= minimum {
            if precedence == .predicate {
                left = try checked(predicate(of: left))
                continue
            }
            advance()
            let right = try nested { (parser: inout Parser) throws(SyntaxIssue) in
                try parser.expression(precedence.next)
            }
            left = try checked(combined(call, left, right))
        }
        return left
    }

    private func infixOperator() -> (String, Precedence)? {
        if case .symbol(let symbol) = token.kind { return Self.symbolOperators[symbol] }
        switch token.keyword {
        case "OR": return ("or", .or)
        case "AND": return ("and", .and)
        case "DIV": return ("div", .multiplicative)
        case "IS", "IN", "BETWEEN", "LIKE", "ILIKE", "RLIKE", "REGEXP": return ("", .predicate)
        case "NOT":
            let next = ["IN", "BETWEEN", "LIKE", "ILIKE", "RLIKE", "REGEXP"].contains(ahead(1).keyword)
            return next ? ("", .predicate) : nil
        default: return nil
        }
    }

    /// Chains of AND and OR become one call of many operands, so that long ones stay shallow.
    private func combined(_ call: String, _ left: SyntaxNode, _ right: SyntaxNode) -> SyntaxNode {
        let span = left.span + right.span
        if call == "and" || call == "or", case .call(call, let operands) = left.kind {
            return SyntaxNode(.call(call, operands + [right]), span)
        }
        return SyntaxNode(.call(call, [left, right]), span)
    }

    private mutating func prefix(_ minimum: Precedence) throws(SyntaxIssue) -> SyntaxNode {
        let start = token.span
        if isKeyword("NOT") || isSymbol("!") {
            advance()
            let operand = try nested { (parser: inout Parser) throws(SyntaxIssue) in try parser.expression(.not) }
            return try checked(SyntaxNode(.call("not", [operand]), start + operand.span))
        }
        for (symbol, call) in [("-", "negative"), ("+", "positive"), ("~", "~")] where isSymbol(symbol) {
            advance()
            if symbol == "-", case .number(let number) = token.kind {
                let end = advance().span
                let literal = try numberLiteral(number, isNegative: true, start + end)
                return try postfix(literal)
            }
            let operand = try nested { (parser: inout Parser) throws(SyntaxIssue) in try parser.expression(.unary) }
            return try checked(SyntaxNode(.call(call, [operand]), start + operand.span))
        }
        return try postfix(primary())
    }

    /// `a.b`, `a[i]`, `a::type`, as often as they come.
    private mutating func postfix(_ base: SyntaxNode) throws(SyntaxIssue) -> SyntaxNode {
        var node = base
        while true {
            if takeSymbol(".") {
                if isSymbol("*") {
                    guard case .name(let parts) = node.kind else { throw unexpected("a field name") }
                    return try star(parts)
                }
                let field = try identifier("a field name")
                if case .name(let parts) = node.kind {
                    node = SyntaxNode(.name(parts + [field]), span(from: node.span))
                } else {
                    node = SyntaxNode(.member(node, field), span(from: node.span))
                }
            } else if takeSymbol("[") {
                let index = try expression()
                try expectSymbol("]")
                node = SyntaxNode(.call("[]", [node, index]), span(from: node.span))
            } else if takeSymbol("::") {
                let (type, units) = try dataType()
                node = SyntaxNode(.cast(node, type, units, isTry: false), span(from: node.span))
            } else {
                return node
            }
            node = try checked(node)
        }
    }

    // MARK: - Predicates

    private mutating func predicate(of left: SyntaxNode) throws(SyntaxIssue) -> SyntaxNode {
        if takeKeyword("IS") { return try isPredicate(of: left) }
        let isNegated = takeKeyword("NOT")
        let keyword = advance().keyword
        let node: SyntaxNode
        switch keyword {
        case "IN": node = try inPredicate(of: left)
        case "BETWEEN": node = try betweenPredicate(of: left)
        case "RLIKE", "REGEXP":
            let pattern = try operand()
            node = SyntaxNode(.call("rlike", [left, pattern]), left.span + pattern.span)
        default: node = try likePredicate(of: left, keyword.lowercased())
        }
        return isNegated ? SyntaxNode(.call("not", [node]), node.span) : node
    }

    /// An expression without AND, OR, NOT and predicates at its top: what a predicate takes.
    mutating func operand() throws(SyntaxIssue) -> SyntaxNode {
        try nested { (parser: inout Parser) throws(SyntaxIssue) in try parser.expression(.comparison) }
    }

    private mutating func isPredicate(of left: SyntaxNode) throws(SyntaxIssue) -> SyntaxNode {
        let isNegated = takeKeyword("NOT")
        if takeKeyword("NULL") {
            return SyntaxNode(.call(isNegated ? "isnotnull" : "isnull", [left]), span(from: left.span))
        }
        var node: SyntaxNode
        if isKeyword("TRUE") || isKeyword("FALSE") || isKeyword("UNKNOWN") {
            let keyword = advance().keyword
            let literal = keyword == "UNKNOWN" ? Datum.null : .boolean(keyword == "TRUE")
            let right = SyntaxNode(.literal(literal, .boolean, nil), span(from: left.span))
            node = SyntaxNode(.call("<=>", [left, right]), span(from: left.span))
        } else {
            try expectKeyword("DISTINCT")
            try expectKeyword("FROM")
            let right = try operand()
            let same = SyntaxNode(.call("<=>", [left, right]), left.span + right.span)
            node = SyntaxNode(.call("not", [same]), same.span)
        }
        if isNegated {
            if case .call("not", let inner) = node.kind {
                node = inner[0]
            } else {
                node = SyntaxNode(.call("not", [node]), node.span)
            }
        }
        return node
    }

    private mutating func inPredicate(of left: SyntaxNode) throws(SyntaxIssue) -> SyntaxNode {
        try expectSymbol("(")
        if isKeyword("SELECT") {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "IN (SELECT …) is not supported yet", at: token.span)
        }
        var arguments = [left]
        repeat { arguments.append(try expression()) } while takeSymbol(",")
        try expectSymbol(")")
        return SyntaxNode(.call("in", arguments), span(from: left.span))
    }

    private mutating func betweenPredicate(of left: SyntaxNode) throws(SyntaxIssue) -> SyntaxNode {
        let low = try operand()
        try expectKeyword("AND")
        let high = try operand()
        let span = left.span + high.span
        let above = SyntaxNode(.call(">=", [left, low]), span)
        return SyntaxNode(.call("and", [above, SyntaxNode(.call("<=", [left, high]), span)]), span)
    }

    private mutating func likePredicate(of left: SyntaxNode, _ call: String) throws(SyntaxIssue) -> SyntaxNode {
        if isKeyword("ANY") || isKeyword("SOME") || isKeyword("ALL") {
            let isAll = advance().keyword == "ALL"
            try expectSymbol("(")
            var tests: [SyntaxNode] = []
            repeat {
                let pattern = try expression()
                tests.append(SyntaxNode(.call(call, [left, pattern]), left.span + pattern.span))
            } while takeSymbol(",")
            try expectSymbol(")")
            return tests.count == 1 ? tests[0] : SyntaxNode(.call(isAll ? "and" : "or", tests), span(from: left.span))
        }
        let pattern = try operand()
        var arguments = [left, pattern]
        if takeKeyword("ESCAPE") { arguments.append(try operand()) }
        return SyntaxNode(.call(call, arguments), span(from: left.span))
    }
}
