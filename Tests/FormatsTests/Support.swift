import Formats
import StreamCore

/// A block whose record values are these texts; nil is a tombstone.
func block(_ values: [String?]) -> RecordBlock {
    block(bytes: values.map { $0.map { Array($0.utf8) } })
}

func block(bytes values: [[UInt8]?]) -> RecordBlock {
    let block = RecordBlock(topics: ["t"])
    for (offset, value) in values.enumerated() {
        let view = value.map { block.arena.append(contentsOf: $0) } ?? .null
        block.slots.append(RecordSlot(value: view, offset: Int64(offset), partition: 0))
    }
    return block
}

/// What a row's column holds, as text: the tests' notation for expected values.
func show(_ column: Column, _ row: Int) -> String {
    if column.nulls?[row] ?? false { return "null" }
    switch column {
    case .null: return "null"
    case .boolean(let column): return "\(column.values[row])"
    case .int8(let column): return "\(column.values[row])"
    case .int16(let column): return "\(column.values[row])"
    case .int32(let column), .date(let column), .yearMonthInterval(let column): return "\(column.values[row])"
    case .int64(let column), .timestamp(let column), .dayTimeInterval(let column): return "\(column.values[row])"
    case .float(let column): return "\(column.values[row])"
    case .double(let column): return "\(column.values[row])"
    case .decimal(let column): return "\(column.unscaled.values[row])e-\(column.scale)"
    case .string(let column): return "'\(column.string(row) ?? "")'"
    case .binary(let column): return "\(column.arena.array(column.views[row]))"
    case .calendarInterval(let column): return "\(column.values[row])"
    case .array(let column):
        return "[" + column.range(row).map { show(column.elements, $0) }.joined(separator: ", ") + "]"
    case .map(let column):
        let entries = column.range(row).map { "\(show(column.keys, $0)): \(show(column.values, $0))" }
        return "{" + entries.joined(separator: ", ") + "}"
    case .structure(let column):
        return "(" + column.columns.map { show($0, row) }.joined(separator: ", ") + ")"
    }
}

func show(_ batch: RecordBatch, _ row: Int) -> String {
    batch.columns.map { show($0, row) }.joined(separator: " | ")
}

/// A strict validator of RFC 8259, written for clearness: what the decoder is compared with.
struct ReferenceJSON {
    private let bytes: [UInt8]
    private var at = 0
    private let depthMax: Int

    /// Whether the bytes are one JSON object, in UTF-8, nested at most so deep.
    static func isObject(_ bytes: [UInt8], depthMax: Int = 64) -> Bool {
        guard String(validating: bytes, as: UTF8.self) != nil else { return false }
        var reader = ReferenceJSON(bytes: bytes, depthMax: depthMax)
        reader.space()
        guard reader.peek == UInt8(ascii: "{"), reader.value(1) else { return false }
        reader.space()
        return reader.at == bytes.count
    }

    private init(bytes: [UInt8], depthMax: Int) {
        self.bytes = bytes
        self.depthMax = depthMax
    }

    private var peek: UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func space() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    private mutating func value(_ depth: Int) -> Bool {
        space()
        switch peek {
        case UInt8(ascii: "{"): return depth <= depthMax && members(depth, close: "}", isObject: true)
        case UInt8(ascii: "["): return depth <= depthMax && members(depth, close: "]", isObject: false)
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return take("true")
        case UInt8(ascii: "f"): return take("false")
        case UInt8(ascii: "n"): return take("null")
        default: return number()
        }
    }

    private mutating func members(_ depth: Int, close: String, isObject: Bool) -> Bool {
        at += 1
        space()
        if take(close) { return true }
        while true {
            space()
            if isObject {
                guard string() else { return false }
                space()
                guard take(":") else { return false }
            }
            guard value(depth + 1) else { return false }
            space()
            if take(close) { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            let letter = peek
            at += 1
            if letter == UInt8(ascii: "u") {
                guard at + 4 <= bytes.count, bytes[at..<at + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
                else { return false }
                at += 4
            } else if !"\"\\/bfnrt".utf8.contains(letter) {
                return false
            }
        }
        return false
    }

    private mutating func digits() -> Int {
        let start = at
        while (48...57).contains(peek) { at += 1 }
        return at - start
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if peek == 48 { at += 1 } else if digits() == 0 { return false }
        if take("."), digits() == 0 { return false }
        if peek | 0x20 == UInt8(ascii: "e") {
            at += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at += 1 }
            if digits() == 0 { return false }
        }
        return true
    }
}
