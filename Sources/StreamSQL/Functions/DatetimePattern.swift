import StreamCore

/// A compiled pattern of `date_format`, `to_timestamp` and the like: the letters of Java's `DateTimeFormatter` that
/// Spark allows.
struct DatetimePattern {
    enum Element: Equatable {
        case literal([UInt8])
        /// A letter and how often it stands there.
        case field(UInt8, Int)
        case optionalStart, optionalEnd
    }

    let elements: [Element]

    /// - Throws: Spark's error class for letters that it refuses.
    init(_ pattern: String, isParsing: Bool) throws(RowError) {
        let bytes = Array(pattern.utf8)
        let hasEra = bytes.contains(UInt8(ascii: "G"))
        var elements: [Element] = []
        var literal: [UInt8] = []
        var depth = 0
        var index = 0
        func flush() {
            if !literal.isEmpty { elements.append(.literal(literal)) }
            literal = []
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "'") {
                index = try Self.quoted(bytes, index + 1, &literal)
            } else if byte.isLetter {
                let start = index
                while index < bytes.count, bytes[index] == byte { index += 1 }
                try Self.check(byte, index - start, isParsing: isParsing)
                flush()
                // Without an era a year is the proleptic one.
                elements.append(.field(byte == UInt8(ascii: "y") && !hasEra ? UInt8(ascii: "u") : byte, index - start))
            } else if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]") {
                flush()
                depth += byte == UInt8(ascii: "[") ? 1 : -1
                guard depth >= 0, depth < 20 else { throw Self.illegal }
                elements.append(byte == UInt8(ascii: "[") ? .optionalStart : .optionalEnd)
                index += 1
            } else {
                guard ![UInt8(ascii: "#"), UInt8(ascii: "{"), UInt8(ascii: "}")].contains(byte) else {
                    throw Self.illegal
                }
                literal.append(byte)
                index += 1
            }
        }
        flush()
        for _ in 0..<depth { elements.append(.optionalEnd) }
        self.elements = elements
    }

    static let illegal = RowError(
        "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "the pattern has a character that means nothing there")
    private static let tooLong = RowError("INVALID_DATETIME_PATTERN.LENGTH", "the pattern repeats a letter too often")

    /// Text in quotes; two quotes inside are one, and so are quotes with nothing between them.
    private static func quoted(_ bytes: [UInt8], _ start: Int, _ literal: inout [UInt8]) throws(RowError) -> Int {
        let quote = UInt8(ascii: "'")
        var index = start
        while index < bytes.count {
            if bytes[index] == quote {
                guard index + 1 < bytes.count, bytes[index + 1] == quote else {
                    if index == start { literal.append(quote) }
                    return index + 1
                }
                index += 1
            }
            literal.append(bytes[index])
            index += 1
        }
        throw illegal
    }

    /// The longest run of each letter that has a meaning.
    private static let limits: [UInt8: Int] = Dictionary(
        uniqueKeysWithValues: [
            ("G", 4), ("y", 6), ("M", 4), ("L", 4), ("d", 2), ("D", 3), ("E", 4), ("F", 1), ("a", 1), ("h", 2),
            ("H", 2),
            ("k", 2), ("K", 2), ("m", 2), ("s", 2), ("S", 9), ("V", 2), ("z", 4), ("O", 4), ("X", 5), ("x", 5),
            ("Z", 5),
            ("q", 4), ("Q", 4),
        ].map { (UInt8(ascii: $0.0), $0.1) })

    private static func check(_ letter: UInt8, _ count: Int, isParsing: Bool) throws(RowError) {
        guard let limit = limits[letter] else {
            if "YWwuec".utf8.contains(letter) {
                throw RowError(
                    "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
                    "week-based letters are not supported")
            }
            throw illegal
        }
        if count > limit { throw tooLong }
        if letter == UInt8(ascii: "V"), count != 2 { throw illegal }
        if letter == UInt8(ascii: "O"), count != 1, count != 4 { throw illegal }
        if isParsing, "EFqQ".utf8.contains(letter) { throw illegal }
    }
}

extension UInt8 {
    var isLetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }
}

/// Patterns of a function call: compiled once for a constant, else kept as long as the text does not change.
final class DatetimePatternCache {
    private let isParsing: Bool
    private var text: [UInt8]?
    private var result: Result<DatetimePattern, RowError>?

    init(isParsing: Bool) { self.isParsing = isParsing }

    func pattern(_ bytes: UnsafeRawBufferPointer) throws(RowError) -> DatetimePattern {
        if let text, let result, text.withUnsafeBytes({ UTF8Text.isEqual($0, bytes) }) { return try result.get() }
        let compiled: Result<DatetimePattern, RowError>
        do throws(RowError) {
            compiled = .success(try DatetimePattern(String(decoding: bytes, as: UTF8.self), isParsing: isParsing))
        } catch {
            compiled = .failure(error)
        }
        text = Array(bytes)
        result = compiled
        return try compiled.get()
    }
}
