import StreamCore

/// Every function by its names. A family is an array of `ScalarFunction` in a file of its own; it is listed here once.
struct FunctionRegistry: Sendable {
    static let standard = FunctionRegistry(families: [
        ArithmeticFunctions.all,
        BitFunctions.all,
        ComparisonFunctions.all,
        LogicFunctions.all,
        ConditionalFunctions.all,
        PatternFunctions.all,
        AccessFunctions.all,
        CurrentTimeFunctions.all,
        DateFieldFunctions.all,
        DatetimeFunctions.all,
        DatetimePatternFunctions.all,
        EpochFunctions.all,
        CollectionFunctions.all,
        ArraySetFunctions.all,
        ArrayShapeFunctions.all,
        SequenceFunctions.all,
        MapFunctions.all,
        JSONFunctions.all,
        CSVFunctions.all,
        CharsetFunctions.all,
        StringFunctions.all,
        TextPartFunctions.all,
        TextSearchFunctions.all,
        TextBuildFunctions.all,
        RegexFunctions.all,
        SplitFunctions.all,
        HashFunctions.all,
        EncodingFunctions.all,
        URLFunctions.all,
        MathFunctions.all,
        RoundingFunctions.all,
        RandomFunctions.all,
        CastFunctions.all,
        NumberFormatFunctions.all,
        NumberTemplateFunctions.all,
    ])

    private let functions: [String: ScalarFunction]

    private init(families: [[ScalarFunction]]) {
        var functions: [String: ScalarFunction] = [:]
        for function in families.joined() {
            for name in [function.name] + function.aliases {
                precondition(functions[name] == nil, "the function '\(name)' is registered twice")
                functions[name] = function
            }
        }
        self.functions = functions
    }

    subscript(name: String) -> ScalarFunction? { functions[name] }

    /// All names that begin with a letter, aliases too, sorted.
    var names: [String] { functions.keys.filter { $0.utf8.first?.isWordStart == true }.sorted() }

    /// Checks a call and gives its expression.
    static func typed(_ function: ScalarFunction, _ typing: inout CallTyping) throws(SyntaxIssue) -> Expression {
        let counts = function.signature.counts
        guard counts.contains(typing.count) else {
            let wanted =
                counts.lowerBound == counts.upperBound
                ? "\(counts.lowerBound)"
                : counts.upperBound == .max
                    ? "at least \(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
            throw typing.issue(
                "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "'\(typing.name)' takes \(wanted) arguments, not \(typing.count)")
        }
        let result = try function.signature.resolve(&typing)
        if let replacement = typing.replacement { return replacement }
        return Expression(.call(function.name, typing.arguments), result.type, units: result.units)
    }
}

/// All function names that queries may use, for documentation and tests.
public enum SQLFunctions {
    public static var names: [String] { FunctionRegistry.standard.names }
}
