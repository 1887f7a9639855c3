import StreamCore

/// Binaries as text and back: hexadecimal, base 64, number bases, URLs, checks of UTF-8.
enum EncodingFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("hex", hexSignature) { hex($0) },
        ScalarFunction("unhex", .exact([.string], returns: .binary)) { call in
            let text = call.bytes(0)
            return call.bytes { row, writer in appendUnhex(text[row], to: &writer) }
        },
        ScalarFunction("bin", .exact([.int64], returns: .string)) { call in
            let value = call.int64s(0)
            return call.text { String(UInt64(bitPattern: value[$0]), radix: 2) }
        },
        ScalarFunction("conv", .exact([.string, .int32, .int32], returns: .string)) { call in
            let (text, from, to) = (call.bytes(0), call.int32s(1), call.int32s(2))
            return call.text { (row) throws(RowError) in
                try NumberBase.convert(text[row].trimmed, from: Int(from[row]), to: Int(to[row]))
            }
        },
        ScalarFunction("base64", .exact([.binary], returns: .string)) { call in
            let input = call.bytes(0)
            return call.bytes { row, writer in
                Base64.append(input[row], to: &writer)
                return true
            }
        },
        ScalarFunction("unbase64", .exact([.string], returns: .binary)) { call in
            let text = call.bytes(0)
            return call.bytes { (row, writer) throws(RowError) in
                guard Base64.appendDecoded(text[row], to: &writer) else { throw invalid("base 64") }
                return true
            }
        },
        toBinary("to_binary", isTry: false), toBinary("try_to_binary", isTry: true),
        ScalarFunction("is_valid_utf8", .exact([.string], returns: .boolean)) { call in
            let text = call.bytes(0)
            return call.boolean { UTF8Text.isValid(text[$0]) }
        },
        ScalarFunction("make_valid_utf8", .exact([.string], returns: .string)) { call in
            let text = call.bytes(0)
            return call.text { text.text($0) }
        },
        validate("validate_utf8", isTry: false), validate("try_validate_utf8", isTry: true),
    ]

    static func invalid(_ kind: String) -> RowError {
        RowError("CONVERSION_INVALID_INPUT", "the text is no \(kind)")
    }

    private static func validate(_ name: String, isTry: Bool) -> ScalarFunction {
        ScalarFunction(name, .exact([.string], returns: .string), isTry: isTry) { call in
            let text = call.bytes(0)
            return call.part(of: text) { (row) throws(RowError) in
                guard UTF8Text.isValid(text[row]) else {
                    throw RowError("INVALID_UTF8_STRING", "the text is no valid UTF-8")
                }
                return text.view(row)
            }
        }
    }

    // MARK: - Hexadecimal

    private static let hexSignature = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        if Coercion.isInteger(typing.type(0)) {
            try typing.coerce(0, to: .int64)
        } else if typing.type(0) != .binary {
            try typing.coerce(0, to: .string)
        }
        return ResultType(.string)
    }

    private static func hex(_ call: Call) -> Column {
        if case .int64 = call.arguments[0].column {
            let value = call.int64s(0)
            return call.text { String(UInt64(bitPattern: value[$0]), radix: 16, uppercase: true) }
        }
        let input = call.bytes(0)
        return call.bytes { row, writer in
            Hexadecimal.append(input[row], digits: Hexadecimal.capital, to: &writer)
            return true
        }
    }

    /// An odd number of digits begins with half a byte. False if there is another character.
    private static func appendUnhex(_ text: UnsafeRawBufferPointer, to writer: inout BytesWriter) -> Bool {
        var index = 0
        if text.count % 2 == 1 {
            guard let digit = Hexadecimal.value(text[0]) else { return false }
            writer.append(digit)
            index = 1
        }
        while index < text.count {
            guard let high = Hexadecimal.value(text[index]), let low = Hexadecimal.value(text[index + 1]) else {
                return false
            }
            writer.append(high << 4 | low)
            index += 2
        }
        return true
    }

    /// `to_binary(text, 'hex' | 'utf-8' | 'base64')`
    private static func toBinary(_ name: String, isTry: Bool) -> ScalarFunction {
        ScalarFunction(name, .exact([.string], optional: [.string], returns: .binary), isTry: isTry) { call in
            let text = call.bytes(0)
            let formats = call.arguments.count > 1 ? call.bytes(1) : nil
            return call.bytes { (row, writer) throws(RowError) in
                switch formats?.text(row).lowercased() ?? "hex" {
                case "hex":
                    guard appendUnhex(text[row], to: &writer) else { throw invalid("hexadecimal number") }
                case "base64":
                    guard Base64.appendDecoded(text[row], to: &writer) else { throw invalid("base 64") }
                case "utf-8", "utf8": writer.append(text[row])
                default: throw RowError("INVALID_PARAMETER_VALUE.BINARY_FORMAT", "the format is hex, utf-8 or base64")
                }
                return true
            }
        }
    }
}

