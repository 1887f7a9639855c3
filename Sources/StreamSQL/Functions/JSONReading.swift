import StreamCore

/// `from_json`: text by a schema. What does not fit becomes null (and is shown in `_corrupt_record` if the schema has
/// that column); with `mode` FAILFAST it is an error of the row.
enum JSONReading {
    static let signature = Signature.custom(2...3) { (typing: inout CallTyping) throws(SyntaxIssue) in
        try typing.coerce(0, to: .string)
        guard let text = schemaText(typing) else {
            throw typing.issue("INVALID_SCHEMA.NON_STRING_LITERAL", "the schema must be a literal", at: 1)
        }
        let type: DataType
        do throws(SyntaxIssue) {
            type = try DataType.parse(text)
        } catch {
            throw typing.issue("INVALID_SCHEMA.PARSE_ERROR", "cannot read the schema: \(error.message)", at: 1)
        }
        switch type {
        case .structure, .array: break
        case .map(let key, _):
            guard key == .string else {
                throw typing.issue("INVALID_JSON_SCHEMA_MAP_TYPE", "keys of a map in JSON are STRING", at: 1)
            }
        default:
            throw typing.issue("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", "a schema is a STRUCT, ARRAY or MAP", at: 1)
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

    /// The schema's text, or what `schema_of_json('…')` gives for an example.
    private static func schemaText(_ typing: CallTyping) -> String? {
        if let text = typing.literalText(1) { return text }
        guard case .call("schema_of_json", let items) = typing.arguments[1].kind,
            case .literal(.string(let example))? = items.first?.kind
        else { return nil }
        return Array(example.utf8).withUnsafeBytes { bytes in
            var tree = JSONTree()
            return tree.parse(bytes) == .value ? JSONInference.ddl(JSONInference.type(tree, 0)) : nil
        }
    }

    static func prepare(_ preparation: Preparation) -> (Call) -> Column {
        let options = FormatOptions(preparation.constants.count > 2 ? preparation.constants[2] : nil)
        let reader = Result<JSONValueReader, RowError> { () throws(RowError) in
            try JSONValueReader(options, preparation.zone)
        }
        let corrupt = options["columnNameOfCorruptRecord"] ?? "_corrupt_record"
        let isStrict = options["mode"]?.uppercased() == "FAILFAST"
        let treeOptions = JSONTree.Options(
            allowsUnquotedNames: options.flag("allowUnquotedFieldNames", default: false),
            allowsSingleQuotes: options.flag("allowSingleQuotes", default: true),
            allowsNotFinite: options.flag("allowNonNumericNumbers", default: true),
            allowsLeadingZeros: options.flag("allowNumericLeadingZeros", default: false))
        return { call in
            let batch = JSONBatch(call, corrupt: corrupt, isStrict: isStrict, JSONTree(treeOptions))
            return batch.column(reader)
        }
    }
}

/// The rows of one call: builds the column of the schema's type.
private struct JSONBatch {
    let call: Call
    let isStrict: Bool
    var tree: JSONTree
    /// The place of the column for records that do not fit.
    let corrupt: Int?

    init(_ call: Call, corrupt name: String, isStrict: Bool, _ tree: JSONTree) {
        self.call = call
        self.isStrict = isStrict
        self.tree = tree
        if case .structure(let schema) = call.type {
            corrupt = schema.fields.firstIndex { $0.name == name && $0.type == .string }
        } else {
            corrupt = nil
        }
    }

    func column(_ reader: Result<JSONValueReader, RowError>) -> Column {
        let text = call.bytes(0)
        let builder = JSONColumnBuilder(call.type)
        var tree = tree
        var filled = 0
        let malformed = RowError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "the JSON does not fit the schema")
        // The builder appends row by row; rows that do not count become null.
        let marks = call.fixed(false) { (row) throws(RowError) in
            while filled < row {
                builder.appendNull()
                filled += 1
            }
            filled += 1
            var isGood = true
            let outcome = tree.parse(text[row])
            do throws(RowError) {
                let reader = try reader.get()
                guard outcome != .blank, builder.byteCount + text[row].count <= BytesWriter.columnMax else {
                    builder.appendNull()
                    return nil
                }
                isGood = outcome == .value && reader.appendRoot(tree, builder)
            } catch {
                builder.appendNull()
                throw error
            }
            if outcome != .value { builder.appendEmptyRoot() }
            if !isGood, isStrict { throw malformed }
            if let corrupt, !isGood { builder.children[corrupt].replaceLast(with: text[row]) }
            return true
        }
        while filled < call.count {
            builder.appendNull()
            filled += 1
        }
        return builder.build().withNulls(marks.nulls)
    }
}

/// Appends JSON values to columns, as Spark's reader converts them.
struct JSONValueReader {
    private let dates: DatetimePattern?
    private let timestamps: DatetimePattern?
    private let zone: TimeZone

