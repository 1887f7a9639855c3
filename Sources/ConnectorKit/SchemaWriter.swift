/// A JSON schema (2020-12) made from specs, for editors that complete and check YAML. Lints that look at more than
/// one field are not in it: `millrace lint` has the last word.
public enum SchemaWriter {
    /// The whole schema of a file whose root is this section.
    public static func document(_ section: SectionSpec, title: String) -> JSONText {
        guard case .object(let members) = schema(section) else { return .null }
        return .object(
            [
                JSONText.Member("$schema", "https://json-schema.org/draft/2020-12/schema"),
                JSONText.Member("title", .string(title)),
            ] + members)
    }

    private static func schema(_ section: SectionSpec) -> JSONText {
        let required = section.fields.filter(\.isRequired).map { JSONText.string($0.name) }
        var members: [JSONText.Member] = [
            .init("type", "object"),
            .init("properties", .object(section.fields.map { .init($0.name, schema($0)) })),
        ]
        if !required.isEmpty { members.append(.init("required", .array(required))) }
        return .object(members + [.init("additionalProperties", false)])
    }

    private static func schema(_ field: FieldSpec) -> JSONText {
        guard case .object(var members) = schema(field.type) else { return .null }
        members.append(.init("description", .string(field.doc)))
        if let text = field.defaultText, text != "{}" { members.append(.init("default", .string(text))) }
        return .object(members)
    }

    /// A variable may stand for any scalar, so every scalar may also be text with `${NAME}`.
    private static let variable: JSONText = ["type": "string", "pattern": #"\$\{"#]

    private static func schema(_ type: FieldType) -> JSONText {
        switch type {
        case .text, .block, .column: ["type": ["string", "number", "boolean"]]
        case .secret: ["anyOf": [["type": "string"], reference("file"), reference("credential")]]
        case .integer(let range):
            anyOf(["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)])
        case .number(let range):
            anyOf(["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)])
        case .bool: anyOf(["type": "boolean"])
        case .duration: anyOf(["type": "string", "pattern": #"^[0-9]+(\.[0-9]+)? ?(ns|us|ms|s|m|h|d)$"#])
        case .bytes:
            anyOf(["type": ["string", "integer"], "pattern": #"^[0-9]+(\.[0-9]+)? ?([KkMmGgTt]?[Ii]?[Bb]?)$"#])
        case .instant: anyOf(["type": ["string", "integer"]])
        case .choice(let words): anyOf(["enum": .array(words.map { .string($0) })])
        case .list(let element): ["type": "array", "items": schema(element)]
        case .map(_, let value): ["type": "object", "additionalProperties": schema(value)]
        case .settings:
            ["type": "object", "additionalProperties": ["type": ["string", "number", "boolean", "object"]]]
        case .section(let section): schema(section)
        case .oneOf(let types): ["anyOf": .array(types.map(schema))]
        }
    }

    private static func anyOf(_ schema: JSONText) -> JSONText { ["anyOf": [schema, variable]] }

    private static func reference(_ name: String) -> JSONText {
        [
            "type": "object", "properties": .object([.init(name, ["type": "string"])]), "required": [.string(name)],
            "additionalProperties": false,
        ]
    }
}
