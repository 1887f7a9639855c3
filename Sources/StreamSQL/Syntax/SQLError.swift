public import StreamCore

/// One mistake in a query: Spark's error class, a message for people, and where.
public struct SQLDiagnostic: Error, Hashable, Sendable, CustomStringConvertible {
    /// Spark's error class: `UNRESOLVED_COLUMN.WITH_SUGGESTION`, `PARSE_SYNTAX_ERROR`.
    public var code: StreamError.Code
    public var message: String
    public var position: SourcePosition

    /// `2:14: [UNRESOLVED_COLUMN.WITH_SUGGESTION] unknown column 'custmer', did you mean 'customer'?`
    public var description: String { "\(position): [\(code)] \(message)" }
}

/// All mistakes found in one query, in the order of their positions.
public struct SQLError: Error, Sendable, CustomStringConvertible {
    public var diagnostics: [SQLDiagnostic]

    public init(_ diagnostics: [SQLDiagnostic]) { self.diagnostics = diagnostics }

    public var description: String { diagnostics.map(\.description).joined(separator: "\n") }

    /// The first mistake as the error of a module edge, in a file if one is named.
    public func streamError(file: String? = nil) -> StreamError {
        guard let first = diagnostics.first else { return StreamError("INTERNAL_ERROR", "an error without a cause") }
        let more = diagnostics.count > 1 ? " (and \(diagnostics.count - 1) more)" : ""
        return StreamError(
            first.code, first.message + more, domain: .user,
            place: .init(file: file, line: first.position.line, column: first.position.column))
    }
}

/// A mistake before its position is turned into line and column.
struct SyntaxIssue: Error, Hashable {
    var code: StreamError.Code
    var message: String
    var span: SourceSpan

    init(_ code: StreamError.Code, _ message: String, at span: SourceSpan) {
        self.code = code
        self.message = message
        self.span = span
    }

    func diagnostic(in source: SourceText) -> SQLDiagnostic {
        SQLDiagnostic(code: code, message: message, position: source.position(span.start))
    }
}
