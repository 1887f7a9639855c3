import StreamCore

/// JSON in text columns: looked into, read by a schema, and written.
enum JSONFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "get_json_object", .exact([.string, .string], returns: .string),
            implementation: .prepared { _ in
                let cache = JSONPathCache()
                return { call in
                    let (text, path) = (call.bytes(0), call.bytes(1))
                    var tree = JSONTree()
                    return call.bytes { row, writer in
                        guard let path = cache.path(path[row]), tree.parse(text[row]) == .value else { return false }
                        return path.append(tree, &writer)
                    }
                }
            }),
        ScalarFunction("json_array_length", .exact([.string], returns: .int32)) { call in
            let text = call.bytes(0)
            var tree = JSONTree()
            return call.int32 { row in
                guard tree.parse(text[row]) == .value, tree.nodes[0].kind == .array else { return nil }
                var count: Int32 = 0
                tree.forEachElement(0) { _ in
                    count &+= 1
                    return true
                }
                return count
            }
        },
        ScalarFunction("json_object_keys", .exact([.string], returns: .array(.string))) { keys($0) },
        ScalarFunction("schema_of_json", .exact([.string], returns: .string)) { call in
            let text = call.bytes(0)
            var tree = JSONTree()
            return call.text { (row) throws(RowError) in
                guard tree.parse(text[row]) == .value else {
                    throw RowError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "this is no JSON")
                }
                return JSONInference.ddl(JSONInference.type(tree, 0))
            }
        },
        ScalarFunction("from_json", JSONReading.signature, implementation: .prepared { JSONReading.prepare($0) }),
        ScalarFunction("to_json", JSONWriting.signature, implementation: .prepared { JSONWriting.prepare($0) }),
    ]

    private static func keys(_ call: Call) -> Column {
        let text = call.bytes(0)
        let names = ByteArena()
        var tree = JSONTree()
        var views: [ByteView] = []
        let spans = call.fixed(ListSpan(start: 0, length: 0)) { row in
            guard tree.parse(text[row]) == .value, tree.nodes[0].kind == .object,
                names.count + text[row].count <= BytesWriter.columnMax
            else { return nil }
            let start = views.count
            tree.forEachMember(0) { name, _ in views.append(names.append(contentsOf: tree.string(name))) }
            return ListSpan(
                start: Int32(truncatingIfNeeded: start), length: Int32(truncatingIfNeeded: views.count - start))
        }
        return .array(
            ArrayColumn(
                elements: .string(BytesColumn(arena: names, views: views)), starts: spans.values.map(\.start),
                lengths: spans.values.map(\.length), nulls: spans.nulls))
    }
}

/// The type that a JSON value would be read with.
enum JSONInference {
    static func type(_ tree: JSONTree, _ node: Int) -> DataType {
        switch tree.nodes[node].kind {
        case .null: return .null
        case .yes, .no: return .boolean
        case .whole: return NumberCast.integer(tree.text(node)) == nil ? .decimal(precision: 38, scale: 0) : .int64
        case .fraction, .notFinite: return .double
        case .string: return .string
        case .array:
            var element = DataType.null
            tree.forEachElement(node) { child in
                element = wider(element, type(tree, child))
                return true
            }
            return .array(element)
        case .object:
            var fields: [Field] = []
            tree.forEachMember(node) { name, value in
                fields.append(Field(String(decoding: tree.string(name), as: UTF8.self), type(tree, value)))
            }
            return .structure(Schema(fields.sorted { $0.name < $1.name }))
        }
    }

    private static func wider(_ a: DataType, _ b: DataType) -> DataType {
        switch (a, b) {
        case (.array(let x), .array(let y)): return .array(wider(x, y))
        case (.structure(let x), .structure(let y)):
            var fields = x.fields
            for field in y.fields {
                if let index = fields.firstIndex(where: { $0.name == field.name }) {
                    fields[index].type = wider(fields[index].type, field.type)
                } else {
                    fields.append(field)
                }
            }
            return .structure(Schema(fields.sorted { $0.name < $1.name }))
        default:
            if a == b || b == .null { return a }
            if a == .null { return b }
            return Coercion.isNumeric(a) && Coercion.isNumeric(b) ? Coercion.common(a, b) ?? .string : .string
        }
    }

    /// As `schema_of_json` writes types; what was only null is a string.
    static func ddl(_ type: DataType) -> String {
        switch type {
        case .null: return "STRING"
        case .array(let element): return "ARRAY<\(ddl(element))>"
        case .structure(let schema):
            return "STRUCT<" + schema.fields.map { "\(name($0.name)): \(ddl($0.type))" }.joined(separator: ", ") + ">"
        default: return type.name.uppercased()
        }
    }

    private static func name(_ name: String) -> String {
        let isPlain =
            name.utf8.first?.isWordStart == true && name.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == 0x5F }
        return isPlain
            ? name : "`" + name.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``") + "`"
    }
}

/// Options given as a map of constants, their names without regard to case.
struct FormatOptions {
    private var values: [String: String] = [:]

    init(_ column: Column?) {
        guard case .map(let keys, let items)? = column?.datum(0) else { return }
        for (key, item) in zip(keys, items) {
            if let key = key.text, let item = item.text { values[key.lowercased()] = item }
        }
    }

    /// The options in the text of a query, before anything is computed.
    init(_ expression: Expression) {
        guard case .call("map", let items) = expression.kind else { return }
        for index in stride(from: 0, to: items.count - 1, by: 2) {
            if case .literal(.string(let key)) = items[index].kind,
                case .literal(.string(let item)) = items[index + 1].kind
            {
                values[key.lowercased()] = item
            }
        }
    }

    subscript(name: String) -> String? { values[name.lowercased()] }

    func flag(_ name: String, default value: Bool) -> Bool {
        self[name].map { $0.lowercased() == "true" } ?? value
    }
}
