public import ConnectorKit
public import StreamCore

/// Checks of a pipeline's texts that other modules know how to make: handed in, so that reading a file needs neither.
public struct PipelineChecks: Sendable {
    /// Something about a text; lines and columns count from 1 inside it.
    public struct Finding: Sendable, Hashable {
        public var severity: LintIssue.Severity
        public var line: Int
        public var column: Int
        public var message: String

        public init(_ severity: LintIssue.Severity = .error, line: Int, column: Int, _ message: String) {
            self.severity = severity
            self.line = line
            self.column = column
            self.message = message
        }
    }

    /// What a schema's text means, and what is wrong or doubtful in it.
    public struct SchemaAnswer: Sendable {
        /// Nil where the text is wrong.
        public var schema: Schema?
        public var findings: [Finding]

        public init(schema: Schema?, findings: [Finding] = []) {
            self.schema = schema
            self.findings = findings
        }
    }

    /// A source as the query sees it.
    public struct Table: Sendable {
        public var name: String
        public var format: PipelineConfig.Format
        /// Declared columns, without those of the record's metadata; nil with `format: raw`.
        public var schema: Schema?
    }

    /// What a query gives, and what is wrong or doubtful in it.
    public struct QueryAnswer: Sendable {
        /// The names of the result's columns; nil where the query is wrong.
        public var columns: [String]?
        public var findings: [Finding]

        public init(columns: [String]?, findings: [Finding] = []) {
            self.columns = columns
            self.findings = findings
        }
    }

    public var schema: @Sendable (_ text: String) -> SchemaAnswer
    public var query: @Sendable (_ text: String, _ tables: [Table]) -> QueryAnswer

    public init(
        schema: @escaping @Sendable (String) -> SchemaAnswer,
        query: @escaping @Sendable (String, [Table]) -> QueryAnswer
    ) {
        self.schema = schema
        self.query = query
    }

    /// Looks at no text: for tests of everything else.
    public static let none = PipelineChecks(
        schema: { _ in SchemaAnswer(schema: Schema([])) }, query: { _, _ in QueryAnswer(columns: nil) })
}
