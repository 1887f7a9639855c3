import StreamCore

@testable import StreamSQL

/// Values in the notation of the golden file.
enum GoldenText {
    static func text(_ column: Column, _ row: Int, units: IntervalUnits? = nil) -> String {
        if column.isNull(row) { return "null" }
        switch column {
        case .string(let column): return quoted(column.arena.string(column.views[row]))
        case .binary(let column):
            return "x'" + column.arena.array(column.views[row]).map { hex($0) }.joined() + "'"
        case .float(let column): return number(column.values[row].description)
        case .double(let column): return number(column.values[row].description)
        case .timestamp(let column):
            // The file shows a fraction with six digits.
            let text = TimeText.timestamp(column.values[row], zone: .utc)
            guard let dot = text.firstIndex(of: ".") else { return quoted(text) }
            let digits = text[text.index(after: dot)...]
            return quoted(text + String(repeating: "0", count: 6 - digits.count))
        case .array(let column):
            return "[" + column.range(row).map { text(column.elements, $0) }.joined(separator: ", ") + "]"
        case .map(let column):
            let pairs = column.range(row).map { "\(key(text(column.keys, $0))): \(text(column.values, $0))" }
            return "{" + pairs.joined(separator: ", ") + "}"
        case .structure(let column):
            let members = zip(column.schema.fields, column.columns).map { "\(quoted($0.name)): \(text($1, row))" }
            return "{" + members.joined(separator: ", ") + "}"
        case .date, .yearMonthInterval, .dayTimeInterval, .calendarInterval: return quoted(plain(column, row, units))
        default: return plain(column, row, units)
        }
    }

    private static func key(_ text: String) -> String { text.hasPrefix("\"") ? text : quoted(text) }

    private static func number(_ text: String) -> String {
        if text == "nan" { return quoted("NaN") }
        if text.hasSuffix("inf") { return quoted(text.hasPrefix("-") ? "-Infinity" : "Infinity") }
        return text
    }

    private static func plain(_ column: Column, _ row: Int, _ units: IntervalUnits?) -> String {
        var writer = BytesWriter()
        writer.start()
        ValueText(zone: .utc, units: units).append(column, row, &writer)
        return writer.arena.string(ByteView(start: 0, length: writer.arena.count))
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}
