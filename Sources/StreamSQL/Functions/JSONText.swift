import StreamCore

/// Strings inside JSON.
enum JSONText {
    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x37)
        case 0x61...0x66: UInt32(byte - 0x57)
        default: nil
        }
    }

    /// Undoes escapes that have been checked; half of a surrogate pair becomes U+FFFD.
    static func unescaped(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            guard byte == UInt8(ascii: "\\"), index + 1 < text.count else {
                result.append(byte)
                index += 1
                continue
            }
            let escaped = text[index + 1]
            index += 2
            switch escaped {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"): appendUnit(text, &index, &result)
            default: result.append(escaped)
            }
        }
        return result
    }

    private static func unit(_ text: UnsafeRawBufferPointer, _ index: Int) -> UInt32? {
        guard index + 4 <= text.count else { return nil }
        var value: UInt32 = 0
        for place in index..<index + 4 {
            guard let digit = hexValue(text[place]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func appendUnit(_ text: UnsafeRawBufferPointer, _ index: inout Int, _ result: inout [UInt8]) {
        guard var value = unit(text, index) else { return }
        index += 4
        if value & 0xFC00 == 0xD800, index + 6 <= text.count, text[index] == UInt8(ascii: "\\"),
            text[index + 1] == UInt8(ascii: "u"), let low = unit(text, index + 2), low & 0xFC00 == 0xDC00
        {
            value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
            index += 6
        }
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        result.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    /// A string in quotes, as Jackson writes it.
    static func append(_ text: UnsafeRawBufferPointer, _ writer: inout BytesWriter) {
        writer.append(UInt8(ascii: "\""))
        var start = 0
        for (index, byte) in text.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
            if index > start { writer.append(UnsafeRawBufferPointer(rebasing: text[start..<index])) }
            start = index + 1
            writer.append(UInt8(ascii: "\\"))
            switch byte {
            case 0x08: writer.append(UInt8(ascii: "b"))
            case 0x0C: writer.append(UInt8(ascii: "f"))
            case 0x0A: writer.append(UInt8(ascii: "n"))
            case 0x0D: writer.append(UInt8(ascii: "r"))
            case 0x09: writer.append(UInt8(ascii: "t"))
            case 0x22, 0x5C: writer.append(byte)
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                writer.append("u00" + (byte < 16 ? "0" : "") + digits)
            }
        }
        if text.count > start { writer.append(UnsafeRawBufferPointer(rebasing: text[start...])) }
        writer.append(UInt8(ascii: "\""))
    }

    static func append(_ text: String, _ writer: inout BytesWriter) {
        Array(text.utf8).withUnsafeBytes { append($0, &writer) }
    }
}

extension JSONTree {
    /// A value as JSON without blanks.
    func append(_ node: Int, _ writer: inout BytesWriter) {
        switch nodes[node].kind {
        case .array:
            var separator = UInt8(ascii: "[")
            forEachElement(node) { child in
                writer.append(separator)
                separator = UInt8(ascii: ",")
                append(child, &writer)
                return true
            }
            if separator == UInt8(ascii: "[") { writer.append(separator) }
            writer.append(UInt8(ascii: "]"))
        case .object:
            var separator = UInt8(ascii: "{")
            forEachMember(node) { name, value in
                writer.append(separator)
                separator = UInt8(ascii: ",")
                append(name, &writer)
                writer.append(UInt8(ascii: ":"))
                append(value, &writer)
            }
            if separator == UInt8(ascii: "{") { writer.append(separator) }
            writer.append(UInt8(ascii: "}"))
        case .string: string(node).withUnsafeBytes { JSONText.append($0, &writer) }
        default: writer.append(text(node))
        }
    }
}
