import StreamCore

/// Text to and from bytes in a named character set.
enum CharsetFunctions {
    static let all: [ScalarFunction] = [
        /// `decode(binary, charset)`.
        ScalarFunction("decode_charset", .exact([.binary, .string], returns: .string)) { call in
            let (bytes, charset) = (call.bytes(0), call.bytes(1))
            return call.bytes { (row, writer) throws(RowError) in
                guard ["utf-8", "us-ascii", "utf8"].contains(charset.text(row).lowercased()) else {
                    throw RowError("INVALID_PARAMETER_VALUE.CHARSET", "this character set is not supported")
                }
                writer.append(String(decoding: bytes[row], as: UTF8.self))
                return true
            }
        }
    ]
}
