import StreamCore

/// An expression as it was written, before names and types are resolved.
struct SyntaxNode {
    indirect enum Kind {
        case literal(Datum, DataType, IntervalUnits?)
        /// `DATE '…'` and the like, read with the session's time zone by the analyzer.
        case typedLiteral(type: String, text: String)
        case name([String])
        case star([String])
        /// Functions and operators alike: `upper`, `+`, `and`, `case`, `in`, `[]`.
        case call(String, [SyntaxNode])
        case member(SyntaxNode, String)
        case cast(SyntaxNode, DataType, IntervalUnits?, isTry: Bool)
        case alias(SyntaxNode, String)
        case lambda([String], SyntaxNode)
    }

    var kind: Kind
    var span: SourceSpan
    /// Height of the tree: limited, so that nobody who walks it runs out of stack.
    var depth: Int

    init(_ kind: Kind, _ span: SourceSpan) {
        self.kind = kind
        self.span = span
        depth =
            switch kind {
            case .literal, .typedLiteral, .name, .star: 1
            case .call(_, let arguments): 1 + (arguments.map(\.depth).max() ?? 0)
            case .member(let inner, _), .cast(let inner, _, _, _), .alias(let inner, _), .lambda(_, let inner):
                1 + inner.depth
            }
    }

    static func text(_ text: String, _ span: SourceSpan) -> SyntaxNode {
        SyntaxNode(.literal(.string(text), .string, nil), span)
    }
}

/// `SELECT … FROM … WHERE …`
struct SelectSyntax {
    struct Item {
        var expression: SyntaxNode
        var alias: String?
    }

    indirect enum Relation {
        case table(name: String, alias: String?, SourceSpan)
        case subquery(SelectSyntax, alias: String?)
    }

    var items: [Item]
    var relation: Relation?
    var condition: SyntaxNode?
    var span: SourceSpan
}
