import StreamCore

/// AND, OR, NOT with three-valued logic, and the tests for null.
enum LogicFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("and", operands, propagatesNulls: false, implementation: .lazy { Logic.and($0) }),
        ScalarFunction("or", operands, propagatesNulls: false, implementation: .lazy { Logic.or($0) }),
        ScalarFunction("not", .exact([.boolean], returns: .boolean)) { call in
            let input = call.booleans(0)
            return .boolean(call.dense { !input[$0] })
        },
        ScalarFunction("isnull", .any(1...1, returns: .boolean), propagatesNulls: false) { nullTest($0, wanted: true) },
        ScalarFunction("isnotnull", .any(1...1, returns: .boolean), propagatesNulls: false) {
            nullTest($0, wanted: false)
        },
    ]

    private static let operands = Signature.custom(2...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
        for index in typing.arguments.indices {
            if typing.type(index) == .null { try typing.coerce(index, to: .boolean) }
            guard typing.type(index) == .boolean else {
                throw typing.issue(
                    "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
                    "\(typing.name.uppercased()) needs booleans, not \(typing.arguments[index].typeName.uppercased())",
                    at: index)
            }
        }
        return ResultType(.boolean)
    }

    private static func nullTest(_ call: Call, wanted: Bool) -> Column {
        let vector = call.arguments[0]
        guard let nulls = vector.column.nulls else {
            return .boolean(FixedColumn([Bool](repeating: !wanted, count: call.count)))
        }
        let values = (0..<call.count).map { nulls[$0 & vector.mask] == wanted }
        return .boolean(FixedColumn(values))
    }
}

enum Logic {
    /// False as soon as one is false; later operands see only the rows that are still open.
    static func and(_ call: LazyCall) -> Column { chain(call, decisive: false) }
    static func or(_ call: LazyCall) -> Column { chain(call, decisive: true) }

    private static func chain(_ call: LazyCall, decisive: Bool) -> Column {
        let count = call.rows.count
        var values = [Bool](repeating: !decisive, count: count)
        var nulls: Bitmap?
        var open = call.rows
        for operand in call.operands.indices where !open.isEmpty {
            let vector = call.evaluate(operand, open)
            guard case .boolean(let column) = vector.column else { continue }
            let mask = vector.mask
            var decided = false
            open.forEachRow { row in
                if column.isNull(row & mask) {
                    if nulls == nil { nulls = Bitmap(count: count) }
                    nulls?[row] = true
                } else if column.values[row & mask] == decisive {
                    values[row] = decisive
                    decided = true
                    if nulls != nil { nulls?[row] = false }
                }
            }
            if decided { open = open.filter { values[$0] != decisive } }
            open = open.without(call.context.faults.rows)
        }
        return .boolean(FixedColumn(values, nulls: nulls))
    }
}
