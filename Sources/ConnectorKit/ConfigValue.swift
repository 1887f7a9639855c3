/// A node of a configuration with its place: what a parser gives, and what a `ConfigSpec` is checked against.
///
/// No types are guessed here: a scalar is text until a field's declared type reads it, so `yes`, `1e3` and `0x10`
/// never turn into something that nobody meant.
public struct ConfigValue: Sendable {
    /// What a node holds; scalars are not typed yet.
    public enum Content: Sendable {
        /// `~`, `null` or nothing at all.
        case null
        case scalar(ConfigScalar)
        case list([ConfigValue])
        /// In the order of the file; keys are unique.
        case map([ConfigEntry])
    }

    public var content: Content
    public var place: ConfigPlace

    public init(_ content: Content, at place: ConfigPlace) {
        self.content = content
        self.place = place
    }

    /// A scalar as code writes it: defaults, tests.
    public static func text(_ text: String, at place: ConfigPlace) -> ConfigValue {
        ConfigValue(.scalar(ConfigScalar(text)), at: place)
    }

    public var scalar: ConfigScalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
    public var list: [ConfigValue]? { if case .list(let elements) = content { elements } else { nil } }
    public var map: [ConfigEntry]? { if case .map(let entries) = content { entries } else { nil } }
    public var isNull: Bool { if case .null = content { true } else { false } }

    /// The value of a key of a map.
    public subscript(key: String) -> ConfigValue? { map?.first { $0.key == key }?.value }

    /// What it is, for messages: `a list`, `'abc'`. Long and unprintable text is cut and escaped.
    public var phrase: String {
        switch content {
        case .null: "nothing"
        case .scalar(let scalar): quoted(scalar.written)
        case .list: "a list"
        case .map: "a map"
        }
    }
}

/// A key and its value; the place of the value is not that of the key.
public struct ConfigEntry: Sendable {
    public var key: String
    public var keyPlace: ConfigPlace
    public var value: ConfigValue

    public init(_ key: String, at keyPlace: ConfigPlace, _ value: ConfigValue) {
        self.key = key
        self.keyPlace = keyPlace
        self.value = value
    }
}

/// The text of a scalar.
public struct ConfigScalar: Sendable {
    /// With the environment's variables filled in. May be a secret: goes into no message.
    public var text: String
    /// As it stands in the file, `${NAME}` included: this is what messages quote.
    public var written: String
    /// Where the lines of a block (`|`) or one-line scalar begin in the file; nil where lines cannot be told (folded
    /// text).
    public var firstLine: ConfigPlace?

    public init(_ text: String, written: String? = nil, firstLine: ConfigPlace? = nil) {
        self.text = text
        self.written = written ?? text
        self.firstLine = firstLine
    }

    /// Whether a variable was filled in.
    public var isSubstituted: Bool { text != written }
}

/// Text in quotes for a message: control characters are escaped (nothing from a file drives a terminal), long text is
/// cut.
public func quoted(_ text: String, limit: Int = 60) -> String {
    var result = "'"
    for scalar in text.unicodeScalars.prefix(limit) {
        switch scalar.value {
        case 10: result += "\\n"
        case 9: result += "\\t"
        case 0..<32, 127..<160, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069:
            result += "\\u{" + String(scalar.value, radix: 16) + "}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    if text.unicodeScalars.dropFirst(limit).first != nil { result += "…" }
    return result + "'"
}
