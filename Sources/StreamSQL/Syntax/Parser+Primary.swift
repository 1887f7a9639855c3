import StreamCore

extension Parser {
    /// Words that cannot begin an expression or be a column without quotes.
    private static let reserved: Set<String> = [
        "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "THEN", "WHEN", "ELSE", "END", "AND", "OR", "AS", "IN",
        "IS", "BETWEEN", "LIKE", "RLIKE", "ILIKE", "JOIN", "UNION", "ON", "USING", "DISTINCT",
    ]

    mutating func primary() throws(SyntaxIssue) -> SyntaxNode {
        let start = token
        switch start.kind {
        case .number(let number):
            advance()
            return try numberLiteral(number, isNegative: false, start.span)
        case .string: return stringLiteral()
        case .quotedName(let name):
            advance()
            return isSymbol("(") ? try call(name, start.span) : SyntaxNode(.name([name]), start.span)
        case .symbol("("): return try parenthesized()
        case .word(let word): return try wordPrimary(word, start)
        default: throw unexpected("an expression")
        }
    }

    /// Adjacent literals are one: `'a' 'b'` is `'ab'`.
    private mutating func stringLiteral() -> SyntaxNode {
        let start = token.span
        var text = ""
        while case .string(let part) = token.kind {
            text += part
            advance()
        }
        return .text(text, span(from: start))
    }

    private mutating func parenthesized() throws(SyntaxIssue) -> SyntaxNode {
        let start = advance().span
        if isKeyword("SELECT") {
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "scalar subqueries are not supported yet", at: token.span)
        }
        if let lambda = try lambdaWithParentheses(start) { return lambda }
        let first = try expression()
        guard isSymbol(",") else {
            try expectSymbol(")")
            return first
        }
        var fields = [first]
        while takeSymbol(",") { fields.append(try expression()) }
        try expectSymbol(")")
        return SyntaxNode(.call("struct", fields), span(from: start))
    }

    /// `(k, v) -> …`, told from a parenthesis by looking ahead.
    private mutating func lambdaWithParentheses(_ start: SourceSpan) throws(SyntaxIssue) -> SyntaxNode? {
        var distance = 0
        while true {
            switch ahead(distance).kind {
            case .word, .quotedName: break
            default: return nil
            }
            let separator = ahead(distance + 1).kind
            distance += 2
            if separator == .symbol(",") { continue }
            guard separator == .symbol(")"), ahead(distance).kind == .symbol("->") else { return nil }
            break
        }
        var names = [try identifier()]
        while takeSymbol(",") { names.append(try identifier()) }
        try expectSymbol(")")
        return try lambdaBody(names, start)
    }

    private mutating func lambdaBody(_ names: [String], _ start: SourceSpan) throws(SyntaxIssue) -> SyntaxNode {
        try expectSymbol("->")
        let body = try expression()
        return try checked(SyntaxNode(.lambda(names, body), span(from: start)))
    }

    private mutating func wordPrimary(_ word: String, _ start: Token) throws(SyntaxIssue) -> SyntaxNode {
        let isString: Bool
        if case .string = ahead(1).kind { isString = true } else { isString = false }
        switch start.keyword {
        case "NULL":
            advance()
            return SyntaxNode(.literal(.null, .null, nil), start.span)
        case "TRUE", "FALSE":
            advance()
            return SyntaxNode(.literal(.boolean(start.keyword == "TRUE"), .boolean, nil), start.span)
        case "DATE", "TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIME":
            if isString { return typedLiteral(start) }
        case "X":
            if isString { return try binaryLiteral(start) }
        case "INTERVAL":
            if startsInterval { return try interval() }
        case "CASE": return try caseExpression()
        case "CAST", "TRY_CAST":
            if ahead(1).kind == .symbol("(") { return try castExpression() }
        case "CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_TIME", "LOCALTIMESTAMP", "CURRENT_USER":
            if ahead(1).kind != .symbol("(") {
                advance()
                return SyntaxNode(.call(word.lowercased(), []), start.span)
            }
        case "EXISTS" where ahead(1).kind == .symbol("(") && ahead(2).keyword == "SELECT":
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "EXISTS (SELECT …) is not supported yet", at: start.span)
        default: break
        }
        if Self.reserved.contains(start.keyword) { throw unexpected("an expression") }
        advance()
        if isSymbol("->") { return try lambdaBody([word], start.span) }
        return isSymbol("(") ? try call(word, start.span) : SyntaxNode(.name([word]), start.span)
    }

    private mutating func typedLiteral(_ start: Token) -> SyntaxNode {
        advance()
        var text = ""
        if case .string(let value) = token.kind { text = value }
        advance()
        return SyntaxNode(.typedLiteral(type: start.keyword, text: text), span(from: start.span))
    }

    private mutating func binaryLiteral(_ start: Token) throws(SyntaxIssue) -> SyntaxNode {
        advance()
        var digits: [UInt8] = []
        if case .string(let value) = token.kind { digits = Array(value.utf8) }
        advance()
        if digits.count % 2 != 0 { digits.insert(0x30, at: 0) }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = StringEscapes.hexDigit(digits[index]), let low = StringEscapes.hexDigit(digits[index + 1])
            else {
                throw SyntaxIssue(
                    "INVALID_TYPED_LITERAL", "X'…' takes hexadecimal digits only", at: span(from: start.span))
            }
            bytes.append(high << 4 | low)
        }
        return SyntaxNode(.literal(.binary(bytes), .binary, nil), span(from: start.span))
    }

    /// `CASE v WHEN a THEN …` is read as `CASE WHEN v = a THEN …`, as Spark does.
    private mutating func caseExpression() throws(SyntaxIssue) -> SyntaxNode {
        let start = advance().span
        let subject = isKeyword("WHEN") ? nil : try expression()
        var branches: [SyntaxNode] = []
        while takeKeyword("WHEN") {
            let test = try expression()
            try expectKeyword("THEN")
            if let subject {
                branches.append(SyntaxNode(.call("=", [subject, test]), test.span))
            } else {
                branches.append(test)
            }
            branches.append(try expression())
        }
        if branches.isEmpty { throw unexpected("WHEN") }
        if takeKeyword("ELSE") { branches.append(try expression()) }
        try expectKeyword("END")
        return SyntaxNode(.call("case", branches), span(from: start))
    }

    private mutating func castExpression() throws(SyntaxIssue) -> SyntaxNode {
        let start = advance()
        try expectSymbol("(")
        let operand = try expression()
        try expectKeyword("AS")
        let (type, units) = try dataType()
        try expectSymbol(")")
        let isTry = start.keyword == "TRY_CAST"
        return SyntaxNode(.cast(operand, type, units, isTry: isTry), span(from: start.span))
    }
}
