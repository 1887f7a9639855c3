import StreamCore

extension Analyzer {
    mutating func resolve(_ node: SyntaxNode, _ scope: Scope) throws(SyntaxIssue) -> Expression {
        switch node.kind {
        case .literal(let datum, let type, let units): return Expression(.literal(datum), type, units: units)
        case .typedLiteral(let type, let text): return try typedLiteral(type, text, node.span)
        case .name(let parts): return try column(parts, node.span, scope)
        case .star:
            throw SyntaxIssue("INVALID_USAGE_OF_STAR_OR_REGEX", "'*' stands only in a SELECT list", at: node.span)
        case .member(let base, let name): return try member(resolve(base, scope), name, node.span)
        case .cast(let inner, let type, let units, let isTry):
            let value = try resolve(inner, scope)
            try Cast.check(from: value.type, to: type, isTry: isTry, at: node.span)
            return value.cast(to: type, units: units, isTry: isTry)
        case .alias(let inner, _): return try resolve(inner, scope)
        case .lambda:
            throw SyntaxIssue("UNSUPPORTED_FEATURE", "lambda functions are not supported yet", at: node.span)
        case .call(let name, let arguments): return try call(name, arguments, node.span, scope)
        }
    }

    private func typedLiteral(_ type: String, _ text: String, _ span: SourceSpan) throws(SyntaxIssue) -> Expression {
        let bytes = Array(text.utf8)
        switch type {
        case "DATE":
            if let days = bytes.withUnsafeBytes({ TimeText.date($0) }) {
                return Expression(.literal(.integer(Int64(days))), .date)
            }
        case "TIMESTAMP", "TIMESTAMP_LTZ":
            if let instant = bytes.withUnsafeBytes({ TimeText.timestamp($0, zone: zone, now: 0) }) {
                return Expression(.literal(.integer(instant)), .timestamp)
            }
        default: throw SyntaxIssue("UNSUPPORTED_DATATYPE", "the type \(type) is not supported yet", at: span)
        }
        throw SyntaxIssue("INVALID_TYPED_LITERAL", "cannot read this \(type) literal", at: span)
    }

    // MARK: - Names

    private func column(_ parts: [String], _ span: SourceSpan, _ scope: Scope) throws(SyntaxIssue) -> Expression {
        var rest = parts[...]
        // `orders.id`: the qualifier goes, unless a column has that name.
        for qualifier in scope.qualifiers where scope.schema.index(of: parts[0]) == nil {
            let words = qualifier.split(separator: ".").map { $0.lowercased() }
            if parts.count > words.count, parts.prefix(words.count).map({ $0.lowercased() }) == words {
                rest = parts.dropFirst(words.count)
            }
        }
        guard let first = rest.popFirst(), let index = scope.schema.index(of: first) else {
            let known = scope.schema.fields.map(\.name)
            let name = rest.startIndex > 0 ? parts[rest.startIndex - 1] : parts[0]
            let hint = NameSuggestion.phrase(for: name, among: known)
            let code: StreamError.Code =
                known.isEmpty ? "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION" : "UNRESOLVED_COLUMN.WITH_SUGGESTION"
            throw SyntaxIssue(code, "unknown column '\(parts.joined(separator: "."))'\(hint)", at: span)
        }
        let isAmbiguous = scope.schema.fields.filter { $0.name.lowercased() == first.lowercased() }.count > 1
        if isAmbiguous, scope.schema[index].name != first {
            throw SyntaxIssue("AMBIGUOUS_REFERENCE", "'\(first)' could be one of several columns", at: span)
        }
        var expression = Expression(.column(index), scope.schema[index].type)
        for name in rest { expression = try member(expression, name, span) }
        return expression
    }

    private func member(_ base: Expression, _ name: String, _ span: SourceSpan) throws(SyntaxIssue) -> Expression {
        switch base.type {
        case .structure(let schema):
            return Expression(.member(base, try field(name, schema, span)), schema[try field(name, schema, span)].type)
        case .map(let key, let value):
            guard key == .string else { break }
            return Expression(.call("[]", [base, .text(name)]), value)
        case .array(.structure(let schema)):
            // The field of every element.
            let index = try field(name, schema, span)
            let place = Expression(.literal(.integer(Int64(index))), .int32)
            return Expression(.call("array_member", [base, place]), .array(schema[index].type))
        default: break
        }
        throw SyntaxIssue(
            "INVALID_EXTRACT_BASE_FIELD_TYPE",
            "'\(name)' cannot be taken from a value of type \(base.typeName.uppercased())",
            at: span)
    }

    private func field(_ name: String, _ schema: Schema, _ span: SourceSpan) throws(SyntaxIssue) -> Int {
        if let index = schema.index(of: name) { return index }
        let hint = NameSuggestion.phrase(for: name, among: schema.fields.map(\.name))
        throw SyntaxIssue("FIELD_NOT_FOUND", "unknown field '\(name)'\(hint)", at: span)
    }

    // MARK: - Calls

    private static let aggregates: Set<String> = [
        "count", "sum", "avg", "mean", "min", "max", "first", "last", "first_value", "last_value", "any_value",
        "collect_list", "collect_set", "array_agg", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop",
        "var_samp", "approx_count_distinct", "percentile", "percentile_approx", "approx_percentile", "median", "mode",
        "max_by", "min_by", "bool_and", "bool_or", "every", "some", "any", "corr", "covar_pop", "covar_samp",
        "skewness", "kurtosis", "count_if", "bit_and", "bit_or", "bit_xor", "listagg", "string_agg", "grouping",
    ]
    private static let windowFunctions: Set<String> = [
        "row_number", "rank", "dense_rank", "percent_rank", "ntile", "lag", "lead", "nth_value", "cume_dist",
    ]
    private static let generators: Set<String> = [
        "explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer", "stack", "json_tuple",
    ]

    private mutating func call(
        _ name: String, _ nodes: [SyntaxNode], _ span: SourceSpan, _ scope: Scope
    ) throws(SyntaxIssue) -> Expression {
        let key = name.lowercased()
        guard let function = FunctionRegistry.standard[key] else { throw unknownFunction(name, key, span) }
        var arguments: [Expression] = []
        var failure: SyntaxIssue?
        for node in nodes {
            // The other arguments are looked at too, so that their mistakes are reported in the same run.
            do throws(SyntaxIssue) {
                arguments.append(try resolve(node, scope))
            } catch {
                if let failure { report(failure) }
                failure = error
            }
        }
        if let failure { throw failure }
        var typing = CallTyping(
            name: name, arguments: arguments, spans: nodes.map(\.span), span: span,
            argumentNames: nodes.map { SyntaxText.fieldName(of: $0) }, zone: zone)
        return try FunctionRegistry.typed(function, &typing)
    }

    private func unknownFunction(_ name: String, _ key: String, _ span: SourceSpan) -> SyntaxIssue {
        for (names, what) in [
            (Self.aggregates, "aggregates"), (Self.windowFunctions, "window functions"),
            (Self.generators, "generators"),
        ] where names.contains(key) {
            return SyntaxIssue("UNSUPPORTED_FEATURE", "\(what) are not supported yet: '\(name)'", at: span)
        }
        let hint = NameSuggestion.phrase(for: key, among: FunctionRegistry.standard.names)
        return SyntaxIssue("UNRESOLVED_ROUTINE", "unknown function '\(name)'\(hint)", at: span)
    }
}
