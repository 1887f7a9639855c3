/// Backslash escapes in string literals, as Spark reads them.
enum StringEscapes {
    static func decode(_ content: ArraySlice<UInt8>) -> String {
        let bytes = Array(content)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            index += 1 + escape(bytes, at: index + 1, into: &result)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Writes what the escape at `index` (behind the backslash) means; gives the bytes it took.
    private static func escape(_ bytes: [UInt8], at index: Int, into result: inout [UInt8]) -> Int {
        switch bytes[index] {
        case UInt8(ascii: "u"):
            return unicode(bytes, at: index + 1, digits: 4, into: &result)
        case UInt8(ascii: "U"):
            return unicode(bytes, at: index + 1, digits: 8, into: &result)
        case UInt8(ascii: "0")...UInt8(ascii: "1"):
            return octal(bytes, at: index, into: &result)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "Z"): result.append(0x1A)
        // LIKE reads these itself, so the backslash stays.
        case UInt8(ascii: "%"): result += [UInt8(ascii: "\\"), UInt8(ascii: "%")]
        case UInt8(ascii: "_"): result += [UInt8(ascii: "\\"), UInt8(ascii: "_")]
        case let byte: result.append(byte)
        }
        return 1
    }

    private static func unicode(_ bytes: [UInt8], at start: Int, digits: Int, into result: inout [UInt8]) -> Int {
        var value: UInt32 = 0
        var count = 0
        while count < digits, start + count < bytes.count, let digit = hexDigit(bytes[start + count]) {
            value = value &<< 4 | UInt32(digit)
            count += 1
        }
        guard count == digits, let scalar = Unicode.Scalar(value) else {
            result.append(bytes[start - 1])
            return 1
        }
        result += Array(String(Character(scalar)).utf8)
        return 1 + digits
    }

    private static func octal(_ bytes: [UInt8], at start: Int, into result: inout [UInt8]) -> Int {
        let digits = bytes[start..<min(start + 3, bytes.count)]
        if digits.count == 3, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 }) {
            let value = digits.reduce(UInt32(0)) { $0 * 8 + UInt32($1 - 0x30) }
            if let scalar = Unicode.Scalar(value) { result += Array(String(Character(scalar)).utf8) }
            return 3
        }
        result.append(bytes[start] == UInt8(ascii: "0") ? 0 : bytes[start])
        return 1
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
