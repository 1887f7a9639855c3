import StreamCore

/// Cuts a query into tokens. Comments (`-- …`, `/* … */`, nested) and blanks vanish.
struct Lexer {
    private let bytes: [UInt8]
    private var cursor = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// All tokens, the last one being `.end`.
    static func tokens(of source: SourceText) throws(SyntaxIssue) -> [Token] {
        var lexer = Lexer(source.bytes)
        var tokens: [Token] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private func peek(_ ahead: Int = 0) -> UInt8 {
        cursor + ahead < bytes.count ? bytes[cursor + ahead] : 0
    }

    private func issue(_ message: String, from start: Int) -> SyntaxIssue {
        SyntaxIssue("PARSE_SYNTAX_ERROR", message, at: SourceSpan(start: start, end: cursor))
    }

    private mutating func next() throws(SyntaxIssue) -> Token {
        try skipBlanks()
        let start = cursor
        guard cursor < bytes.count else { return Token(kind: .end, span: SourceSpan(start: start, end: start)) }
        let byte = peek()
        if byte.isDigit || (byte == UInt8(ascii: ".") && peek(1).isDigit) { return try number() }
        if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") { return try string(isRaw: false, from: start) }
        if byte == UInt8(ascii: "r") || byte == UInt8(ascii: "R"),
            peek(1) == UInt8(ascii: "'") || peek(1) == UInt8(ascii: "\"")
        {
            cursor += 1
            return try string(isRaw: true, from: start)
        }
        if byte == UInt8(ascii: "`") { return try quotedName() }
        if byte.isWordStart { return word() }
        return try symbol()
    }

    private mutating func skipBlanks() throws(SyntaxIssue) {
        while cursor < bytes.count {
            let byte = peek()
            if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) {
                cursor += 1
            } else if byte == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
                while cursor < bytes.count, peek() != UInt8(ascii: "\n") { cursor += 1 }
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                try skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws(SyntaxIssue) {
        let start = cursor
        var depth = 0
        repeat {
            guard cursor < bytes.count else { throw issue("this comment is not closed", from: start) }
            if peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                cursor += 2
            } else if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                cursor += 2
            } else {
                cursor += 1
            }
        } while depth > 0
    }

    private mutating func word() -> Token {
        let start = cursor
        while cursor < bytes.count, peek().isWordStart || peek().isDigit { cursor += 1 }
        let text = String(decoding: bytes[start..<cursor], as: UTF8.self)
        return Token(kind: .word(text), span: SourceSpan(start: start, end: cursor), keyword: text.uppercased())
    }

    private mutating func quotedName() throws(SyntaxIssue) -> Token {
        let start = cursor
        cursor += 1
        var name: [UInt8] = []
        while true {
            guard cursor < bytes.count else { throw issue("this quoted name is not closed", from: start) }
            let byte = peek()
            cursor += 1
            if byte == UInt8(ascii: "`") {
                if peek() != UInt8(ascii: "`") { break }
                cursor += 1
            }
            name.append(byte)
        }
        let text = String(decoding: name, as: UTF8.self)
        return Token(kind: .quotedName(text), span: SourceSpan(start: start, end: cursor))
    }

    private mutating func string(isRaw: Bool, from start: Int) throws(SyntaxIssue) -> Token {
        let quote = peek()
        cursor += 1
        let contentStart = cursor
        var hasEscapes = false
        while true {
            guard cursor < bytes.count else { throw issue("this string is not closed", from: start) }
            let byte = peek()
            if byte == quote { break }
            if byte == UInt8(ascii: "\\"), !isRaw {
                hasEscapes = true
                cursor += 1
            }
            cursor += 1
        }
        let content = bytes[contentStart..<cursor]
        cursor += 1
        let text = hasEscapes ? StringEscapes.decode(content) : String(decoding: content, as: UTF8.self)
        return Token(kind: .string(text), span: SourceSpan(start: start, end: cursor))
    }

    private mutating func number() throws(SyntaxIssue) -> Token {
        let start = cursor
        var form = NumberText.Form.integer
        skipDigits()
        if peek() == UInt8(ascii: "."), !peek(1).isWordStart || isExponent(at: 1) {
            form = .decimal
            cursor += 1
            skipDigits()
        }
        if isExponent(at: 0) {
            form = .exponent
            cursor += peek(1).isDigit ? 1 : 2
            skipDigits()
        }
        let digits = String(decoding: bytes[start..<cursor], as: UTF8.self)
        let suffixStart = cursor
        while cursor < bytes.count, peek().isWordStart || peek().isDigit { cursor += 1 }
        let suffixText = String(decoding: bytes[suffixStart..<cursor], as: UTF8.self).uppercased()
        guard let suffix = NumberText.Suffix(rawValue: suffixText) else {
            throw issue("'\(digits)\(suffixText.lowercased())' is neither a number nor a name", from: start)
        }
        if form != .integer, suffix == .tinyint || suffix == .smallint || suffix == .bigint {
            throw issue("'\(digits)' is no whole number, so it cannot take the suffix \(suffix.rawValue)", from: start)
        }
        let number = NumberText(digits: digits, form: form, suffix: suffix)
        return Token(kind: .number(number), span: SourceSpan(start: start, end: cursor))
    }

    private func isExponent(at ahead: Int) -> Bool {
        guard peek(ahead) | 0x20 == UInt8(ascii: "e") else { return false }
        let sign = peek(ahead + 1) == UInt8(ascii: "+") || peek(ahead + 1) == UInt8(ascii: "-")
        return peek(ahead + (sign ? 2 : 1)).isDigit
    }

    private mutating func skipDigits() {
        while peek().isDigit { cursor += 1 }
    }

    private static let symbols: [[String]] = [
        ["<=>", ">>>"],
        ["<=", ">=", "<>", "!=", "==", "||", "<<", ">>", "::", "->", "=>"],
        ["+", "-", "*", "/", "%", "=", "<", ">", "(", ")", "[", "]", ",", ".", "&", "|", "^", "~", "!", ":", ";", "?"],
    ]

    private mutating func symbol() throws(SyntaxIssue) -> Token {
        let start = cursor
        for (index, group) in Self.symbols.enumerated() {
            let length = 3 - index
            guard cursor + length <= bytes.count else { continue }
            let text = String(decoding: bytes[cursor..<cursor + length], as: UTF8.self)
            if group.contains(text) {
                cursor += length
                return Token(kind: .symbol(text), span: SourceSpan(start: start, end: cursor))
            }
        }
        cursor += 1
        throw issue("unexpected character '\(String(decoding: bytes[start..<cursor], as: UTF8.self))'", from: start)
    }
}

extension UInt8 {
    @inline(__always) var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    /// A letter, an underscore or a part of a non-ASCII character.
    @inline(__always) var isWordStart: Bool {
        (self | 0x20 >= 0x61 && self | 0x20 <= 0x7A) || self == UInt8(ascii: "_") || self >= 0x80
    }
}
