import StreamCore

/// A recursive-descent parser with precedence climbing for expressions (`Parser+Expression.swift`).
struct Parser {
    /// Nesting that is refused, of the text and of the tree: far from any stack's end.
    static let depthMax = 200

    let source: SourceText
    private let tokens: [Token]
    private var cursor = 0
    private var nesting = 0
    /// Closing angles of types that the lexer read as part of a shift.
    var pendingAngles = 0

    init(_ source: SourceText) throws(SyntaxIssue) {
        self.source = source
        tokens = try Lexer.tokens(of: source)
    }

    // MARK: - Cursor

    var token: Token { tokens[cursor] }

    func ahead(_ count: Int) -> Token { tokens[min(cursor + count, tokens.count - 1)] }

    @discardableResult
    mutating func advance() -> Token {
        let token = tokens[cursor]
        if cursor < tokens.count - 1 { cursor += 1 }
        return token
    }

    func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }
    func isKeyword(_ keyword: String) -> Bool { token.keyword == keyword }

    mutating func takeSymbol(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func takeKeyword(_ keyword: String) -> Bool {
        guard isKeyword(keyword) else { return false }
        advance()
        return true
    }

    mutating func expectSymbol(_ symbol: String) throws(SyntaxIssue) {
        guard takeSymbol(symbol) else { throw unexpected("'\(symbol)'") }
    }

    mutating func expectKeyword(_ keyword: String) throws(SyntaxIssue) {
        guard takeKeyword(keyword) else { throw unexpected(keyword) }
    }

    func unexpected(_ wanted: String) -> SyntaxIssue {
        SyntaxIssue("PARSE_SYNTAX_ERROR", "expected \(wanted), found \(token.shown)", at: token.span)
    }

    /// From `start` to the last token read.
    func span(from start: SourceSpan) -> SourceSpan {
        SourceSpan(start: start.start, end: max(start.end, cursor > 0 ? tokens[cursor - 1].span.end : start.end))
    }

    /// Runs `body` one level deeper.
    mutating func nested<Result>(_ body: (inout Parser) throws(SyntaxIssue) -> Result) throws(SyntaxIssue) -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.depthMax else { throw tooDeep(token.span) }
        return try body(&self)
    }

    func checked(_ node: SyntaxNode) throws(SyntaxIssue) -> SyntaxNode {
        guard node.depth <= Self.depthMax else { throw tooDeep(node.span) }
        return node
    }

    private func tooDeep(_ span: SourceSpan) -> SyntaxIssue {
        SyntaxIssue("PARSE_SYNTAX_ERROR", "the query is nested deeper than \(Self.depthMax) levels", at: span)
    }

    mutating func identifier(_ wanted: String = "a name") throws(SyntaxIssue) -> String {
        switch token.kind {
        case .word(let text), .quotedName(let text):
            advance()
            return text
        default: throw unexpected(wanted)
        }
    }

    // MARK: - Entry points

    mutating func query() throws(SyntaxIssue) -> SelectSyntax {
        let query = try select()
        _ = takeSymbol(";")
        try rejectUnsupportedClause()
        guard token.kind == .end else { throw unexpected("the end of the query") }
        return query
    }

    mutating func wholeExpression() throws(SyntaxIssue) -> SyntaxNode {
        let node = try expression()
        guard token.kind == .end else { throw unexpected("the end of the expression") }
        return node
    }
}
