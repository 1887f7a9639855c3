import StreamCore

/// Functions that write a new text from others.
enum TextBuildFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("initcap", .exact([.string], returns: .string)) { call in
            let text = call.bytes(0)
            return call.bytes { row, writer in
                TextCase.appendCapitalized(text[row], to: &writer)
                return true
            }
        },
        ScalarFunction("concat_ws", separatedSignature, propagatesNulls: false) { SeparatedConcatenation.evaluate($0) },
        pad("lpad", isLeft: true), pad("rpad", isLeft: false),
        ScalarFunction("repeat", .exact([.string, .int32], returns: .string)) { call in
            let (text, count) = (call.bytes(0), call.int32s(1))
            return call.bytes { (row, writer) throws(RowError) in
                try writer.append(text[row], times: Int(count[row]))
                return true
            }
        },
        ScalarFunction("space", .exact([.int32], returns: .string)) { call in
            let count = call.int32s(0)
            return call.bytes { (row, writer) throws(RowError) in
                try writer.append(UInt8(ascii: " "), times: Int(count[row]))
                return true
            }
        },
        ScalarFunction("reverse", reverseSignature) { Reversal.evaluate($0) },
        ScalarFunction("replace", .exact([.string, .string], optional: [.string], returns: .string)) { replace($0) },
        ScalarFunction("translate", .exact([.string, .string, .string], returns: .string)) { Translation.evaluate($0) },
        ScalarFunction("overlay", .exact([.string, .string, .int32], optional: [.int32], returns: .string)) {
            overlay($0)
        },
        ScalarFunction("elt", eltSignature, propagatesNulls: false) { elt($0) },
        ScalarFunction(
            "mask", .exact([.string], optional: [.string, .string, .string, .string], returns: .string),
            propagatesNulls: false
        ) { Masking.evaluate($0) },
        ScalarFunction("quote", .exact([.string], returns: .string)) { call in
            let text = call.bytes(0)
            return call.bytes { row, writer in
                writer.append(UInt8(ascii: "'"))
                for byte in text[row] {
                    if byte == UInt8(ascii: "'") { writer.append(UInt8(ascii: "\\")) }
                    writer.append(byte)
                }
                writer.append(UInt8(ascii: "'"))
                return true
            }
        },
        ScalarFunction("char", aliases: ["chr"], .exact([.int64], returns: .string)) { call in
            let code = call.int64s(0)
            return call.bytes { row, writer in
                // Spark takes the code modulo 256, and gives nothing for negative ones.
                if code[row] >= 0 {
                    writer.append(String(Unicode.Scalar(UInt8(truncatingIfNeeded: code[row]))))
                }
                return true
            }
        },
    ]

    private static let separatedSignature = Signature.custom(1...Int.max) {
        (typing: inout CallTyping) throws(SyntaxIssue) in
        for index in typing.arguments.indices {
            if index > 0, case .array = typing.type(index) {
                try typing.coerce(index, to: .array(.string))
            } else {
                try typing.coerce(index, to: .string)
            }
        }
        return ResultType(.string)
    }

    private static let reverseSignature = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        if case .array = typing.type(0) { return ResultType(typing.type(0)) }
        try typing.coerce(0, to: .string)
        return ResultType(.string)
    }

    private static let eltSignature = Signature.custom(2...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
        try typing.coerce(0, to: .int32)
        let values = typing.arguments.dropFirst()
        let type: DataType = values.allSatisfy { $0.type == .binary } ? .binary : .string
        for index in values.indices { try typing.coerce(index, to: type) }
        return ResultType(type)
    }

    private static func pad(_ name: String, isLeft: Bool) -> ScalarFunction {
        ScalarFunction(name, .exact([.string, .int32], optional: [.string], returns: .string)) { call in
            let (text, length) = (call.bytes(0), call.int32s(1))
            let fillers = call.arguments.count > 2 ? call.bytes(2) : nil
            return call.bytes { (row, writer) throws(RowError) in
                let bytes = text[row]
                let wanted = max(0, Int(length[row]))
                let missing = wanted - UTF8Text.length(bytes)
                guard missing > 0, fillers.map({ !$0[row].isEmpty }) ?? true else {
                    writer.append(UnsafeRawBufferPointer(rebasing: bytes[..<UTF8Text.offset(bytes, ofPoint: wanted)]))
                    return true
                }
                if !isLeft { writer.append(bytes) }
                if let fillers {
                    try writer.append(fillers[row], points: missing)
                } else {
                    try writer.append(UInt8(ascii: " "), times: missing)
                }
                if isLeft { writer.append(bytes) }
                return true
            }
        }
    }

    private static func replace(_ call: Call) -> Column {
        let (text, search) = (call.bytes(0), call.bytes(1))
        let replacements = call.arguments.count > 2 ? call.bytes(2) : nil
        return call.bytes { row, writer in
            let (bytes, wanted) = (text[row], search[row])
            var start = 0
            while !wanted.isEmpty, let place = UTF8Text.find(wanted, in: bytes, from: start) {
                writer.append(UnsafeRawBufferPointer(rebasing: bytes[start..<place]))
                if let replacements { writer.append(replacements[row]) }
                start = place + wanted.count
            }
            writer.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            return true
        }
    }

    /// As Spark: what stands before `pos`, the replacement, what stands behind `pos + length`.
    private static func overlay(_ call: Call) -> Column {
        let (text, replacement, position) = (call.bytes(0), call.bytes(1), call.int32s(2))
        let lengths = call.arguments.count > 3 ? call.int32s(3) : nil
        return call.bytes { row, writer in
            let bytes = text[row]
            let subject = TextPartFunctions.Subject(bytes: bytes, isBinary: false)
            let given = lengths.map { Int($0[row]) } ?? -1
            let length = given >= 0 ? given : UTF8Text.length(replacement[row])
            let place = Int(position[row])
            let head = TextSlice.range(subject, from: 1, length: place - 1)
            let tail = TextSlice.range(subject, from: place + length, length: nil)
            writer.append(UnsafeRawBufferPointer(rebasing: bytes[head]))
            writer.append(replacement[row])
            writer.append(UnsafeRawBufferPointer(rebasing: bytes[tail]))
            return true
        }
    }

    private static func elt(_ call: Call) -> Column {
        let number = call.int32s(0)
        let vectors = Array(call.arguments.dropFirst())
        return call.picked(vectors.map(\.column)) { (row) throws(RowError) in
            if number.isNull(row) { return nil }
            let index = Int(number[row]) - 1
            guard vectors.indices.contains(index) else {
                throw RowError("INVALID_ARRAY_INDEX", "'elt' has no argument of this number")
            }
            return Pick(index, row & vectors[index].mask)
        }
    }
}

