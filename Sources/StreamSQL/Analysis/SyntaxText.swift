import StreamCore

/// How Spark names an output column that has no alias: `upper(customer)`, `(a + b)`.
enum SyntaxText {
    /// The name of a SELECT item.
    static func name(of node: SyntaxNode) -> String {
        switch node.kind {
        case .name(let parts): parts[parts.count - 1]
        case .member(_, let name): name
        case .alias(_, let name): name
        // A cast at the top of an item leaves the name alone, as in Spark.
        case .cast(let inner, _, _, _):
            if case .name = inner.kind { name(of: inner) } else { text(node) }
        default: text(node)
        }
    }

    /// The name of a member that a `struct(…)` makes of this argument, if it gives one.
    static func fieldName(of node: SyntaxNode) -> String? {
        switch node.kind {
        case .name(let parts): parts[parts.count - 1]
        case .member(_, let name), .alias(_, let name): name
        default: nil
        }
    }

    static func text(_ node: SyntaxNode) -> String {
        switch node.kind {
        case .literal(let datum, let type, let units): literal(datum, type, units)
        case .typedLiteral(let type, let text): "\(type) '\(text)'"
        case .name(let parts): parts.joined(separator: ".")
        case .star(let qualifier): (qualifier + ["*"]).joined(separator: ".")
        case .member(let base, let name): "\(text(base)).\(name)"
        case .cast(let inner, let type, let units, let isTry):
            "\(isTry ? "TRY_CAST" : "CAST")(\(text(inner)) AS \((units?.typeName ?? type.name).uppercased()))"
        case .alias(let inner, let name): "\(text(inner)) AS \(name)"
        case .lambda(let names, let body): "lambdafunction(\(text(body)), \(names.joined(separator: ", ")))"
        case .call(let name, let arguments): call(name, arguments)
        }
    }

    private static func literal(_ datum: Datum, _ type: DataType, _ units: IntervalUnits?) -> String {
        if case .null = datum { return "NULL" }
        let column = Column.of([datum], type: type)
        var writer = BytesWriter()
        writer.start()
        ValueText(zone: .utc, units: units).append(column, 0, &writer)
        let text = writer.arena.string(ByteView(start: 0, length: writer.arena.count))
        if case .binary = type { return "X'" + (datum.bytes ?? []).map { hex($0) }.joined() + "'" }
        return text
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }

    private static let infix: Set<String> = [
        "+", "-", "*", "/", "%", "div", "=", "<", "<=", ">", ">=", "<=>", "&", "|", "^", "and", "or",
    ]

    private static func call(_ name: String, _ arguments: [SyntaxNode]) -> String {
        let texts = arguments.map { text($0) }
        switch name {
        case _ where infix.contains(name) && texts.count >= 2:
            return texts.dropFirst().reduce(texts[0]) {
                "(\($0) \(name == "and" || name == "or" ? name.uppercased() : name) \($1))"
            }
        case "!=": return "(NOT (\(texts[0]) = \(texts[1])))"
        case "not": return "(NOT \(texts[0]))"
        case "negative": return "(- \(texts[0]))"
        case "positive": return "(+ \(texts[0]))"
        case "~": return "~\(texts[0])"
        case "[]": return "\(texts[0])[\(texts[1])]"
        case "isnull": return "(\(texts[0]) IS NULL)"
        case "isnotnull": return "(\(texts[0]) IS NOT NULL)"
        case "in": return "(\(texts[0]) IN (\(texts.dropFirst().joined(separator: ", "))))"
        case "like", "ilike": return "\(texts[0]) \(name.uppercased()) \(texts[1])"
        case "rlike": return "RLIKE(\(texts[0]), \(texts[1]))"
        case "case": return caseText(texts)
        case "if": return "(IF(\(texts.joined(separator: ", "))))"
        default: return "\(name)(\(texts.joined(separator: ", ")))"
        }
    }

    private static func caseText(_ texts: [String]) -> String {
        var result = "CASE"
        for index in stride(from: 0, to: texts.count - 1, by: 2) {
            result += " WHEN \(texts[index]) THEN \(texts[index + 1])"
        }
        if texts.count % 2 == 1 { result += " ELSE \(texts[texts.count - 1])" }
        return result + " END"
    }
}
