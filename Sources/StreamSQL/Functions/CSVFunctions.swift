import StreamCore

/// Rows as comma-separated text.
enum CSVFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("from_csv", readSignature, implementation: .prepared { prepareReading($0) }),
        ScalarFunction("to_csv", writeSignature, implementation: .prepared { prepareWriting($0) }),
    ]

    private static let readSignature = Signature.custom(2...3) { (typing: inout CallTyping) throws(SyntaxIssue) in
        try typing.coerce(0, to: .string)
        guard let text = typing.literalText(1) else {
            throw typing.issue("INVALID_SCHEMA.NON_STRING_LITERAL", "the schema must be a literal", at: 1)
        }
        let type: DataType
        do throws(SyntaxIssue) {
            type = try DataType.parse(text)
        } catch {
            throw typing.issue("INVALID_SCHEMA.PARSE_ERROR", "cannot read the schema: \(error.message)", at: 1)
        }
        guard case .structure(let schema) = type else {
            throw typing.issue("INVALID_SCHEMA.NON_STRUCT_TYPE", "the schema of a row is a STRUCT", at: 1)
        }
        guard schema.fields.allSatisfy({ Coercion.isAtomic($0.type) }) else {
            throw typing.issue("UNSUPPORTED_DATATYPE", "a field of a row cannot be nested", at: 1)
        }
        if typing.count > 2 {
            let mode = FormatOptions(typing.arguments[2])["mode"]?.uppercased() ?? "PERMISSIVE"
            guard ["PERMISSIVE", "FAILFAST"].contains(mode) else {
                throw typing.issue(
                    "PARSE_MODE_UNSUPPORTED", "'\(typing.name)' knows the modes PERMISSIVE and FAILFAST", at: 2)
            }
            try typing.coerce(2, to: .map(.string, .string))
        }
        return ResultType(type)
    }

    private static let writeSignature = Signature.custom(1...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        guard case .structure(let schema) = typing.type(0) else { throw typing.mismatch(0, wanted: "STRUCT") }
        guard schema.fields.allSatisfy({ Coercion.isAtomic($0.type) || $0.type == .null }) else {
            throw typing.issue("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "a field of a row cannot be nested", at: 0)
        }
        if typing.count > 1 { try typing.coerce(1, to: .map(.string, .string)) }
        return ResultType(.string)
    }

    private static func options(_ preparation: Preparation, _ index: Int) -> FormatOptions {
        FormatOptions(preparation.constants.count > index ? preparation.constants[index] : nil)
    }

    // MARK: - Reading

    private static func prepareReading(_ preparation: Preparation) -> (Call) -> Column {
        let options = options(preparation, 2)
        let dialect = CSVDialect(options)
        let values = Result<JSONValueReader, RowError> { () throws(RowError) in
            try JSONValueReader(options, preparation.zone)
        }
        let isStrict = options["mode"]?.uppercased() == "FAILFAST"
        return { call in
            guard case .structure(let schema) = call.type else { return call.nothing() }
            let text = call.bytes(0)
            let builders = schema.fields.map { JSONColumnBuilder($0.type) }
            let marks = call.fixed(false) { (row) throws(RowError) in
                let reader = try values.get()
                for builder in builders { while builder.count < row { builder.appendNull() } }
                let fields = dialect.fields(text[row])
                var isGood = fields.count == builders.count
                for (place, builder) in builders.enumerated() {
                    guard place < fields.count, let field = fields[place] else {
                        builder.appendNull()
                        continue
                    }
                    if !field.withUnsafeBytes({ reader.append(plain: $0, builder) }) { isGood = false }
                }
                if isStrict, !isGood {
                    throw RowError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "the row does not fit the schema")
                }
                return true
            }
            for builder in builders { while builder.count < call.count { builder.appendNull() } }
            return .structure(
                StructColumn(
                    schema: schema, columns: builders.map { $0.build() }, count: call.count, nulls: marks.nulls))
        }
    }

    // MARK: - Writing

    private static func prepareWriting(_ preparation: Preparation) -> (Call) -> Column {
        let options = options(preparation, 1)
        let dialect = CSVDialect(options)
        let zone = preparation.zone
        let pattern = Result<DatetimePattern, RowError> { () throws(RowError) in
            try DatetimePattern(options["timestampFormat"] ?? "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", isParsing: false)
        }
        return { call in
            guard let (structure, mask) = call.structures(0) else { return call.nothing() }
            let plain = ValueText(zone: zone)
            return call.bytes { (row, writer) throws(RowError) in
                let pattern = try pattern.get()
                for (place, column) in structure.columns.enumerated() {
                    if place > 0 { writer.append(dialect.separator) }
                    if column.isNull(row & mask) {
                        writer.append(dialect.null)
                        continue
                    }
                    var field = BytesWriter()
                    field.start()
                    if case .timestamp(let times) = column {
                        pattern.append(LocalTime(times.values[row & mask], zone), &field)
                    } else {
                        plain.append(column, row & mask, &field)
                    }
                    dialect.append(field.arena.allBytes, &writer)
                }
                return true
            }
        }
    }
}

