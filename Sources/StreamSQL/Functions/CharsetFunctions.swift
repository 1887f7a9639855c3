import StreamCore

/// Text to and from bytes in a named character set.
enum CharsetFunctions {
    static let all: [ScalarFunction] = [
        /// `decode(binary, charset)`.
        ScalarFunction("decode_charset", .exact([.binary, .string], returns: .string)) { call in
            let (bytes, name) = (call.bytes(0), call.bytes(1))
            return call.bytes { (row, writer) throws(RowError) in
                guard let text = try Charset(named: name.text(row)).decode(bytes[row]) else { throw Charset.malformed }
                writer.append(text)
                return true
            }
        },
        ScalarFunction("encode", .exact([.string, .string], returns: .binary)) { call in
            let (text, name) = (call.bytes(0), call.bytes(1))
            return call.bytes { (row, writer) throws(RowError) in
                let charset = try Charset(named: name.text(row))
                if charset == .utf8 {
                    writer.append(text[row])
                } else {
                    guard let bytes = charset.encode(text.text(row)) else { throw Charset.malformed }
                    writer.append(contentsOf: bytes)
                }
                return true
            }
        },
    ]
}

/// The character sets that Spark knows.
enum Charset: String {
    case utf8 = "utf-8"
    case ascii = "us-ascii"
    case latin1 = "iso-8859-1"
    case utf16 = "utf-16"
    case utf16BigEndian = "utf-16be"
    case utf16LittleEndian = "utf-16le"
    case utf32 = "utf-32"

    static let malformed = RowError(
        "MALFORMED_CHARACTER_CODING", "the input has characters that the character set has not")

    init(named name: String) throws(RowError) {
        guard let charset = Charset(rawValue: name.lowercased()) else {
            throw RowError("INVALID_PARAMETER_VALUE.CHARSET", "this character set is not supported")
        }
        self = charset
    }

    func encode(_ text: String) -> [UInt8]? {
        switch self {
        case .utf8: return Array(text.utf8)
        case .ascii, .latin1:
            let limit: UInt32 = self == .ascii ? 0x80 : 0x100
            guard text.unicodeScalars.allSatisfy({ $0.value < limit }) else { return nil }
            return text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        // Without an order the big end comes first, behind a mark that says so.
        case .utf16: return [0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        case .utf16BigEndian: return text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        case .utf16LittleEndian: return text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        case .utf32:
            return text.unicodeScalars.flatMap { scalar in
                [UInt32(24), 16, 8, 0].map { UInt8(truncatingIfNeeded: scalar.value >> $0) }
            }
        }
    }

    /// Nil if the bytes are not of this character set.
    func decode(_ bytes: UnsafeRawBufferPointer) -> String? {
        switch self {
        case .utf8: return UTF8Text.isValid(bytes) ? String(decoding: bytes, as: UTF8.self) : nil
        case .ascii: return bytes.isASCII ? String(decoding: bytes, as: UTF8.self) : nil
        case .latin1:
            var text = String.UnicodeScalarView()
            for byte in bytes { text.append(Unicode.Scalar(byte)) }
            return String(text)
        case .utf16:
            let isLittle = bytes.starts(with: [0xFF, 0xFE])
            let hasMark = isLittle || bytes.starts(with: [0xFE, 0xFF])
            return Self.units(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(hasMark ? 2 : 0)), isLittle: isLittle)
        case .utf16BigEndian: return Self.units(bytes, isLittle: false)
        case .utf16LittleEndian: return Self.units(bytes, isLittle: true)
        case .utf32:
            guard bytes.count % 4 == 0 else { return nil }
            var text = String.UnicodeScalarView()
            for index in stride(from: 0, to: bytes.count, by: 4) {
                let value = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
                guard let scalar = Unicode.Scalar(value) else { return nil }
                text.append(scalar)
            }
            return String(text)
        }
    }

    private static func units(_ bytes: UnsafeRawBufferPointer, isLittle: Bool) -> String? {
        guard bytes.count % 2 == 0 else { return nil }
        let units = stride(from: 0, to: bytes.count, by: 2).map { index in
            let unit = bytes.loadUnaligned(fromByteOffset: index, as: UInt16.self)
            return isLittle ? UInt16(littleEndian: unit) : UInt16(bigEndian: unit)
        }
        return String(validating: units, as: UTF16.self)
    }
}
