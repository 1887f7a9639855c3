import StreamCore

/// `to_json`: null members are left out unless `ignoreNullFields` is false; nulls in maps and lists stay.
struct JSONWriting {
    static let signature = Signature.custom(1...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        switch typing.type(0) {
        case .structure, .map, .array, .null: break
        default: throw typing.mismatch(0, wanted: "STRUCT, MAP or ARRAY")
        }
        if typing.count > 1 { try typing.coerce(1, to: .map(.string, .string)) }
        return ResultType(.string)
    }

    static func prepare(_ preparation: Preparation) -> (Call) -> Column {
        let options = FormatOptions(preparation.constants.count > 1 ? preparation.constants[1] : nil)
        let writing = Result<JSONWriting, RowError> { () throws(RowError) in try JSONWriting(options, preparation.zone)
        }
        return { call in
            let (column, mask) = (call.arguments[0].column, call.arguments[0].mask)
            return call.bytes { (row, writer) throws(RowError) in
                try writing.get().append(column, row & mask, &writer)
                return true
            }
        }
    }

    private let writesNulls: Bool
    private let timestamps: DatetimePattern
    /// Nil for the standard form.
    private let dates: DatetimePattern?
    private let zone: TimeZone
    private let plain: ValueText

    private init(_ options: FormatOptions, _ zone: TimeZone) throws(RowError) {
        writesNulls = !options.flag("ignoreNullFields", default: true)
        timestamps = try DatetimePattern(options["timestampFormat"] ?? "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", isParsing: false)
        if let pattern = options["dateFormat"] {
            dates = try DatetimePattern(pattern, isParsing: false)
        } else {
            dates = nil
        }
        self.zone = options["timeZone"].flatMap { TimeZone.named($0) } ?? zone
        plain = ValueText(zone: zone)
    }

    private func append(_ column: Column, _ row: Int, _ writer: inout BytesWriter) {
        if column.isNull(row) {
            writer.append("null")
            return
        }
        switch column {
        case .string(let column): JSONText.append(column.bytes(row), &writer)
        case .binary(let column):
            writer.append(UInt8(ascii: "\""))
            Base64Text.append(column.bytes(row), &writer)
            writer.append(UInt8(ascii: "\""))
        case .float(let column): appendNumber(NumberCast.text(column.values[row]), column.values[row].isFinite, &writer)
        case .double(let column):
            appendNumber(NumberCast.text(column.values[row]), column.values[row].isFinite, &writer)
        case .timestamp(let column): appendTime(column.values[row], timestamps, zone, &writer)
        case .date(let column):
            if let dates, let midnight = Int64(column.values[row]).checkedTimes(TimeText.microsecondsPerDay) {
                appendTime(midnight, dates, .utc, &writer)
            } else {
                writer.append("\"" + TimeText.date(column.values[row]) + "\"")
            }
        case .yearMonthInterval, .dayTimeInterval, .calendarInterval:
            writer.append(UInt8(ascii: "\""))
            plain.append(column, row, &writer)
            writer.append(UInt8(ascii: "\""))
        case .array(let list): appendList(list, row, &writer)
        case .map(let map): appendMap(map, row, &writer)
        case .structure(let structure): appendStructure(structure, row, &writer)
        default: plain.append(column, row, &writer)
        }
    }

    private func appendNumber(_ text: String, _ isFinite: Bool, _ writer: inout BytesWriter) {
        writer.append(isFinite ? text : "\"\(text)\"")
    }

    private func appendTime(_ time: Int64, _ pattern: DatetimePattern, _ zone: TimeZone, _ writer: inout BytesWriter) {
        var text = BytesWriter()
        text.start()
        pattern.append(LocalTime(time, zone), &text)
        JSONText.append(text.arena.allBytes, &writer)
    }

    private func appendList(_ list: ArrayColumn, _ row: Int, _ writer: inout BytesWriter) {
        writer.append(UInt8(ascii: "["))
        for (place, element) in list.range(row).enumerated() {
            if place > 0 { writer.append(UInt8(ascii: ",")) }
            append(list.elements, element, &writer)
        }
        writer.append(UInt8(ascii: "]"))
    }

    private func appendMap(_ map: MapColumn, _ row: Int, _ writer: inout BytesWriter) {
        writer.append(UInt8(ascii: "{"))
        for (place, entry) in map.range(row).enumerated() {
            if place > 0 { writer.append(UInt8(ascii: ",")) }
            var key = BytesWriter()
            key.start()
            plain.append(map.keys, entry, &key)
            JSONText.append(key.arena.allBytes, &writer)
            writer.append(UInt8(ascii: ":"))
            append(map.values, entry, &writer)
        }
        writer.append(UInt8(ascii: "}"))
    }

    private func appendStructure(_ structure: StructColumn, _ row: Int, _ writer: inout BytesWriter) {
        writer.append(UInt8(ascii: "{"))
        var isFirst = true
        for (field, column) in zip(structure.schema.fields, structure.columns) {
            if !writesNulls, column.isNull(row) { continue }
            if !isFirst { writer.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.append(field.name, &writer)
            writer.append(UInt8(ascii: ":"))
            append(column, row, &writer)
        }
        writer.append(UInt8(ascii: "}"))
    }
}

/// Bytes as text with 64 characters (RFC 4648), for binary values in JSON.
enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func append(_ bytes: UnsafeRawBufferPointer, _ writer: inout BytesWriter) {
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for place in 0..<3 { group = group << 8 | (place < count ? UInt32(bytes[start + place]) : 0) }
            for place in 0..<4 {
                let index = Int(group >> UInt32(18 - 6 * place) & 63)
                writer.append(place <= count ? alphabet[index] : UInt8(ascii: "="))
            }
        }
    }

    /// Nil if this is no Base64; the padding must be there.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var result: [UInt8] = []
        var group: UInt32 = 0
        let padding = text.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
        for (index, byte) in text.enumerated() {
            let isPadding = index >= text.count - padding
            guard let value = isPadding ? (byte == UInt8(ascii: "=") ? 0 : nil) : value(byte) else { return nil }
            group = group << 6 | value
            if index % 4 == 3 {
                result += [
                    UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8),
                    UInt8(truncatingIfNeeded: group),
                ]
                group = 0
            }
        }
        return Array(result.dropLast(padding))
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5A: UInt32(byte - 0x41)
        case 0x61...0x7A: UInt32(byte - 0x61 + 26)
        case 0x30...0x39: UInt32(byte - 0x30 + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