extension BytesWriter {
    private static var tooLong: RowError { RowError("COLLECTION_SIZE_LIMIT_EXCEEDED", "the result is too long") }

    /// Bytes several times over.
    mutating func append(_ bytes: UnsafeRawBufferPointer, times: Int) throws(RowError) {
        guard times > 0, !bytes.isEmpty else { return }
        // Refused before the loop: a row must not run for as long as a number in it says.
        guard bytes.count.multipliedReportingOverflow(by: times).partialValue <= Self.rowMax, times <= Self.rowMax
        else {
            throw Self.tooLong
        }
        for _ in 0..<times { append(bytes) }
    }

    mutating func append(_ byte: UInt8, times: Int) throws(RowError) {
        guard times > 0 else { return }
        guard times <= Self.rowMax else { throw Self.tooLong }
        append(contentsOf: repeatElement(byte, count: times))
    }

    /// So many characters of a text that starts again at its end. The text is not empty.
    mutating func append(_ text: UnsafeRawBufferPointer, points: Int) throws(RowError) {
        guard points <= Self.rowMax else { throw Self.tooLong }
        let length = max(1, UTF8Text.length(text))
        try append(text, times: points / length)
        append(UnsafeRawBufferPointer(rebasing: text[..<UTF8Text.offset(text, ofPoint: points % length)]))
    }
}

/// `concat_ws`: nulls are left out, arrays give their elements.
enum SeparatedConcatenation {
    static func evaluate(_ call: Call) -> Column {
        let separator = call.bytes(0)
        let parts = call.arguments.indices.dropFirst().map { index in
            call.arrays(index).map { Part.list($0.column, $0.mask) } ?? Part.text(call.bytes(index))
        }
        return call.bytes { row, writer in
            if separator.isNull(row) { return false }
            var isFirst = true
            func add(_ bytes: UnsafeRawBufferPointer) {
                if !isFirst { writer.append(separator[row]) }
                isFirst = false
                writer.append(bytes)
            }
            for part in parts {
                switch part {
                case .text(let text): if !text.isNull(row) { add(text[row]) }
                case .list(let list, let mask):
                    guard !list.isNull(row & mask), case .string(let elements) = list.elements else { continue }
                    for index in list.range(row & mask) where !elements.isNull(index) { add(elements.bytes(index)) }
                }
            }
            return true
        }
    }

    private enum Part {
        case text(BytesInput)
        case list(ArrayColumn, Int)
    }
}

/// `reverse` of texts (by code points) and arrays.
enum Reversal {
    static func evaluate(_ call: Call) -> Column {
        guard case .string = call.type else {
            guard let (lists, mask) = call.arrays(0) else { return call.nothing() }
            return call.list([lists.elements]) { row, picks in
                for element in lists.range(row & mask).reversed() { picks.append(Pick(0, element)) }
                return true
            }
        }
        let text = call.bytes(0)
        return call.bytes { row, writer in
            let bytes = text[row]
            var end = bytes.count
            while end > 0 {
                var start = end - 1
                while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
                writer.append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                end = start
            }
            return true
        }
    }
}
