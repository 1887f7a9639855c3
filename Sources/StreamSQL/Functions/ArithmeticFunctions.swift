import StreamCore

/// `+ - * / % div`, `mod`, `pmod`, signs and the `try_` forms.
enum ArithmeticFunctions {
    static let all: [ScalarFunction] = [
        binary("+", .add), binary("-", .subtract), binary("*", .multiply), binary("/", .divide),
        binary("%", .remainder, aliases: ["mod"]), binary("div", .wholeDivide), binary("pmod", .positiveRemainder),
        binary("try_add", .add, isTry: true), binary("try_subtract", .subtract, isTry: true),
        binary("try_multiply", .multiply, isTry: true), binary("try_divide", .divide, isTry: true),
        binary("try_mod", .remainder, isTry: true),
        ScalarFunction("negative", sign) { UnaryArithmetic.negated($0) },
        ScalarFunction("positive", sign) { $0.arguments[0].expanded($0.count) },
        ScalarFunction("abs", sign) { UnaryArithmetic.magnitude($0) },
    ]

    private static func binary(
        _ name: String, _ operation: ArithmeticOperator, aliases: [String] = [], isTry: Bool = false
    ) -> ScalarFunction {
        ScalarFunction(
            name, aliases: aliases,
            .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                try ArithmeticTyping.resolve(operation, &typing)
            },
            isTry: isTry
        ) { call in
            if TemporalArithmetic.handles(call.arguments.map(\.column.type)) {
                return TemporalArithmetic.evaluate(operation, call)
            }
            return operation.evaluate(call)
        }
    }

    private static let sign = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        switch typing.type(0) {
        case .string, .null: try typing.coerce(0, to: .double)
        case .yearMonthInterval, .dayTimeInterval, .calendarInterval: break
        case let type where Coercion.isNumeric(type): break
        default: throw typing.mismatch(0, wanted: "NUMERIC or INTERVAL")
        }
        return ResultType(typing.type(0), units: typing.arguments[0].units)
    }
}

/// How arithmetic types its operands.
enum ArithmeticTyping {
    static func resolve(_ operation: ArithmeticOperator, _ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        if TemporalArithmetic.handles([typing.type(0), typing.type(1)]) {
            return try TemporalArithmetic.resolve(operation, &typing)
        }
        promoteStrings(&typing)
        for index in 0..<2 where !Coercion.isNumeric(typing.type(index)) && typing.type(index) != .null {
            throw typing.issue(
                "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
                "'\(typing.name)' needs numbers, not \(typing.arguments[index].typeName.uppercased())", at: index)
        }
        if typing.type(0) == .null { typing.arguments[0] = typing.arguments[0].cast(to: typing.type(1)) }
        if typing.type(1) == .null { typing.arguments[1] = typing.arguments[1].cast(to: typing.type(0)) }
        if typing.type(0) == .null {
            for index in 0..<2 { typing.arguments[index] = typing.arguments[index].cast(to: .double) }
        }
        if let result = decimals(operation, &typing) { return result }
        switch operation {
        case .divide:
            for index in 0..<2 { typing.arguments[index] = typing.arguments[index].cast(to: .double) }
            return ResultType(.double)
        case .wholeDivide:
            for index in 0..<2 { typing.arguments[index] = typing.arguments[index].cast(to: .int64) }
            return ResultType(.int64)
        default: return try typing.unify(0...)
        }
    }

    private static func promoteStrings(_ typing: inout CallTyping) {
        let types = [typing.type(0), typing.type(1)]
        for index in 0..<2 where types[index] == .string {
            let other = types[1 - index]
            typing.arguments[index] = typing.arguments[index].cast(to: Coercion.isInteger(other) ? .int64 : .double)
            if Coercion.isInteger(other) { typing.arguments[1 - index] = typing.arguments[1 - index].cast(to: .int64) }
        }
    }

    /// A decimal with a decimal or a whole number: both become decimals, the result follows the rules of precision.
    private static func decimals(_ operation: ArithmeticOperator, _ typing: inout CallTyping) -> ResultType? {
        guard Coercion.isDecimal(typing.type(0)) || Coercion.isDecimal(typing.type(1)),
            let left = Coercion.decimal(for: typing.arguments[0]),
            let right = Coercion.decimal(for: typing.arguments[1]),
            case .decimal(let p, let s) = left, case .decimal(let q, let t) = right
        else { return nil }
        typing.arguments[0] = typing.arguments[0].cast(to: left)
        typing.arguments[1] = typing.arguments[1].cast(to: right)
        switch operation {
        case .add, .subtract: return ResultType(DecimalRules.sum(p, s, q, t))
        case .multiply: return ResultType(DecimalRules.product(p, s, q, t))
        case .divide: return ResultType(DecimalRules.quotient(p, s, q, t))
        case .remainder, .positiveRemainder: return ResultType(DecimalRules.remainder(p, s, q, t))
        case .wholeDivide: return ResultType(.int64)
        }
    }
}
