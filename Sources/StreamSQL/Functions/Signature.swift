import StreamCore

/// A result type, with its interval fields where it has any.
struct ResultType {
    var type: DataType
    var units: IntervalUnits?

    init(_ type: DataType, units: IntervalUnits? = nil) {
        self.type = type
        self.units = units
    }
}

/// How a function types its arguments: how many there may be, what they are cast to, what comes out.
struct Signature: Sendable {
    let counts: ClosedRange<Int>
    let resolve: @Sendable (inout CallTyping) throws(SyntaxIssue) -> ResultType

    /// Anything the closure decides.
    static func custom(
        _ counts: ClosedRange<Int>, _ resolve: @escaping @Sendable (inout CallTyping) throws(SyntaxIssue) -> ResultType
    ) -> Signature {
        Signature(counts: counts, resolve: resolve)
    }

    /// Arguments are cast to these types where Spark casts implicitly; `optional` ones may be left out at the end.
    static func exact(_ parameters: [DataType], optional: [DataType] = [], returns type: DataType) -> Signature {
        let all = parameters + optional
        return Signature(counts: parameters.count...all.count) { (typing: inout CallTyping) throws(SyntaxIssue) in
            for index in typing.arguments.indices { try typing.coerce(index, to: all[index]) }
            return ResultType(type)
        }
    }

    /// All arguments are cast to the type that is wide enough for each, which is also the result's.
    static func common(_ counts: ClosedRange<Int>) -> Signature {
        Signature(counts: counts) { (typing: inout CallTyping) throws(SyntaxIssue) in try typing.unify(0...) }
    }

    /// Any arguments, one result type.
    static func any(_ counts: ClosedRange<Int>, returns type: DataType) -> Signature {
        Signature(counts: counts) { (_: inout CallTyping) throws(SyntaxIssue) in ResultType(type) }
    }
}

/// A call whose arguments are being typed: a signature reads their types and puts casts around them.
struct CallTyping {
    /// The name as the user wrote it.
    let name: String
    var arguments: [Expression]
    let spans: [SourceSpan]
    let span: SourceSpan
    /// How each argument is called where it becomes a field: an alias or a column's name, else nil.
    let argumentNames: [String?]
    let zone: TimeZone
    /// Set by a signature that is written in terms of other functions (see `call`): stands in for the call.
    var replacement: Expression?

    init(
        name: String, arguments: [Expression], spans: [SourceSpan], span: SourceSpan, argumentNames: [String?],
        zone: TimeZone
    ) {
        self.name = name
        self.arguments = arguments
        self.spans = spans
        self.span = span
        self.argumentNames = argumentNames
        self.zone = zone
    }

    var count: Int { arguments.count }
    func type(_ index: Int) -> DataType { arguments[index].type }

    /// Casts an argument implicitly.
    mutating func coerce(_ index: Int, to type: DataType) throws(SyntaxIssue) {
        guard let cast = Coercion.implicit(arguments[index], to: type) else {
            throw mismatch(index, wanted: type.name.uppercased())
        }
        arguments[index] = cast
    }

    /// Casts arguments to their common type.
    mutating func unify(_ range: PartialRangeFrom<Int>) throws(SyntaxIssue) -> ResultType {
        try unify(Array(range.relative(to: arguments)))
    }

    mutating func unify(_ indices: [Int]) throws(SyntaxIssue) -> ResultType {
        guard let first = indices.first else { return ResultType(.null) }
        var common = arguments[first].type
        var units = arguments[first].units
        for index in indices.dropFirst() {
            guard let wider = Coercion.common(common, arguments[index].type) else {
                throw issue(
                    "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
                    "the arguments of '\(name)' must have one type, "
                        + "not \(common.name) and \(arguments[index].type.name)",
                    at: index)
            }
            common = wider
            units = IntervalUnits.covering(units, arguments[index].units)
        }
        for index in indices { arguments[index] = arguments[index].cast(to: common) }
        return ResultType(common, units: units)
    }

    /// A call of another function with some of these arguments, typed by that function's own rules.
    func call(_ function: String, _ arguments: [Expression]) throws(SyntaxIssue) -> Expression {
        guard let target = FunctionRegistry.standard[function] else { preconditionFailure("no function '\(function)'") }
        var typing = CallTyping(
            name: name, arguments: arguments, spans: arguments.map { _ in span }, span: span,
            argumentNames: arguments.map { _ in nil }, zone: zone)
        return try FunctionRegistry.typed(target, &typing)
    }

    /// Lets another expression stand for the call.
    mutating func replace(with expression: Expression) -> ResultType {
        replacement = expression
        return ResultType(expression.type, units: expression.units)
    }

    /// The constant text of an argument, or nil if it is no literal.
    func literalText(_ index: Int) -> String? {
        guard index < arguments.count, case .literal(.string(let text)) = arguments[index].kind else { return nil }
        return text
    }

    func mismatch(_ index: Int, wanted: String) -> SyntaxIssue {
        issue(
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            "argument \(index + 1) of '\(name)' must be \(wanted), not \(arguments[index].typeName.uppercased())",
            at: index)
    }

    func issue(_ code: StreamError.Code, _ message: String, at index: Int? = nil) -> SyntaxIssue {
        SyntaxIssue(code, message, at: index.map { spans[$0] } ?? span)
    }
}
