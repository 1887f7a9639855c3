/// The type of a column, with Spark's names and ranges.
public indirect enum DataType: Hashable, Sendable, Codable {
    /// The type of a bare NULL (Spark's VOID).
    case null
    case boolean
    case int8, int16, int32, int64
    case float, double
    /// At most 38 digits, `scale` of them behind the point.
    case decimal(precision: Int, scale: Int)
    case string
    case binary
    /// Days since 1970-01-01.
    case date
    /// Microseconds since 1970-01-01 00:00 UTC.
    case timestamp
    /// Months.
    case yearMonthInterval
    /// Microseconds.
    case dayTimeInterval
    /// Months, days and microseconds apart (Spark's INTERVAL).
    case calendarInterval
    case array(DataType)
    case map(DataType, DataType)
    case structure(Schema)

    /// Spark's `simpleString`: `int`, `array<string>`, `struct<a:int,b:string>`.
    public var name: String {
        switch self {
        case .null: "void"
        case .boolean: "boolean"
        case .int8: "tinyint"
        case .int16: "smallint"
        case .int32: "int"
        case .int64: "bigint"
        case .float: "float"
        case .double: "double"
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        case .string: "string"
        case .binary: "binary"
        case .date: "date"
        case .timestamp: "timestamp"
        case .yearMonthInterval: "interval year to month"
        case .dayTimeInterval: "interval day to second"
        case .calendarInterval: "interval"
        case .array(let element): "array<\(element.name)>"
        case .map(let key, let value): "map<\(key.name),\(value.name)>"
        case .structure(let schema):
            "struct<" + schema.fields.map { "\($0.name):\($0.type.name)" }.joined(separator: ",") + ">"
        }
    }
}

/// A named, typed column of a schema, or a member of a struct. Every field may be null: JSON and Kafka promise nothing.
public struct Field: Hashable, Sendable, Codable {
    public var name: String
    public var type: DataType

    public init(_ name: String, _ type: DataType) {
        self.name = name
        self.type = type
    }
}

/// The ordered fields of a record batch or of a struct.
public struct Schema: Hashable, Sendable, Codable, CustomStringConvertible {
    public var fields: [Field]

    public init(_ fields: [Field]) { self.fields = fields }

    public var count: Int { fields.count }

    /// The place of a field by its exact name, else by its name without regard to case as Spark resolves columns.
    /// - Complexity: O(n); for planning, not for rows.
    public func index(of name: String) -> Int? {
        fields.firstIndex { $0.name == name } ?? fields.firstIndex { $0.name.lowercased() == name.lowercased() }
    }

    /// The field at a place below `count`.
    public subscript(_ index: Int) -> Field { fields[index] }

    /// `id bigint, item struct<sku:string>`
    public var description: String { fields.map { "\($0.name) \($0.type.name)" }.joined(separator: ", ") }
}
