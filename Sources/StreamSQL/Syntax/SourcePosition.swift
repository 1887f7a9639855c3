/// Where a query's text begins in the file that holds it, so that errors name the file's line and column.
public struct SourceOrigin: Hashable, Sendable {
    /// Line of the query's first character, from 1.
    public var line: Int
    /// Column of the query's first character, from 1.
    public var column: Int
    /// Columns that a block scalar cut from every line after the first.
    public var indentation: Int

    public init(line: Int = 1, column: Int = 1, indentation: Int = 0) {
        self.line = line
        self.column = column
        self.indentation = indentation
    }
}

/// A place in a query: line and column (in characters) from 1.
public struct SourcePosition: Hashable, Sendable, CustomStringConvertible {
    public var line: Int
    public var column: Int
    public var description: String { "\(line):\(column)" }
}

/// A range of bytes in a query's text.
struct SourceSpan: Hashable, Sendable {
    var start: Int
    var end: Int

    static func + (a: SourceSpan, b: SourceSpan) -> SourceSpan {
        SourceSpan(start: min(a.start, b.start), end: max(a.end, b.end))
    }
}

/// The text of a query as bytes, with the way back from a byte to a line and column.
struct SourceText: Sendable {
    let bytes: [UInt8]
    let origin: SourceOrigin

    init(_ text: String, origin: SourceOrigin = SourceOrigin()) {
        bytes = Array(text.utf8)
        self.origin = origin
    }

    func position(_ offset: Int) -> SourcePosition {
        var line = 0
        var column = 0
        for byte in bytes.prefix(max(0, offset)) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 0
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        let first = line == 0 ? origin.column : origin.indentation + 1
        return SourcePosition(line: origin.line + line, column: first + column)
    }

    func text(_ span: SourceSpan) -> String {
        String(decoding: bytes[max(0, span.start)..<min(bytes.count, span.end)], as: UTF8.self)
    }
}
