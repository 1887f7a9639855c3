import StreamCore

/// Values as text, as `CAST(… AS STRING)` writes them.
struct ValueText {
    let zone: TimeZone
    /// For interval columns: the fields to show.
    var units: IntervalUnits?

    /// Writes one row; a null writes `null` (only met inside arrays, maps and structs).
    func append(_ column: Column, _ row: Int, _ writer: inout BytesWriter) {
        if column.nulls?[row] ?? false {
            writer.append("null")
            return
        }
        switch column {
        case .null: writer.append("null")
        case .boolean(let column): writer.append(column.values[row] ? "true" : "false")
        case .int8(let column): writer.append(String(column.values[row]))
        case .int16(let column): writer.append(String(column.values[row]))
        case .int32(let column): writer.append(String(column.values[row]))
        case .int64(let column): writer.append(String(column.values[row]))
        case .float(let column): writer.append(NumberCast.text(column.values[row]))
        case .double(let column): writer.append(NumberCast.text(column.values[row]))
        case .decimal(let column): writer.append(Decimals.text(column.unscaled.values[row], scale: column.scale))
        case .string(let column), .binary(let column): writer.append(column.arena.bytes(column.views[row]))
        case .date(let column): writer.append(TimeText.date(column.values[row]))
        case .timestamp(let column): writer.append(TimeText.timestamp(column.values[row], zone: zone))
        case .yearMonthInterval(let column):
            writer.append(IntervalFormat.text(Int64(column.values[row]), units ?? .yearToMonth))
        case .dayTimeInterval(let column): writer.append(IntervalFormat.text(column.values[row], units ?? .dayToSecond))
        case .calendarInterval(let column): writer.append(IntervalFormat.text(column.values[row]))
        case .array, .map, .structure: appendNested(column, row, &writer)
        }
    }

    private func appendNested(_ column: Column, _ row: Int, _ writer: inout BytesWriter) {
        switch column {
        case .array(let column):
            writer.append("[")
            for (place, element) in column.range(row).enumerated() {
                if place > 0 { writer.append(", ") }
                append(column.elements, element, &writer)
            }
            writer.append("]")
        case .map(let column):
            writer.append("{")
            for (place, element) in column.range(row).enumerated() {
                if place > 0 { writer.append(", ") }
                append(column.keys, element, &writer)
                writer.append(" -> ")
                append(column.values, element, &writer)
            }
            writer.append("}")
        case .structure(let column):
            writer.append("{")
            for (place, member) in column.columns.enumerated() {
                if place > 0 { writer.append(", ") }
                append(member, row, &writer)
            }
            writer.append("}")
        default: break
        }
    }
}
