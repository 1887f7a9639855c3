import StreamCore

/// Upper, lower and title case: ASCII byte by byte, everything else by Unicode's full mappings.
enum TextCase {
    static func appendUpper(_ bytes: UnsafeRawBufferPointer, to writer: inout BytesWriter) {
        guard bytes.isASCII else { return writer.append(String(decoding: bytes, as: UTF8.self).uppercased()) }
        writer.appendMapped(bytes) { $0 &- (($0 &- 0x61) < 26 ? 0x20 : 0) }
    }

    static func appendLower(_ bytes: UnsafeRawBufferPointer, to writer: inout BytesWriter) {
        guard bytes.isASCII else { return writer.append(String(decoding: bytes, as: UTF8.self).lowercased()) }
        writer.appendMapped(bytes) { $0 &+ (($0 &- 0x41) < 26 ? 0x20 : 0) }
    }

    /// `initcap`: words are what stands between blanks.
    static func appendCapitalized(_ bytes: UnsafeRawBufferPointer, to writer: inout BytesWriter) {
        var startsWord = true
        if bytes.isASCII {
            return writer.appendMapped(bytes) { byte in
                defer { startsWord = byte == UInt8(ascii: " ") }
                if startsWord { return byte &- ((byte &- 0x61) < 26 ? 0x20 : 0) }
                return byte &+ ((byte &- 0x41) < 26 ? 0x20 : 0)
            }
        }
        var result = ""
        for scalar in String(decoding: bytes, as: UTF8.self).lowercased().unicodeScalars {
            if startsWord {
                result += scalar.properties.titlecaseMapping
            } else {
                result.unicodeScalars.append(scalar)
            }
            startsWord = scalar == " "
        }
        writer.append(result)
    }
}

extension UnsafeRawBufferPointer {
    /// Eight bytes at a time.
    var isASCII: Bool {
        var index = 0
        while index + 8 <= count {
            if loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { return false }
            index += 8
        }
        while index < count {
            if self[index] >= 0x80 { return false }
            index += 1
        }
        return true
    }
}

/// `translate`: characters of one list become those of another, or go where that is shorter.
enum Translation {
    static func evaluate(_ call: Call) -> Column {
        let (text, from, to) = (call.bytes(0), call.bytes(1), call.bytes(2))
        var table: [Unicode.Scalar: Unicode.Scalar?] = [:]
        var isKnown = false
        let isConstant = from.mask == 0 && to.mask == 0
        return call.bytes { row, writer in
            if !isKnown || !isConstant { table = self.table(from.text(row), to.text(row)) }
            isKnown = true
            var result = String.UnicodeScalarView()
            for scalar in text.text(row).unicodeScalars {
                guard let mapped = table[scalar] else {
                    result.append(scalar)
                    continue
                }
                if let mapped { result.append(mapped) }
            }
            writer.append(String(result))
            return true
        }
    }

    /// The first place of a character counts.
    private static func table(_ from: String, _ to: String) -> [Unicode.Scalar: Unicode.Scalar?] {
        let targets = Array(to.unicodeScalars)
        var table: [Unicode.Scalar: Unicode.Scalar?] = [:]
        for (index, scalar) in from.unicodeScalars.enumerated() where table[scalar] == nil {
            table.updateValue(index < targets.count ? targets[index] : nil, forKey: scalar)
        }
        return table
    }
}

/// `mask(text, upper, lower, digit, other)`: a null replacement leaves the character as it is.
enum Masking {
    static func evaluate(_ call: Call) -> Column {
        let text = call.bytes(0)
        let given = call.arguments.indices.dropFirst().map { call.bytes($0) }
        let defaults: [String?] = ["X", "x", "n", nil]
        return call.bytes { (row, writer) throws(RowError) in
            if text.isNull(row) { return false }
            var replacements = defaults
            for (index, input) in given.enumerated() {
                replacements[index] = input.isNull(row) ? nil : input.text(row)
                if let replacement = replacements[index], replacement.unicodeScalars.count != 1 {
                    throw RowError("INVALID_PARAMETER_VALUE.LENGTH", "'mask' replaces a character by one character")
                }
            }
            var result = ""
            for scalar in text.text(row).unicodeScalars {
                if let replacement = replacements[kind(scalar)] {
                    result += replacement
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
            writer.append(result)
            return true
        }
    }

    private static func kind(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .decimalNumber: 2
        default: 3
        }
    }
}
