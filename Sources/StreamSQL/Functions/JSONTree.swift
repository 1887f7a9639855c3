import StreamCore

/// One JSON value taken apart: nodes in the order of the text, an object's keys before their values. Memory is kept
/// from one row to the next.
struct JSONTree {
    enum Kind: UInt8 {
        case null, yes, no, whole, fraction, notFinite, string, array, object
    }

    struct Node {
        var kind: Kind
        /// A string has an escape.
        var isEscaped = false
        /// The bytes of the value; of a string what stands between the quotes.
        var start: Int32
        var end: Int32
        /// The first node behind this value.
        var next: Int32 = 0
    }

    struct Options {
        var allowsUnquotedNames = false
        var allowsSingleQuotes = true
        var allowsNotFinite = true
        var allowsLeadingZeros = false
    }

    /// Far from the end of a thread's stack.
    static let depthMax = 200

    private(set) var nodes: [Node] = []
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private var index = 0
    private let options: Options

    init(_ options: Options = Options()) { self.options = options }

    enum Outcome { case value, blank, malformed }

    /// Reads the first value of a text; what follows it is not looked at. The text must stay where it is meanwhile.
    mutating func parse(_ text: UnsafeRawBufferPointer) -> Outcome {
        bytes = text
        index = 0
        nodes.removeAll(keepingCapacity: true)
        guard text.count < Int(Int32.max) else { return .malformed }
        skipBlanks()
        if index == bytes.count { return .blank }
        return value(1) ? .value : .malformed
    }

    // MARK: - Reading

    private var peek: UInt8 { index < bytes.count ? bytes[index] : 0 }

    private mutating func skipBlanks() {
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D else { return }
            index += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(_ depth: Int) -> Bool {
        guard depth <= Self.depthMax else { return false }
        switch peek {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string(UInt8(ascii: "\""))
        case UInt8(ascii: "'"): return options.allowsSingleQuotes && string(UInt8(ascii: "'"))
        case UInt8(ascii: "t"): return word("true", .yes)
        case UInt8(ascii: "f"): return word("false", .no)
        case UInt8(ascii: "n"): return word("null", .null)
        case UInt8(ascii: "N"): return options.allowsNotFinite && word("NaN", .notFinite)
        case UInt8(ascii: "I"):
            return options.allowsNotFinite && (word("Infinity", .notFinite) || word("INF", .notFinite))
        default: return number()
        }
    }

    private mutating func finish(_ place: Int, at end: Int) {
        nodes[place].end = Int32(truncatingIfNeeded: end)
        nodes[place].next = Int32(truncatingIfNeeded: nodes.count)
    }

    private mutating func begin(_ kind: Kind, at start: Int) -> Int {
        nodes.append(Node(kind: kind, start: Int32(truncatingIfNeeded: start), end: 0))
        return nodes.count - 1
    }

    private mutating func object(_ depth: Int) -> Bool {
        let place = begin(.object, at: index)
        index += 1
        skipBlanks()
        if !take(UInt8(ascii: "}")) {
            while true {
                skipBlanks()
                guard name() else { return false }
                skipBlanks()
                guard take(UInt8(ascii: ":")) else { return false }
                skipBlanks()
                guard value(depth + 1) else { return false }
                skipBlanks()
                if take(UInt8(ascii: "}")) { break }
                guard take(UInt8(ascii: ",")) else { return false }
            }
        }
        finish(place, at: index)
        return true
    }

    private mutating func name() -> Bool {
        if peek == UInt8(ascii: "\"") { return string(UInt8(ascii: "\"")) }
        if peek == UInt8(ascii: "'") { return options.allowsSingleQuotes && string(UInt8(ascii: "'")) }
        guard options.allowsUnquotedNames else { return false }
        let place = begin(.string, at: index)
        let start = index
        while index < bytes.count, peek.isLetter || peek.isDigit || peek == 0x5F || peek == 0x24 || peek >= 0x80 {
            index += 1
        }
        finish(place, at: index)
        return index > start
    }

    private mutating func array(_ depth: Int) -> Bool {
        let place = begin(.array, at: index)
        index += 1
        skipBlanks()
        if !take(UInt8(ascii: "]")) {
            while true {
                skipBlanks()
                guard value(depth + 1) else { return false }
                skipBlanks()
                if take(UInt8(ascii: "]")) { break }
                guard take(UInt8(ascii: ",")) else { return false }
            }
        }
        finish(place, at: index)
        return true
    }

    private mutating func string(_ quote: UInt8) -> Bool {
        let place = begin(.string, at: index + 1)
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            if byte == quote {
                finish(place, at: index)
                index += 1
                return true
            }
            // Control characters must be escaped.
            guard byte >= 0x20 else { return false }
            if byte == UInt8(ascii: "\\") {
                nodes[place].isEscaped = true
                guard escape(quote) else { return false }
            } else {
                index += 1
            }
        }
        return false
    }

