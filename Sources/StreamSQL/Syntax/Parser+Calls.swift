import StreamCore

extension Parser {
    /// A function call, its name already read; also the forms with words inside the parentheses.
    mutating func call(_ name: String, _ start: SourceSpan) throws(SyntaxIssue) -> SyntaxNode {
        try expectSymbol("(")
        let arguments: SyntaxNode.Kind
        switch name.uppercased() {
        case "EXTRACT": arguments = try extractCall()
        case "TRIM": arguments = try trimCall()
        case "SUBSTRING", "SUBSTR": arguments = try substringCall(name)
        case "POSITION": arguments = try positionCall(name)
        case "OVERLAY": arguments = try overlayCall(name)
        case "DATEADD", "DATE_ADD", "TIMESTAMPADD": arguments = try unitCall(name, with: "timestampadd")
        case "DATEDIFF", "DATE_DIFF", "TIMESTAMPDIFF": arguments = try unitCall(name, with: "timestampdiff")
        default: arguments = .call(name, try plainArguments())
        }
        try expectSymbol(")")
        for (word, what) in [("OVER", "window functions"), ("FILTER", "aggregates")] where isKeyword(word) {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "\(what) are not supported yet", at: token.span)
        }
        return try checked(SyntaxNode(arguments, span(from: start)))
    }

    private mutating func plainArguments() throws(SyntaxIssue) -> [SyntaxNode] {
        if isSymbol(")") { return [] }
        if isKeyword("DISTINCT") {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "aggregates are not supported yet", at: token.span)
        }
        var arguments = [try argument()]
        while takeSymbol(",") { arguments.append(try argument()) }
        return arguments
    }

    /// An argument; inside `struct(…)` it may have an alias.
    private mutating func argument() throws(SyntaxIssue) -> SyntaxNode {
        if isSymbol("*") { return try star([]) }
        let node = try expression()
        guard takeKeyword("AS") else { return node }
        let name = try identifier("an alias")
        return try checked(SyntaxNode(.alias(node, name), span(from: node.span)))
    }

    private mutating func word(_ wanted: String) throws(SyntaxIssue) -> SyntaxNode {
        let place = token.span
        if case .string(let text) = token.kind {
            advance()
            return .text(text, place)
        }
        return .text(try identifier(wanted), place)
    }

    private mutating func extractCall() throws(SyntaxIssue) -> SyntaxNode.Kind {
        let field = try word("a field such as YEAR")
        try expectKeyword("FROM")
        return .call("extract", [field, try expression()])
    }

    private mutating func trimCall() throws(SyntaxIssue) -> SyntaxNode.Kind {
        var function = "trim"
        let sides = ["BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"]
        if let side = sides[token.keyword], ahead(1).kind != .symbol(")"), ahead(1).kind != .symbol(",") {
            function = side
            advance()
            if takeKeyword("FROM") { return .call(function, [try expression()]) }
        }
        let first = try expression()
        if takeKeyword("FROM") { return .call(function, [try expression(), first]) }
        guard takeSymbol(",") else { return .call(function, [first]) }
        return .call(function, [first, try expression()])
    }

    private mutating func substringCall(_ name: String) throws(SyntaxIssue) -> SyntaxNode.Kind {
        guard !isSymbol(")") else { return .call(name, []) }
        var arguments = [try argument()]
        if takeKeyword("FROM") {
            arguments.append(try expression())
            if takeKeyword("FOR") { arguments.append(try expression()) }
        }
        while takeSymbol(",") { arguments.append(try argument()) }
        return .call(name, arguments)
    }

    /// `position(a IN b)`: IN is no predicate here, so what stands before it is read without predicates.
    private mutating func positionCall(_ name: String) throws(SyntaxIssue) -> SyntaxNode.Kind {
        guard !isSymbol(")") else { return .call(name, []) }
        let first = try operand()
        if takeKeyword("IN") { return .call(name, [first, try operand()]) }
        var arguments = [first]
        while takeSymbol(",") { arguments.append(try argument()) }
        return .call(name, arguments)
    }

    private mutating func overlayCall(_ name: String) throws(SyntaxIssue) -> SyntaxNode.Kind {
        guard !isSymbol(")") else { return .call(name, []) }
        var arguments = [try expression()]
        if takeKeyword("PLACING") {
            arguments.append(try expression())
            try expectKeyword("FROM")
            arguments.append(try expression())
            if takeKeyword("FOR") { arguments.append(try expression()) }
        }
        while takeSymbol(",") { arguments.append(try argument()) }
        return .call(name, arguments)
    }

    /// `dateadd(month, 1, d)` names a unit first; `date_add(d, 1)` does not.
    private mutating func unitCall(_ name: String, with unitForm: String) throws(SyntaxIssue) -> SyntaxNode.Kind {
        if case .word = token.kind, ahead(1).kind == .symbol(","), Self.units.contains(token.keyword),
            hasThirdArgument
        {
            let unit = try word("a unit")
            advance()
            return .call(unitForm, [unit] + (try plainArguments()))
        }
        return .call(name, try plainArguments())
    }

    private static let units: Set<String> = [
        "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DAYOFYEAR", "HOUR", "MINUTE", "SECOND", "MILLISECOND",
        "MICROSECOND",
    ]

    /// Whether two commas lie at this depth: `datediff(day, start)` may mean a column named day.
    private var hasThirdArgument: Bool {
        var depth = 0
        var commas = 0
        var distance = 0
        while true {
            switch ahead(distance).kind {
            case .end: return false
            case .symbol("("), .symbol("["): depth += 1
            case .symbol(")"), .symbol("]"):
                if depth == 0 { return commas >= 2 }
                depth -= 1
            case .symbol(","): if depth == 0 { commas += 1 }
            default: break
            }
            distance += 1
        }
    }
}
