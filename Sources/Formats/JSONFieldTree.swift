internal import CJSON
internal import StreamCore

/// A schema as the decoder takes it: fields in preorder, each with its path for messages.
struct JSONFieldTree {
    struct Entry {
        var name: String
        /// `item.qty`, `tags[]` (an element), `attributes{}` (a key or a value).
        var path: String
        var type: DataType
        var kind: cjson_kind
        var childCount: Int
    }

    /// The root comes first.
    private(set) var entries: [Entry] = []

    /// - Throws: `UNSUPPORTED_TYPE`.
    init(_ schema: Schema) throws(StreamError) {
        try add("", path: "", .structure(schema))
    }

    private mutating func add(_ name: String, path: String, _ type: DataType) throws(StreamError) {
        let children: [(name: String, path: String, type: DataType)] =
            switch type {
            case .array(let element): [("", path + "[]", element)]
            case .map(let key, let value): [("", path + "{}", key), ("", path + "{}", value)]
            case .structure(let schema):
                schema.fields.map { ($0.name, path.isEmpty ? $0.name : "\(path).\($0.name)", $0.type) }
            default: []
            }
        entries.append(
            Entry(name: name, path: path, type: type, kind: try Self.kind(of: type, path), childCount: children.count))
        for child in children { try add(child.name, path: child.path, child.type) }
    }

    private static func kind(of type: DataType, _ path: String) throws(StreamError) -> cjson_kind {
        switch type {
        case .null: return .null
        case .boolean: return .boolean
        case .int8: return .int8
        case .int16: return .int16
        case .int32: return .int32
        case .int64: return .int64
        case .float: return .float
        case .double: return .double
        case .decimal: return .decimal
        case .string: return .string
        case .binary: return .binary
        case .date: return .date
        case .timestamp: return .timestamp
        case .array: return .array
        case .structure: return .structure
        case .map(.string, _): return .map
        case .map:
            throw unsupportedType(path, type, "the keys of a JSON object are strings", remedy: "Use map<string, …>.")
        case .yearMonthInterval: return .yearMonth
        case .dayTimeInterval: return .dayTime
        case .calendarInterval:
            throw unsupportedType(path, type, "mixed units cannot be read", remedy: "Read the field as STRING.")
        }
    }

    /// Lends the fields as C sees them.
    func withFields<Result>(_ body: (UnsafeBufferPointer<cjson_field>) -> Result) -> Result {
        var names: [UInt8] = []
        for entry in entries { names.append(contentsOf: entry.name.utf8) }
        // An empty array may have no address.
        names.append(0)
        return unsafe names.withUnsafeBytes { bytes in
            var start = 0
            var fields: [cjson_field] = unsafe []
            for entry in entries {
                var field = unsafe cjson_field()
                unsafe field.name = bytes.baseAddress.map { unsafe ($0 + start).assumingMemoryBound(to: CChar.self) }
                unsafe field.name_length = UInt32(entry.name.utf8.count)
                unsafe field.child_count = UInt32(entry.childCount)
                unsafe field.kind = entry.kind
                if case .decimal(let precision, let scale) = entry.type {
                    unsafe field.precision = UInt8(clamping: precision)
                    unsafe field.scale = UInt8(clamping: scale)
                }
                start += entry.name.utf8.count
                unsafe fields.append(field)
            }
            return unsafe fields.withUnsafeBufferPointer(body)
        }
    }
}

func unsupportedType(_ path: String, _ type: DataType, _ reason: String, remedy: String) -> StreamError {
    StreamError(
        "UNSUPPORTED_TYPE", "Field '\(path)' cannot be \(type.name) in JSON: \(reason).", remedy: remedy, domain: .user)
}
