/// A value that has been read by its field's type; keeps its place for rules that look at more than one field.
public struct CheckedValue: Sendable {
    /// A value as its field's type reads it.
    public enum Content: Sendable {
        case text(String)
        case secret(Secret)
        case integer(Int64)
        case number(Double)
        case bool(Bool)
        case duration(Duration)
        case bytes(Int64)
        /// Milliseconds since 1970-01-01 UTC.
        case instant(Int64)
        case list([CheckedValue])
        case map([CheckedEntry])
        case section(CheckedSection)
    }

    public var content: Content
    public var place: ConfigPlace
    public var path: String
    /// What was read, for text whose own lines and columns matter; nil for a secret, and for what is no scalar.
    public var scalar: ConfigScalar?

    public var text: String? { if case .text(let text) = content { text } else { nil } }
    public var secret: Secret? { if case .secret(let secret) = content { secret } else { nil } }
    public var integer: Int64? { if case .integer(let number) = content { number } else { nil } }
    public var bool: Bool? { if case .bool(let flag) = content { flag } else { nil } }
    public var duration: Duration? { if case .duration(let duration) = content { duration } else { nil } }
    public var bytes: Int64? { if case .bytes(let count) = content { count } else { nil } }
    public var instant: Int64? { if case .instant(let milliseconds) = content { milliseconds } else { nil } }
    public var list: [CheckedValue]? { if case .list(let elements) = content { elements } else { nil } }
    public var map: [CheckedEntry]? { if case .map(let entries) = content { entries } else { nil } }
    public var section: CheckedSection? { if case .section(let section) = content { section } else { nil } }

    public var number: Double? {
        switch content {
        case .number(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    /// An issue with the value, at its place.
    public func issue(_ message: String, severity: LintIssue.Severity = .error) -> LintIssue {
        LintIssue(severity, at: place, path: path, message)
    }
}

/// An entry of a map that has been checked: its key, as it was written, and its value.
public struct CheckedEntry: Sendable {
    public var key: String
    public var keyPlace: ConfigPlace
    public var value: CheckedValue

    /// An issue with the key itself.
    public func issue(_ message: String, severity: LintIssue.Severity = .error) -> LintIssue {
        LintIssue(severity, at: keyPlace, path: value.path, message)
    }
}

/// A section whose fields have been checked: those given and right, and the defaults of those left out.
public struct CheckedSection: Sendable {
    public var place: ConfigPlace
    public var path: String
    public var values: [String: CheckedValue]
    /// Every known key that was written, also where its value is wrong, with the key's place.
    public var given: [String: ConfigPlace]

    public init(
        place: ConfigPlace, path: String, values: [String: CheckedValue] = [:], given: [String: ConfigPlace] = [:]
    ) {
        self.place = place
        self.path = path
        self.values = values
        self.given = given
    }

    /// The value of a field; nil where it was left out without a default, or is wrong.
    public subscript(name: String) -> CheckedValue? { values[name] }

    /// Whether the key was written, rightly or wrongly.
    public func wasGiven(_ name: String) -> Bool { given[name] != nil }

    /// The text of a field; nil where it has none.
    public func text(_ name: String) -> String? { values[name]?.text }
    /// The secret of a field; nil where it has none.
    public func secret(_ name: String) -> Secret? { values[name]?.secret }
    /// The whole number of a field; nil where it has none.
    public func integer(_ name: String) -> Int64? { values[name]?.integer }
    /// The number of a field, whole or not; nil where it has none.
    public func number(_ name: String) -> Double? { values[name]?.number }
    /// The truth value of a field; nil where it has none.
    public func bool(_ name: String) -> Bool? { values[name]?.bool }
    /// The duration of a field; nil where it has none.
    public func duration(_ name: String) -> Duration? { values[name]?.duration }
    /// The size of a field in bytes; nil where it has none.
    public func bytes(_ name: String) -> Int64? { values[name]?.bytes }
    /// The instant of a field in milliseconds since 1970-01-01 UTC; nil where it has none.
    public func instant(_ name: String) -> Int64? { values[name]?.instant }
    /// The section of a field; nil where it has none.
    public func section(_ name: String) -> CheckedSection? { values[name]?.section }
    /// The texts of a list, without elements that are no text; nil where the field has no list.
    public func texts(_ name: String) -> [String]? { values[name]?.list?.compactMap(\.text) }

    /// The entries of a `settings` field, without duplicates by construction.
    public func settings(_ name: String) -> [String: SettingValue] {
        var result: [String: SettingValue] = [:]
        for entry in values[name]?.map ?? [] {
            if let text = entry.value.text { result[entry.key] = .text(text) }
            if let secret = entry.value.secret { result[entry.key] = .secret(secret) }
        }
        return result
    }

    /// An issue with the section as a whole.
    public func issue(_ message: String, severity: LintIssue.Severity = .error) -> LintIssue {
        LintIssue(severity, at: place, path: path, message)
    }

    /// An issue with a field: at its key where it was written, else at the section.
    public func issue(at name: String, _ message: String, severity: LintIssue.Severity = .error) -> LintIssue {
        LintIssue(severity, at: given[name] ?? place, path: path.isEmpty ? name : "\(path).\(name)", message)
    }
}
