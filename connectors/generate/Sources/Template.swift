private import ConnectorKit
internal import StreamCore

/// What is wrong with a template.
public struct TemplateProblem: Error, Sendable, Hashable {
    public var message: String
}

/// Text with placeholders: `{"id": {{sequence}}, "page": "{{choice:home|cart}}"}`.
public struct Template: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case literal([UInt8])
        case sequence, lane, uuid, bool, timestamp, timestampMs
        case choice([[UInt8]])
        case int(ClosedRange<Int64>)
        /// In units of the last digit.
        case decimal(ClosedRange<Int64>, digits: Int)
        case hex(Int)
    }

    let parts: [Part]

    /// - Throws: where a placeholder is unknown or not closed.
    public init(_ text: String) throws(TemplateProblem) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = Self.range(of: "{{", in: rest) {
            if open.lowerBound > rest.startIndex { parts.append(.literal(Array(rest[..<open.lowerBound].utf8))) }
            rest = rest[open.upperBound...]
            guard let close = Self.range(of: "}}", in: rest) else {
                throw TemplateProblem(message: "'{{' without '}}'")
            }
            parts.append(try Self.part(rest[..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        if !rest.isEmpty { parts.append(.literal(Array(rest.utf8))) }
        self.parts = parts
    }

    private static func range(of mark: String, in text: Substring) -> Range<Substring.Index>? {
        var index = text.startIndex
        while let next = text[index...].firstIndex(of: mark[mark.startIndex]) {
            if text[next...].hasPrefix(mark) { return next..<text.index(next, offsetBy: 2) }
            index = text.index(after: next)
        }
        return nil
    }

    private static let words = [
        "sequence", "lane", "uuid", "bool", "timestamp", "timestamp-ms", "choice", "int", "decimal", "hex",
    ]

    private static func part(_ written: Substring) throws(TemplateProblem) -> Part {
        let placeholder = written.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
        let name = String(placeholder.prefix { $0 != ":" })
        let argument = Substring(placeholder.dropFirst(name.count + 1))
        let takesArgument = ["choice", "int", "decimal", "hex"].contains(name)
        guard words.contains(name) else {
            throw TemplateProblem(
                message: "unknown placeholder \(quoted(name))\(Suggestion.ending(for: name, among: words))")
        }
        guard takesArgument != argument.isEmpty else {
            throw TemplateProblem(message: "the placeholder '\(name)' \(takesArgument ? "needs" : "takes no") argument")
        }
        switch name {
        case "sequence": return .sequence
        case "lane": return .lane
        case "uuid": return .uuid
        case "bool": return .bool
        case "timestamp": return .timestamp
        case "timestamp-ms": return .timestampMs
        case "choice":
            return .choice(argument.split(separator: "|", omittingEmptySubsequences: false).map { Array($0.utf8) })
        case "int":
            let (low, high, _) = try bounds(argument, digitsMax: 0)
            return .int(low...high)
        case "decimal":
            let (low, high, digits) = try bounds(argument, digitsMax: 9)
            return .decimal(low...high, digits: digits)
        default:
            guard let digits = Int(argument), (1...4096).contains(digits) else {
                throw TemplateProblem(message: "'hex' needs a number of digits from 1 to 4096, such as {{hex:8}}")
            }
            return .hex(digits)
        }
    }

    /// `1..100`, `-0.50..9.99` as integers in units of the last digit that either has.
    private static func bounds(
        _ text: Substring, digitsMax: Int
    ) throws(TemplateProblem) -> (low: Int64, high: Int64, digits: Int) {
        let example = digitsMax == 0 ? "{{int:1..100}}" : "{{decimal:0.00..9.99}}"
        let problem = TemplateProblem(message: "needs two bounds in order, such as \(example)")
        guard let dots = range(of: "..", in: text) else { throw problem }
        let ends = [text[..<dots.lowerBound], text[dots.upperBound...]]
        let digits = ends.map { end in
            end.firstIndex(of: ".").map { end.distance(from: $0, to: end.endIndex) - 1 } ?? 0
        }
        guard let most = digits.max(), most <= digitsMax else { throw problem }
        var numbers: [Int64] = []
        for (end, fraction) in zip(ends, digits) {
            let plain = end.filter { $0 != "." } + String(repeating: "0", count: most - fraction)
            guard end.filter({ $0 == "." }).count <= 1, let number = Int64(plain) else { throw problem }
            numbers.append(number)
        }
        guard numbers[0] <= numbers[1] else { throw problem }
        return (numbers[0], numbers[1], most)
    }
}

/// What a record's placeholders are filled from.
struct TemplateInput {
    var sequence: Int64
    var lane: Int
    var timestampMs: Int64
    var random: StableRandom
}

extension Template {
    /// Appends the text for a record; the same input gives the same text.
    func write(_ input: inout TemplateInput, into bytes: inout [UInt8]) {
        for part in parts {
            switch part {
            case .literal(let literal): bytes += literal
            case .sequence: bytes += "\(input.sequence)".utf8
            case .lane: bytes += "\(input.lane)".utf8
            case .uuid: Self.writeUUID(&input.random, into: &bytes)
            case .bool: bytes += (input.random.next() >> 63 == 0 ? "true" : "false").utf8
            case .timestamp: bytes += Instant.text(input.timestampMs).utf8
            case .timestampMs: bytes += "\(input.timestampMs)".utf8
            case .choice(let words): bytes += words[Int(Self.number(0...Int64(words.count - 1), &input.random))]
            case .int(let range): bytes += "\(Self.number(range, &input.random))".utf8
            case .decimal(let range, let digits):
                Self.writeDecimal(Self.number(range, &input.random), digits: digits, into: &bytes)
            case .hex(let digits): Self.writeHex(digits, &input.random, into: &bytes)
            }
        }
    }

    // Not the standard library's `random(in:using:)`: its algorithm may change, and records with it.
    private static func number(_ range: ClosedRange<Int64>, _ random: inout StableRandom) -> Int64 {
        let span = UInt64(bitPattern: range.upperBound &- range.lowerBound)
        let drawn = random.next()
        if span == .max { return Int64(bitPattern: drawn) }
        return range.lowerBound &+ Int64(bitPattern: drawn.multipliedFullWidth(by: span + 1).high)
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    private static func writeHex(_ digits: Int, _ random: inout StableRandom, into bytes: inout [UInt8]) {
        var drawn: UInt64 = 0
        for index in 0..<digits {
            if index % 16 == 0 { drawn = random.next() }
            bytes.append(hexDigits[Int(drawn & 15)])
            drawn >>= 4
        }
    }

    /// Version 4, variant 1 (RFC 9562).
    private static func writeUUID(_ random: inout StableRandom, into bytes: inout [UInt8]) {
        let high = random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        for index in 0..<32 {
            if [8, 12, 16, 20].contains(index) { bytes.append(UInt8(ascii: "-")) }
            let word = index < 16 ? high : low
            bytes.append(hexDigits[Int(word >> UInt64(60 - index % 16 * 4) & 15)])
        }
    }

    private static func writeDecimal(_ number: Int64, digits: Int, into bytes: inout [UInt8]) {
        var text = Array(String(number.magnitude).utf8)
        if text.count <= digits { text = [UInt8](repeating: 48, count: digits + 1 - text.count) + text }
        if digits > 0 { text.insert(UInt8(ascii: "."), at: text.count - digits) }
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes += text
    }
}
