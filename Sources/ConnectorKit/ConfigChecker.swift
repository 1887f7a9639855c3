/// Reads a configuration by its spec and collects every issue: unknown and missing fields, wrong types and ranges,
/// lints and rules. It goes as deep as the spec does, whatever the file holds.
public struct ConfigChecker {
    public private(set) var issues: [LintIssue] = []
    let environment: ConfigEnvironment
    private static let suggestionsMax = 1000

    public init(environment: ConfigEnvironment) { self.environment = environment }

    /// Adds an issue that was found elsewhere.
    public mutating func report(_ issue: LintIssue) { issues.append(issue) }
    /// Adds issues that were found elsewhere, in their order.
    public mutating func report(_ more: [LintIssue]) { issues += more }

    /// Checks a map of fields. Nil where it is no map; fields with errors are left out of the result.
    public mutating func section(_ value: ConfigValue, _ spec: SectionSpec, path: String) -> CheckedSection? {
        guard let entries = value.map else {
            report(LintIssue(at: value.place, path: path, "expected a map of fields, found \(value.phrase)"))
            return nil
        }
        var section = CheckedSection(place: value.place, path: path)
        var mistyped: [String: ConfigPlace] = [:]
        for entry in entries {
            let fieldPath = join(path, entry.key)
            guard let field = spec.field(entry.key) else {
                // Thousands of unknown keys are no typing mistakes: what it costs to look is bounded.
                let names = issues.count < Self.suggestionsMax ? spec.fields.map(\.name) : []
                let meant = Suggestion.nearest(to: entry.key, among: names)
                if let meant { mistyped[meant] = entry.keyPlace }
                let ending = meant.map { ", did you mean '\($0)'?" } ?? ""
                report(LintIssue(at: entry.keyPlace, path: fieldPath, "unknown field\(ending)"))
                continue
            }
            section.given[entry.key] = entry.keyPlace
            // An empty value is pointed at by its key: it has no place of its own.
            if entry.value.isNull {
                report(LintIssue(at: entry.keyPlace, path: fieldPath, "has no value: expected \(field.type.phrase)"))
            } else if let checked = self.value(entry.value, of: field, path: fieldPath) {
                section.values[entry.key] = checked
            }
        }
        // One mistake is one issue: a mistyped field is not missing as well.
        section.given.merge(mistyped) { given, _ in given }
        for field in spec.fields where !section.wasGiven(field.name) { fillIn(field, &section) }
        for rule in spec.rules { report(rule(section)) }
        return section
    }

    private mutating func fillIn(_ field: FieldSpec, _ section: inout CheckedSection) {
        if let text = field.defaultText {
            let written: ConfigValue =
                text == "{}" ? ConfigValue(.map([]), at: section.place) : .text(text, at: section.place)
            section.values[field.name] = value(written, of: field, path: join(section.path, field.name))
        } else if field.isRequired {
            var message = "required field '\(field.name)' is missing"
            if let example = field.example { message += ", for example '\(field.name): \(example)'" }
            report(LintIssue(at: section.place, path: section.path, message))
        }
    }

    private mutating func value(_ value: ConfigValue, of field: FieldSpec, path: String) -> CheckedValue? {
        guard let checked = check(value, field.type, path: path) else { return nil }
        let found = field.lint?(checked) ?? []
        report(found)
        return found.hasErrors ? nil : checked
    }

    /// Checks a value against a type; nil where it does not fit, which has then been reported.
    public mutating func check(_ value: ConfigValue, _ type: FieldType, path: String) -> CheckedValue? {
        func checked(_ content: CheckedValue.Content) -> CheckedValue {
            CheckedValue(content: content, place: value.place, path: path, scalar: value.scalar)
        }
        switch type {
        case .section(let spec):
            return section(value, spec, path: path).map { checked(.section($0)) }
        case .list(let element):
            guard let elements = value.list else { return refuse(value, type, path) }
            let results = elements.enumerated().map { check($1, element, path: "\(path)[\($0)]") }
            let whole = results.compactMap(\.self)
            return whole.count == results.count ? checked(.list(whole)) : nil
        case .map(_, let element):
            return entries(value, type, path) { checker, entry, path in checker.check(entry.value, element, path: path)
            }
            .map { checked(.map($0)) }
        case .settings(let isSecret):
            return entries(value, type, path) { checker, entry, path in
                // Any property may be read from a file; those that are secret by name are never shown.
                let isHidden = isSecret(entry.key) || entry.value.map != nil
                return checker.check(entry.value, isHidden ? .secret : .text, path: path)
            }.map { checked(.map($0)) }
        case .secret:
            // Keeps nothing of what was read: the text would be the secret.
            return secret(value, path: path).map {
                CheckedValue(content: .secret($0), place: value.place, path: path, scalar: nil)
            }
        case .oneOf(let types):
            guard let match = types.first(where: { fits(value, $0) }) else { return refuse(value, type, path) }
            return check(value, match, path: path)
        default:
            guard let scalar = value.scalar, let content = read(scalar, type) else { return refuse(value, type, path) }
            guard let complaint = rangeComplaint(content, type) else { return checked(content) }
            let found = scalar.text.isEmpty ? "" : ", found \(value.phrase)"
            report(LintIssue(at: value.place, path: path, complaint + found))
            return nil
        }
    }

    private mutating func entries(
        _ value: ConfigValue, _ type: FieldType, _ path: String,
        _ body: (inout ConfigChecker, ConfigEntry, String) -> CheckedValue?
    ) -> [CheckedEntry]? {
        guard let entries = value.map else {
            _ = refuse(value, type, path)
            return nil
        }
        var result: [CheckedEntry] = []
        for entry in entries {
            guard !entry.value.isNull else {
                report(LintIssue(at: entry.keyPlace, path: join(path, entry.key), "has no value"))
                continue
            }
            guard let checked = body(&self, entry, join(path, entry.key)) else { continue }
            result.append(CheckedEntry(key: entry.key, keyPlace: entry.keyPlace, value: checked))
        }
        return result.count == entries.count ? result : nil
    }

    private mutating func refuse(_ value: ConfigValue, _ type: FieldType, _ path: String) -> CheckedValue? {
        var message = "expected \(type.phrase), found \(value.phrase)"
        if let scalar = value.scalar { message += Suggestion.ending(for: scalar.written, among: type.words) }
        report(LintIssue(at: value.place, path: path, message))
        return nil
    }

    /// Keys that are not plain words are quoted and cut: a path is one line of a terminal.
    private func join(_ path: String, _ key: String) -> String {
        let isPlain = key.utf8.count <= 80 && key.unicodeScalars.allSatisfy { $0.value > 32 && $0.value < 127 }
        let word = isPlain ? key : quoted(key)
        return path.isEmpty ? word : "\(path).\(word)"
    }
}