    private mutating func escape(_ quote: UInt8) -> Bool {
        guard index + 1 < bytes.count else { return false }
        let byte = bytes[index + 1]
        if byte == UInt8(ascii: "u") {
            guard index + 6 <= bytes.count,
                bytes[(index + 2)..<(index + 6)].allSatisfy({ JSONText.hexValue($0) != nil })
            else {
                return false
            }
            index += 6
            return true
        }
        index += 2
        return "\"\\/bfnrt".utf8.contains(byte) || (byte == UInt8(ascii: "'") && options.allowsSingleQuotes)
    }

    private mutating func word(_ text: StaticString, _ kind: Kind) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count,
            UTF8Text.isEqual(
                UnsafeRawBufferPointer(rebasing: bytes[index..<index + count]),
                UnsafeRawBufferPointer(start: text.utf8Start, count: count))
        else { return false }
        let place = begin(kind, at: index)
        index += count
        finish(place, at: index)
        return index == bytes.count || !(bytes[index].isLetter || bytes[index].isDigit)
    }

    private mutating func number() -> Bool {
        let place = begin(.whole, at: index)
        let isNegative = take(UInt8(ascii: "-"))
        if options.allowsNotFinite, isNegative, peek == UInt8(ascii: "I") {
            nodes.removeLast()
            let start = index - 1
            guard word("Infinity", .notFinite) || word("INF", .notFinite) else { return false }
            nodes[place].start = Int32(truncatingIfNeeded: start)
            return true
        }
        let first = index
        while peek.isDigit { index += 1 }
        guard index > first, bytes[first] != 0x30 || index == first + 1 || options.allowsLeadingZeros else {
            return false
        }
        if take(UInt8(ascii: ".")) {
            nodes[place].kind = .fraction
            let start = index
            while peek.isDigit { index += 1 }
            guard index > start else { return false }
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            nodes[place].kind = .fraction
            index += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            let start = index
            while peek.isDigit { index += 1 }
            guard index > start else { return false }
        }
        finish(place, at: index)
        // `1x` is no number, as `[1 2]` is no list.
        return index == bytes.count || !(bytes[index].isLetter || bytes[index] == UInt8(ascii: "."))
    }

    // MARK: - Looking

    func text(_ node: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[Int(nodes[node].start)..<Int(nodes[node].end)])
    }

    /// The text of a string with its escapes undone.
    func string(_ node: Int) -> [UInt8] {
        nodes[node].isEscaped ? JSONText.unescaped(text(node)) : Array(text(node))
    }

    /// Calls `body` with each element of an array, as long as it returns true.
    func forEachElement(_ node: Int, _ body: (Int) -> Bool) {
        var child = node + 1
        while child < Int(nodes[node].next) {
            guard body(child) else { return }
            child = Int(nodes[child].next)
        }
    }

    /// Calls `body` with the places of each name and value of an object.
    func forEachMember(_ node: Int, _ body: (_ name: Int, _ value: Int) -> Void) {
        var child = node + 1
        while child < Int(nodes[node].next) {
            body(child, child + 1)
            child = Int(nodes[child + 1].next)
        }
    }

    /// Whether a name is this one.
    func isName(_ node: Int, _ wanted: [UInt8]) -> Bool {
        if nodes[node].isEscaped { return string(node) == wanted }
        return wanted.withUnsafeBytes { UTF8Text.isEqual($0, text(node)) }
    }
}
