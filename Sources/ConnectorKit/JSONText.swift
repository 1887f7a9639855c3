/// A JSON value that code builds and writes: lint reports, the schema, plans. Keys keep their order.
public indirect enum JSONText: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONText])
    case object([Member])

    /// A name and its value in an object.
    public struct Member: Sendable, Hashable {
        public var name: String
        public var value: JSONText
        public init(_ name: String, _ value: JSONText) {
            self.name = name
            self.value = value
        }
    }

    public init(stringLiteral text: String) { self = .string(text) }
    public init(arrayLiteral elements: JSONText...) { self = .array(elements) }
    public init(dictionaryLiteral members: (String, JSONText)...) { self = .object(members.map { Member($0.0, $0.1) }) }
    public init(integerLiteral number: Int64) { self = .integer(number) }
    public init(booleanLiteral flag: Bool) { self = .bool(flag) }

    /// On one line.
    public var text: String { written(indent: nil, level: 0) }
    /// With two spaces a level.
    public var prettyText: String { written(indent: "  ", level: 0) }

    private func written(indent: String?, level: Int) -> String {
        switch self {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return "\(number)"
        case .number(let number): return number.isFinite ? "\(number)" : "null"
        case .string(let text): return Self.quoted(text)
        case .array(let elements):
            return Self.enclosed("[", elements.map { $0.written(indent: indent, level: level + 1) }, "]", indent, level)
        case .object(let members):
            let lines = members.map { member in
                Self.quoted(member.name) + (indent == nil ? ":" : ": ")
                    + member.value.written(indent: indent, level: level + 1)
            }
            return Self.enclosed("{", lines, "}", indent, level)
        }
    }

    private static func enclosed(_ open: String, _ items: [String], _ close: String, _ indent: String?, _ level: Int)
        -> String
    {
        guard let indent, !items.isEmpty else { return open + items.joined(separator: ",") + close }
        let outer = "\n" + String(repeating: indent, count: level)
        let inner = outer + indent
        return open + inner + items.joined(separator: "," + inner) + outer + close
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