/// RFC 4648, with padding.
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8] = (0..<256).map { byte in
        digits.firstIndex(of: UInt8(byte)).map { UInt8($0) } ?? 0xFF
    }

    static func append(_ bytes: UnsafeRawBufferPointer, to writer: inout BytesWriter) {
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var word = UInt32(bytes[index]) << 16
            if left > 1 { word |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { word |= UInt32(bytes[index + 2]) }
            writer.append(digits[Int(word >> 18)])
            writer.append(digits[Int(word >> 12 & 63)])
            writer.append(left > 1 ? digits[Int(word >> 6 & 63)] : UInt8(ascii: "="))
            writer.append(left > 2 ? digits[Int(word & 63)] : UInt8(ascii: "="))
            index += 3
        }
    }

    /// Line ends and blanks are skipped; false if the text is no base 64.
    static func appendDecoded(_ text: UnsafeRawBufferPointer, to writer: inout BytesWriter) -> Bool {
        var word: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in text where byte > 0x20 {
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            let value = values[Int(byte)]
            guard value != 0xFF, padding == 0 else { return false }
            word = word << 6 | UInt32(value)
            count += 1
            if count % 4 == 0 {
                for shift in [UInt32(16), 8, 0] { writer.append(UInt8(truncatingIfNeeded: word >> shift)) }
            }
        }
        switch (count % 4, padding) {
        case (0, 0): return true
        case (2, 0), (2, 2): writer.append(UInt8(truncatingIfNeeded: word >> 4))
        case (3, 0), (3, 1):
            writer.append(UInt8(truncatingIfNeeded: word >> 10))
            writer.append(UInt8(truncatingIfNeeded: word >> 2))
        default: return false
        }
        return true
    }
}

/// `conv`: whole numbers in other bases, as 64-bit two's complement.
enum NumberBase {
    /// Nil for a base that there is none. What follows the last digit of the base is ignored.
    static func convert(_ text: UnsafeRawBufferPointer, from: Int, to: Int) throws(RowError) -> String? {
        guard (2...36).contains(from), (2...36).contains(abs(to)), !text.isEmpty else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        var value: UInt64 = 0
        for byte in text.dropFirst(isNegative ? 1 : 0) {
            guard let digit = digit(byte), digit < from else { break }
            let (product, overflow) = value.multipliedReportingOverflow(by: UInt64(from))
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carried { throw RowError("ARITHMETIC_OVERFLOW", "the number does not fit 64 bits") }
            value = sum
        }
        var showsMinus = isNegative
        if isNegative, to > 0 { value = Int64(bitPattern: value) < 0 ? .max : 0 &- value }
        if to < 0, Int64(bitPattern: value) < 0 {
            value = 0 &- value
            showsMinus = true
        }
        return (showsMinus && to < 0 ? "-" : "") + String(value, radix: abs(to), uppercase: true)
    }

    private static func digit(_ byte: UInt8) -> Int? {
        if byte.isDigit { return Int(byte - 0x30) }
        let letter = byte & 0xDF
        return (0x41...0x5A).contains(letter) && byte < 0x80 ? Int(letter) - 0x37 : nil
    }
}
