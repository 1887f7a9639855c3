import StreamCore

/// Arithmetic on dates, timestamps and intervals: the operators ask here first.
enum TemporalArithmetic {
    /// Whether an operation on these types belongs here.
    static func handles(_ types: [DataType]) -> Bool {
        types.contains { type in
            switch type {
            case .date, .timestamp, .yearMonthInterval, .dayTimeInterval, .calendarInterval: true
            default: false
            }
        }
    }

    /// Casts the operands and gives the result's type.
    static func resolve(_ operation: ArithmeticOperator, _ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        throw typing.issue(
            "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
            "'\(typing.name)' cannot take \(typing.arguments[0].typeName.uppercased()) and \(typing.arguments[1].typeName.uppercased())")
    }

    static func evaluate(_ operation: ArithmeticOperator, _ call: Call) -> Column { call.nothing() }
}