    init(_ options: FormatOptions, _ zone: TimeZone) throws(RowError) {
        if let text = options["dateFormat"] { dates = try DatetimePattern(text, isParsing: true) } else { dates = nil }
        if let text = options["timestampFormat"] {
            timestamps = try DatetimePattern(text, isParsing: true)
        } else {
            timestamps = nil
        }
        self.zone = options["timeZone"].flatMap { TimeZone.named($0) } ?? zone
    }

    /// The value of a row; false if something did not fit.
    func appendRoot(_ tree: JSONTree, _ builder: JSONColumnBuilder) -> Bool {
        let kind = tree.nodes[0].kind
        switch builder.type {
        case .array(.structure) where kind == .object:
            let start = builder.children[0].count
            let isGood = append(tree, 0, builder.children[0])
            builder.closeList(from: start)
            return isGood
        case .structure where kind != .object:
            builder.appendEmptyRoot()
            return false
        default: return append(tree, 0, builder)
        }
    }

    /// Appends one value to the builder, or null if it does not fit.
    func append(_ tree: JSONTree, _ node: Int, _ builder: JSONColumnBuilder) -> Bool {
        let kind = tree.nodes[node].kind
        if kind == .null {
            builder.appendNull()
            return true
        }
        switch (builder.type, kind) {
        case (.structure(let schema), .object): return appendStructure(tree, node, schema, builder)
        case (.array, .array):
            let start = builder.children[0].count
            var isGood = true
            tree.forEachElement(node) { child in
                if !append(tree, child, builder.children[0]) { isGood = false }
                return true
            }
            builder.closeList(from: start)
            return isGood
        case (.map, .object):
            let start = builder.children[0].count
            let isGood = appendEntries(tree, node, builder)
            builder.closeList(from: start)
            return isGood
        case (.string, _):
            appendText(tree, node, builder)
            return true
        default:
            guard let value = scalar(tree, node, kind, builder.type) else {
                builder.appendNull()
                return false
            }
            builder.append(value)
            return true
        }
    }

    /// The last of equal names counts.
    private func appendStructure(
        _ tree: JSONTree, _ node: Int, _ schema: Schema, _ builder: JSONColumnBuilder
    ) -> Bool {
        builder.places.removeAll(keepingCapacity: true)
        for _ in 0..<schema.count { builder.places.append(-1) }
        tree.forEachMember(node) { name, value in
            for place in builder.names.indices where tree.isName(name, builder.names[place]) {
                builder.places[place] = value
            }
        }
        var isGood = true
        for place in 0..<schema.count {
            let value = builder.places[place]
            if value < 0 {
                builder.children[place].appendNull()
            } else if !append(tree, value, builder.children[place]) {
                isGood = false
            }
        }
        builder.closeStructure()
        return isGood
    }

    /// The entries of a map; the last of equal keys counts, for the keys of a map differ.
    private func appendEntries(_ tree: JSONTree, _ node: Int, _ builder: JSONColumnBuilder) -> Bool {
        var last: [[UInt8]: Int] = [:]
        tree.forEachMember(node) { last[tree.string($0)] = $1 }
        var isGood = true
        tree.forEachMember(node) { name, value in
            guard last[tree.string(name)] == value else { return }
            appendText(tree, name, builder.children[0])
            if !append(tree, value, builder.children[1]) { isGood = false }
        }
        return isGood
    }