/// How fields are told apart.
struct CSVDialect {
    let separator: UInt8
    let quote: UInt8
    let escape: UInt8
    let null: String

    init(_ options: FormatOptions) {
        func byte(_ names: [String], _ standard: UInt8) -> UInt8 {
            names.lazy.compactMap { options[$0]?.utf8.first }.first ?? standard
        }
        separator = byte(["sep", "delimiter"], UInt8(ascii: ","))
        quote = byte(["quote"], UInt8(ascii: "\""))
        escape = byte(["escape"], UInt8(ascii: "\\"))
        null = options["nullValue"] ?? ""
    }

    /// The fields of one row; nil is null.
    func fields(_ text: UnsafeRawBufferPointer) -> [[UInt8]?] {
        var fields: [[UInt8]?] = []
        var field: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        var index = 0
        func finish() {
            let isNull = !wasQuoted && field.elementsEqual(null.utf8)
            fields.append(isNull ? nil : field)
            field = []
            wasQuoted = false
        }
        while index < text.count {
            let byte = text[index]
            let next = index + 1 < text.count ? text[index + 1] : 0
            if isQuoted, byte == escape || byte == quote, next == quote {
                field.append(quote)
                index += 1
            } else if byte == quote, isQuoted || field.isEmpty {
                isQuoted.toggle()
                wasQuoted = true
            } else if !isQuoted, byte == separator {
                finish()
            } else {
                field.append(byte)
            }
            index += 1
        }
        finish()
        return fields
    }

    /// A field, in quotes where it must be.
    func append(_ field: UnsafeRawBufferPointer, _ writer: inout BytesWriter) {
        let needsQuotes = field.isEmpty || field.contains { $0 == separator || $0 == quote || $0 == 0x0A || $0 == 0x0D }
        guard needsQuotes else { return writer.append(field) }
        writer.append(quote)
        for byte in field {
            if byte == quote { writer.append(escape) }
            writer.append(byte)
        }
        writer.append(quote)
    }
}

extension JSONValueReader {
    /// A field of a row by its text; false if it does not fit, which gives null.
    func append(plain text: UnsafeRawBufferPointer, _ builder: JSONColumnBuilder) -> Bool {
        if case .string = builder.type {
            builder.append(text)
            return true
        }
        guard let value = plain(text, builder.type) else {
            builder.appendNull()
            return false
        }
        builder.append(value)
        return true
    }

    private func plain(_ text: UnsafeRawBufferPointer, _ type: DataType) -> JSONScalar? {
        switch type {
        case .boolean:
            switch String(decoding: text.prefix(6), as: UTF8.self).lowercased() {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            default: return nil
            }
        case .binary: return .binary(Array(text))
        case .float, .double: return notFinite(text) ?? NumberCast.double(text).map { .double($0) }
        case .date: return date(Array(text))
        case .timestamp: return timestamp(Array(text))
        case .yearMonthInterval: return interval(Array(text), .yearToMonth)
        case .dayTimeInterval: return interval(Array(text), .dayToSecond)
        default: return number(text, .whole, type)
        }
    }
}
