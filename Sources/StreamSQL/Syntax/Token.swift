/// A word of a query.
struct Token: Hashable {
    enum Kind: Hashable {
        /// A bare word; `Token.keyword` holds it in capitals.
        case word(String)
        case quotedName(String)
        case string(String)
        case number(NumberText)
        case symbol(String)
        case end
    }

    var kind: Kind
    var span: SourceSpan
    /// The word in capitals; empty for anything else.
    var keyword = ""

    /// How errors call it.
    var shown: String {
        switch kind {
        case .word(let text): "'\(text)'"
        case .quotedName(let text): "'`\(text)`'"
        case .string: "a string"
        case .number(let number): "'\(number.digits)'"
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "the end of the query"
        }
    }
}

/// A number as it was written, with its suffix apart.
struct NumberText: Hashable {
    enum Form: Hashable { case integer, decimal, exponent }
    enum Suffix: String, Hashable {
        case none = ""
        case tinyint = "Y"
        case smallint = "S"
        case bigint = "L"
        case double = "D"
        case float = "F"
        case decimal = "BD"
    }

    var digits: String
    var form: Form
    var suffix: Suffix
}
