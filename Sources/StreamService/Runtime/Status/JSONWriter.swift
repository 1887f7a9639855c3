/// Writes JSON text, one value after the other. For status and progress, not for records.
package struct JSONWriter: Sendable {
    package private(set) var text = ""

    package init() {}

    /// `{"a": 1}`: names in the order of the calls.
    package static func document(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        json.object(nil, body)
        return json.text
    }

    package mutating func object(_ name: String? = nil, _ body: (inout JSONWriter) -> Void) {
        key(name)
        text += "{"
        body(&self)
        text += "}"
    }

    package mutating func array<Item>(
        _ name: String? = nil, _ items: some Sequence<Item>, _ body: (inout JSONWriter, Item) -> Void
    ) {
        key(name)
        text += "["
        for item in items { body(&self, item) }
        text += "]"
    }

    package mutating func value(_ name: String? = nil, _ string: String?) {
        key(name)
        if let string { append(quoted: string) } else { text += "null" }
    }

    package mutating func value(_ name: String? = nil, _ number: (some BinaryInteger)?) {
        key(name)
        text += number.map { String($0) } ?? "null"
    }

    /// What is not finite becomes null: JSON has no word for it.
    package mutating func value(_ name: String? = nil, _ number: Double?) {
        key(name)
        text += number.flatMap { $0.isFinite ? "\($0)" : nil } ?? "null"
    }

    package mutating func value(_ name: String? = nil, _ flag: Bool) {
        key(name)
        text += flag ? "true" : "false"
    }

    private mutating func key(_ name: String?) {
        if let last = text.utf8.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "["), last != UInt8(ascii: ":") {
            text += ","
        }
        guard let name else { return }
        append(quoted: name)
        text += ":"
    }

    private mutating func append(quoted string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
