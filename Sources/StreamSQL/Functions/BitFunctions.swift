import StreamCore

/// `& | ^ ~`, shifts, `bit_count`.
enum BitFunctions {
    static let all: [ScalarFunction] = [
        bitwise("&") { $0 & $1 }, bitwise("|") { $0 | $1 }, bitwise("^") { $0 ^ $1 },
        ScalarFunction("~", .custom(1...1, integer)) { call in
            switch call.type {
            case .int8:
                let a = call.int8s(0)
                return .int8(call.dense { ~a[$0] })
            case .int16:
                let a = call.int16s(0)
                return .int16(call.dense { ~a[$0] })
            case .int32:
                let a = call.int32s(0)
                return .int32(call.dense { ~a[$0] })
            default:
                let a = call.int64s(0)
                return .int64(call.dense { ~a[$0] })
            }
        },
        shift("shiftleft", { $0 &<< $1 }, { $0 &<< $1 }),
        shift("shiftright", { $0 &>> $1 }, { $0 &>> $1 }),
        shift(
            "shiftrightunsigned", { Int32(bitPattern: UInt32(bitPattern: $0) &>> UInt32(bitPattern: $1)) },
            { Int64(bitPattern: UInt64(bitPattern: $0) &>> UInt64(bitPattern: $1)) }),
        ScalarFunction(
            "bit_count",
            .custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
                if typing.type(0) != .boolean { _ = try integer(&typing) }
                typing.arguments[0] = typing.arguments[0].cast(to: .int64)
                return ResultType(.int32)
            }
        ) { call in
            let input = call.int64s(0)
            return .int32(call.dense { Int32(input[$0].nonzeroBitCount) })
        },
    ]

    @Sendable
    private static func integer(_ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        if typing.type(0) == .null { typing.arguments[0] = typing.arguments[0].cast(to: .int32) }
        guard Coercion.isInteger(typing.type(0)) else { throw typing.mismatch(0, wanted: "INTEGRAL") }
        return ResultType(typing.type(0))
    }

    private static func bitwise(
        _ name: String, _ operation: @escaping @Sendable (Int64, Int64) -> Int64
    ) -> ScalarFunction {
        ScalarFunction(
            name,
            .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                let result = try typing.unify(0...)
                let type = result.type == .null ? DataType.int32 : result.type
                guard Coercion.isInteger(type) else {
                    throw typing.issue(
                        "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
                        "'\(typing.name)' needs whole numbers, not \(type.name.uppercased())")
                }
                for index in 0..<2 { typing.arguments[index] = typing.arguments[index].cast(to: type) }
                return ResultType(type)
            }
        ) { call in
            // The bits of the narrow types are those of the wide one.
            switch call.type {
            case .int8:
                let (a, b) = (call.int8s(0), call.int8s(1))
                return .int8(call.dense { Int8(truncatingIfNeeded: operation(Int64(a[$0]), Int64(b[$0]))) })
            case .int16:
                let (a, b) = (call.int16s(0), call.int16s(1))
                return .int16(call.dense { Int16(truncatingIfNeeded: operation(Int64(a[$0]), Int64(b[$0]))) })
            case .int32:
                let (a, b) = (call.int32s(0), call.int32s(1))
                return .int32(call.dense { Int32(truncatingIfNeeded: operation(Int64(a[$0]), Int64(b[$0]))) })
            default:
                let (a, b) = (call.int64s(0), call.int64s(1))
                return .int64(call.dense { operation(a[$0], b[$0]) })
            }
        }
    }

    /// Shifts take the count modulo the width, as Java does.
    private static func shift(
        _ name: String, _ narrow: @escaping @Sendable (Int32, Int32) -> Int32,
        _ wide: @escaping @Sendable (Int64, Int64) -> Int64
    ) -> ScalarFunction {
        ScalarFunction(
            name,
            .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                let isWide = typing.type(0) == .int64
                if typing.type(0) == .string {
                    throw typing.mismatch(0, wanted: "INT or BIGINT")
                }
                try typing.coerce(0, to: isWide ? .int64 : .int32)
                try typing.coerce(1, to: .int32)
                return ResultType(typing.type(0))
            }
        ) { call in
            let count = call.int32s(1)
            if case .int64 = call.type {
                let value = call.int64s(0)
                return .int64(call.dense { wide(value[$0], Int64(count[$0])) })
            }
            let value = call.int32s(0)
            return .int32(call.dense { narrow(value[$0], count[$0]) })
        }
    }
}
