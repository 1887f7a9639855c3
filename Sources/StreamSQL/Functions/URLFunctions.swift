import StreamCore

/// `url_encode`, `url_decode`, `parse_url`.
enum URLFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("url_encode", .exact([.string], returns: .string)) { call in
            let text = call.bytes(0)
            return call.bytes { row, writer in
                FormEncoding.append(text[row], to: &writer)
                return true
            }
        },
        decode("url_decode", isTry: false), decode("try_url_decode", isTry: true),
        parse("parse_url", isTry: false), parse("try_parse_url", isTry: true),
    ]

    private static func decode(_ name: String, isTry: Bool) -> ScalarFunction {
        ScalarFunction(name, .exact([.string], returns: .string), isTry: isTry) { call in
            let text = call.bytes(0)
            return call.bytes { (row, writer) throws(RowError) in
                guard let decoded = FormEncoding.decoded(text[row]) else {
                    throw RowError("CANNOT_DECODE_URL", "the text is not encoded as a URL")
                }
                writer.append(decoded)
                return true
            }
        }
    }

    private static func parse(_ name: String, isTry: Bool) -> ScalarFunction {
        ScalarFunction(name, .exact([.string, .string], optional: [.string], returns: .string), isTry: isTry) { call in
            let (text, part) = (call.bytes(0), call.bytes(1))
            let keys = call.arguments.count > 2 ? call.bytes(2) : nil
            return call.text { (row) throws(RowError) in
                let url = try ParsedURL(text.text(row))
                guard let keys else { return url.part(part.text(row)) }
                guard part.text(row) == "QUERY" else { return nil }
                return url.queryValue(keys.text(row))
            }
        }
    }
}

/// `application/x-www-form-urlencoded`, as Java's `URLEncoder`.
enum FormEncoding {
    static func append(_ bytes: UnsafeRawBufferPointer, to writer: inout BytesWriter) {
        for byte in bytes {
            let isLetter = (0x41...0x5A).contains(byte & 0xDF) && byte < 0x80
            if isLetter || byte.isDigit || ".-*_".utf8.contains(byte) {
                writer.append(byte)
            } else if byte == 0x20 {
                writer.append(UInt8(ascii: "+"))
            } else {
                writer.append(UInt8(ascii: "%"))
                writer.append(Hexadecimal.capital[Int(byte >> 4)])
                writer.append(Hexadecimal.capital[Int(byte & 15)])
            }
        }
    }

    /// Nil where a percent sign has no two digits behind it. Invalid UTF-8 is repaired.
    static func decoded(_ bytes: UnsafeRawBufferPointer) -> String? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < bytes.count, let high = Hexadecimal.value(bytes[index + 1]),
                    let low = Hexadecimal.value(bytes[index + 2])
                else { return nil }
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// The parts of a URL by RFC 3986, as they are written (nothing is decoded).
struct ParsedURL {
    private var scheme: Substring?
    private var authority: Substring?
    private var path: Substring
    private var query: Substring?
    private var fragment: Substring?

    init(_ text: String) throws(RowError) {
        let isReadable = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !#"<>"{}|\^`"#.utf8.contains($0) }
        guard isReadable else { throw RowError("INVALID_URL", "the text has characters that no URL has") }
        var rest = Substring(text)
        if let hash = rest.firstIndex(of: "#") {
            fragment = rest[rest.index(after: hash)...]
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"), !rest[..<colon].contains("/") {
            let name = rest[..<colon]
            let isScheme = name.utf8.allSatisfy {
                ($0.isWordStart && $0 < 0x80) || $0.isDigit || "+-.".utf8.contains($0)
            }
            guard isScheme, let first = name.utf8.first, first.isWordStart else {
                throw RowError("INVALID_URL", "the text begins with no URL scheme")
            }
            scheme = name
            rest = rest[rest.index(after: colon)...]
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            if end > rest.startIndex { authority = rest[..<end] }
            rest = rest[end...]
        }
        path = rest
    }

    /// A part by Spark's name for it; nil if there is none.
    func part(_ name: String) -> String? {
        switch name {
        case "HOST": return host
        case "PATH": return isOpaque ? nil : String(path)
        case "QUERY": return query.map { String($0) }
        case "REF": return fragment.map { String($0) }
        case "PROTOCOL": return scheme.map { String($0) }
        case "FILE": return isOpaque ? nil : String(path) + (query.map { "?" + $0 } ?? "")
        case "AUTHORITY": return authority.map { String($0) }
        case "USERINFO":
            return authority.flatMap { authority in authority.lastIndex(of: "@").map { String(authority[..<$0]) } }
        default: return nil
        }
    }

    /// `mailto:a@b`: what follows the scheme has no parts.
    private var isOpaque: Bool { scheme != nil && authority == nil && !path.hasPrefix("/") }

    private var host: String? {
        guard var host = authority else { return nil }
        if let at = host.lastIndex(of: "@") { host = host[host.index(after: at)...] }
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        if let colon = host.lastIndex(of: ":") { host = host[..<colon] }
        return host.isEmpty ? nil : String(host)
    }

    /// The value of the first parameter of this name.
    func queryValue(_ key: String) -> String? {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0] == key { return String(parts[1]) }
        }
        return nil
    }
}
