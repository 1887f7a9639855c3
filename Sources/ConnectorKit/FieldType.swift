/// What a field of a configuration may hold. The type reads the text, so quoting in YAML makes no difference.
public indirect enum FieldType: Sendable {
    case text
    /// Long text with lines of its own, such as SQL.
    case block
    /// Text that is never shown: literal, `${NAME}`, `{ file: … }` or `{ credential: … }`.
    case secret
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case bool
    case duration(ClosedRange<Duration>)
    case bytes(ClosedRange<Int64>)
    /// An instant: RFC 3339 or milliseconds since 1970.
    case instant
    case choice([String])
    /// The name of a column of the query's result; checked once the query is.
    case column
    case list(FieldType)
    /// Free keys, called `key` in the docs, each with a value of one type.
    case map(key: String, FieldType)
    /// Free keys with scalar values that are passed on; those that `isSecret` names are secrets.
    case settings(isSecret: @Sendable (String) -> Bool)
    case section(SectionSpec)
    /// The first alternative whose shape fits.
    case oneOf([FieldType])

    public static var anyInteger: FieldType { .integer(.min ... .max) }
    public static var anyDuration: FieldType { .duration(.zero ... .seconds(365 * 86400)) }

    /// How docs call it.
    public var name: String {
        switch self {
        case .text, .block: "text"
        case .secret: "secret"
        case .integer: "integer"
        case .number: "number"
        case .bool: "true or false"
        case .duration: "duration"
        case .bytes: "size"
        case .instant: "timestamp"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .column: "column"
        case .list(let element): "list of \(element.name)"
        case .map(let key, let value): "map of \(key) to \(value.name)"
        case .settings: "map of property to text"
        case .section: "section"
        case .oneOf(let types): types.map(\.name).joined(separator: ", or ")
        }
    }

    /// How messages ask for it, behind "expected".
    public var phrase: String {
        switch self {
        case .text, .block: "text"
        case .secret: "text, { file: PATH } or { credential: NAME }"
        case .integer: "an integer"
        case .number: "a number"
        case .bool: "true or false"
        case .duration: "a duration such as 500ms, 20s or 5m"
        case .bytes: "a size such as 64KB, 256MB or 1GB"
        case .instant: "a timestamp such as 2026-01-31T12:00:00Z"
        case .choice(let words): Self.enumeration(words)
        case .column: "the name of a column"
        case .list(let element): "a list such as \(element.listExample)"
        case .map(let key, _): "a map of \(key)s"
        case .settings: "a map of properties"
        case .section: "a map of fields"
        case .oneOf(let types): Self.enumeration(types.map(\.phrase))
        }
    }

    private var listExample: String {
        switch self {
        case .section, .map: "[{ … }]"
        default: "[a, b]"
        }
    }

    private static func enumeration(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