    /// A text as it is, anything else as JSON.
    private func appendText(_ tree: JSONTree, _ node: Int, _ builder: JSONColumnBuilder) {
        if tree.nodes[node].kind != .string {
            var writer = BytesWriter()
            writer.start()
            tree.append(node, &writer)
            builder.append(writer.arena.allBytes)
        } else if tree.nodes[node].isEscaped {
            tree.string(node).withUnsafeBytes { builder.append($0) }
        } else {
            builder.append(tree.text(node))
        }
    }

    private func scalar(_ tree: JSONTree, _ node: Int, _ kind: JSONTree.Kind, _ type: DataType) -> JSONScalar? {
        let text = tree.text(node)
        switch (type, kind) {
        case (.date, .string): return date(tree.string(node))
        case (.timestamp, .string): return timestamp(tree.string(node))
        case (.binary, .string): return Base64Text.decode(tree.string(node)).map { .binary($0) }
        case (.yearMonthInterval, .string): return interval(tree.string(node), .yearToMonth)
        case (.dayTimeInterval, .string): return interval(tree.string(node), .dayToSecond)
        default: return number(text, kind, type)
        }
    }

    /// A boolean or a number by its text.
    func number(_ text: UnsafeRawBufferPointer, _ kind: JSONTree.Kind, _ type: DataType) -> JSONScalar? {
        switch (type, kind) {
        case (.boolean, .yes): return .boolean(true)
        case (.boolean, .no): return .boolean(false)
        case (.int8, .whole): return NumberCast.integer(text).flatMap { Int8(exactly: $0) }.map { .integer(Int64($0)) }
        case (.int16, .whole):
            return NumberCast.integer(text).flatMap { Int16(exactly: $0) }.map { .integer(Int64($0)) }
        case (.int32, .whole):
            return NumberCast.integer(text).flatMap { Int32(exactly: $0) }.map { .integer(Int64($0)) }
        case (.int64, .whole): return NumberCast.integer(text).map { .integer($0) }
        case (.float, .whole), (.float, .fraction), (.double, .whole), (.double, .fraction):
            return NumberCast.double(text).map { .double($0) }
        case (.float, .notFinite), (.double, .notFinite), (.float, .string), (.double, .string): return notFinite(text)
        case (.decimal(let precision, let scale), .whole), (.decimal(let precision, let scale), .fraction),
            (.decimal(let precision, let scale), .string):
            guard let parsed = DecimalText.parse(Array(text)[...]) else { return nil }
            return Decimals.fit(parsed.unscaled, scale: parsed.scale, precision: precision, to: scale).map {
                .decimal($0)
            }
        case (.timestamp, .whole): return NumberCast.integer(text)?.checkedTimes(1_000_000).map { .integer($0) }
        default: return nil
        }
    }

    func notFinite(_ text: UnsafeRawBufferPointer) -> JSONScalar? {
        switch String(decoding: text.prefix(16), as: UTF8.self) {
        case "NaN": .double(.nan)
        case "INF", "+INF", "Infinity", "+Infinity": .double(.infinity)
        case "-INF", "-Infinity": .double(-.infinity)
        default: nil
        }
    }

    func date(_ bytes: [UInt8]) -> JSONScalar? {
        let days = bytes.withUnsafeBytes { text -> Int32? in
            guard let dates else { return TimeText.date(text) }
            return dates.parse(text, zone: .utc).map { TimeMath.day(of: $0, .utc) }
        }
        return days.map { .integer(Int64($0)) }
    }

    func timestamp(_ bytes: [UInt8]) -> JSONScalar? {
        bytes.withUnsafeBytes { text in
            timestamps.map { $0.parse(text, zone: zone) } ?? TimeText.timestamp(text, zone: zone, now: 0)
        }.map { .integer($0) }
    }

    func interval(_ bytes: [UInt8], _ units: IntervalUnits) -> JSONScalar? {
        IntervalText.literal(String(decoding: bytes, as: UTF8.self), units).map { .integer($0) }
    }
}
