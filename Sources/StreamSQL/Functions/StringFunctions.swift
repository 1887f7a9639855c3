import StreamCore

/// Functions on text. Positions and lengths count code points, from 1.
enum StringFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("upper", aliases: ["ucase"], text) { mapped($0) { TextCase.appendUpper($0, to: &$1) } },
        ScalarFunction("lower", aliases: ["lcase"], text) { mapped($0) { TextCase.appendLower($0, to: &$1) } },
        ScalarFunction("length", aliases: ["char_length", "character_length", "len"], lengthSignature) { call in
            let input = call.bytes(0)
            if case .binary = call.arguments[0].column {
                return call.int32 { Int32(truncatingIfNeeded: input[$0].count) }
            }
            return call.int32 { Int32(truncatingIfNeeded: UTF8Text.length(input[$0])) }
        },
        ScalarFunction("octet_length", lengthSignature) { call in
            let input = call.bytes(0)
            return call.int32 { Int32(truncatingIfNeeded: input[$0].count) }
        },
        ScalarFunction("bit_length", lengthSignature) { call in
            let input = call.bytes(0)
            return call.int32 { Int32(truncatingIfNeeded: input[$0].count * 8) }
        },
        ScalarFunction("concat", Concatenation.signature) { Concatenation.evaluate($0) },
    ]

    private static let text = Signature.exact([.string], returns: .string)

    private static let lengthSignature = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        if typing.type(0) != .binary { try typing.coerce(0, to: .string) }
        return ResultType(.int32)
    }

    private static func mapped(_ call: Call, _ append: (UnsafeRawBufferPointer, inout BytesWriter) -> Void) -> Column {
        let input = call.bytes(0)
        return call.bytes { row, writer in
            append(input[row], &writer)
            return true
        }
    }
}

/// `concat` and `||`: texts, binaries or arrays.
enum Concatenation {
    static let signature = Signature.custom(0...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let types = typing.arguments.map(\.type)
        if types.contains(where: { if case .array = $0 { true } else { false } }) { return try typing.unify(0...) }
        let type: DataType = !types.isEmpty && types.allSatisfy { $0 == .binary } ? .binary : .string
        for index in types.indices { try typing.coerce(index, to: type) }
        return ResultType(type)
    }

    static func evaluate(_ call: Call) -> Column {
        if case .array = call.type { return arrays(call) }
        let inputs = call.arguments.indices.map { call.bytes($0) }
        return call.bytes { row, writer in
            for input in inputs { writer.append(input[row]) }
            return true
        }
    }

    private static func arrays(_ call: Call) -> Column {
        let inputs = call.arguments.indices.compactMap { call.arrays($0) }
        return call.list(inputs.map(\.column.elements)) { row, picks in
            for (source, input) in inputs.enumerated() {
                for element in input.column.range(row & input.mask) { picks.append(Pick(source, element)) }
            }
            return true
        }
    }
}
