/// A field of a configuration, declared once: parsing, lint, defaults, docs and the JSON schema all come from here.
public struct FieldSpec: Sendable {
    /// Looks at a value that has the right type; gives what is wrong with it.
    public typealias Lint = @Sendable (CheckedValue) -> [LintIssue]

    public var name: String
    public var type: FieldType
    /// One to three sentences of markdown, with units and the effect.
    public var doc: String
    /// As a user would write it (`20ms`); `{}` for a section that is there even when it is left out.
    public var defaultText: String?
    public var example: String?
    public var isRequired: Bool
    public var lint: Lint?

    public init(
        _ name: String, _ type: FieldType, doc: String, default defaultText: String? = nil, example: String? = nil,
        required isRequired: Bool = false, lint: Lint? = nil
    ) {
        self.name = name
        self.type = type
        self.doc = doc
        self.defaultText = defaultText
        self.example = example
        self.isRequired = isRequired
        self.lint = lint
    }

    public var isSecret: Bool { if case .secret = type { true } else { false } }
}

extension FieldSpec {
    /// A lint of text, or of every text in a list: `check` gives what is wrong, or nil.
    public static func texts(_ check: @escaping @Sendable (String) -> String?) -> Lint {
        { value in
            if let text = value.text { return check(text).map { [value.issue($0)] } ?? [] }
            return (value.list ?? []).flatMap { element in
                element.text.flatMap(check).map { [element.issue($0)] } ?? []
            }
        }
    }
}

/// Fields that belong together, and what must hold between them.
public struct SectionSpec: Sendable {
    /// Looks at a section whose fields are checked one by one (those with errors are missing).
    public typealias Rule = @Sendable (CheckedSection) -> [LintIssue]

    public var fields: [FieldSpec]
    public var rules: [Rule]

    public init(_ fields: [FieldSpec], rules: [Rule] = []) {
        self.fields = fields
        self.rules = rules
    }

    /// The field of this exact name, if there is one.
    public func field(_ name: String) -> FieldSpec? { fields.first { $0.name == name } }
}

extension SectionSpec {
    /// One of these fields, and only one.
    public static func exactlyOne(of names: [String], what: String) -> Rule {
        { section in
            let given = names.filter(section.wasGiven)
            let words = names.map { "'\($0)'" }.joined(separator: " or ")
            if given.isEmpty { return [section.issue("\(what) is missing: give \(words)")] }
            // The first is taken as meant; the others are pointed at.
            return given.dropFirst().map { name in
                section.issue(at: name, "cannot stand beside '\(given[0])': give \(words), not both")
            }
        }
    }
}
