extension ConfigChecker {
    /// Reads a scalar as the type says; nil where it does not fit. Ranges are looked at apart, for their own message.
    func read(_ scalar: ConfigScalar, _ type: FieldType) -> CheckedValue.Content? {
        let text = scalar.text
        switch type {
        case .text, .block, .column: return .text(text)
        case .integer: return integer(text).map { .integer($0) }
        case .number:
            guard let number = Double(text), number.isFinite, text.utf8.allSatisfy(Self.isNumeric) else { return nil }
            return .number(number)
        case .bool:
            switch text {
            case "true", "True", "TRUE": return .bool(true)
            case "false", "False", "FALSE": return .bool(false)
            default: return nil
            }
        case .duration: return Units.duration(text).map { .duration($0) }
        case .bytes: return Units.bytes(text).map { .bytes($0) }
        case .instant: return Instant.milliseconds(text).map { .instant($0) }
        case .choice(let words): return words.contains(text) ? .text(text) : nil
        case .secret, .list, .map, .settings, .section, .oneOf: return nil
        }
    }

    /// YAML's core schema without its octal and hexadecimal forms; underscores between digits are no digits.
    private func integer(_ text: String) -> Int64? {
        text.utf8.allSatisfy { Self.isNumeric($0) && $0 != UInt8(ascii: ".") } ? Int64(text) : nil
    }

    private static func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// What a range that is left asks for, as the start of a message.
    func rangeComplaint(_ content: CheckedValue.Content, _ type: FieldType) -> String? {
        switch (content, type) {
        case (.integer(let number), .integer(let range)) where !range.contains(number):
            if range.upperBound == .max { return "must be at least \(range.lowerBound)" }
            return "must be between \(range.lowerBound) and \(range.upperBound)"
        case (.number(let number), .number(let range)) where !range.contains(number):
            return "must be between \(range.lowerBound) and \(range.upperBound)"
        case (.duration(let duration), .duration(let range)) where !range.contains(duration):
            return "must be between \(Units.text(range.lowerBound)) and \(Units.text(range.upperBound))"
        case (.bytes(let count), .bytes(let range)) where !range.contains(count):
            if range.upperBound == .max { return "must be at least \(Units.text(bytes: range.lowerBound))" }
            return "must be between \(Units.text(bytes: range.lowerBound)) and \(Units.text(bytes: range.upperBound))"
        case (.text(""), .text), (.text(""), .column):
            return "must not be empty"
        default: return nil
        }
    }

    /// Whether a value has the shape of a type: how `oneOf` chooses before anything is reported.
    func fits(_ value: ConfigValue, _ type: FieldType) -> Bool {
        switch type {
        case .list: value.list != nil
        case .map, .settings, .section: value.map != nil
        case .secret: value.scalar != nil || value.map != nil
        case .oneOf(let types): types.contains { fits(value, $0) }
        default: value.scalar.map { read($0, type) != nil } ?? false
        }
    }

    // MARK: - Secrets

    /// A secret: literal, or where to read it. No message shows it, nor what stands where it should be.
    mutating func secret(_ value: ConfigValue, path: String) -> Secret? {
        func issue(_ message: String, _ severity: LintIssue.Severity = .error) -> LintIssue {
            LintIssue(severity, at: value.place, path: path, message)
        }
        if let scalar = value.scalar {
            if !scalar.isSubstituted {
                report(
                    issue("a secret stands in the file: use ${NAME}, { file: PATH } or { credential: NAME }", .warning))
            }
            return Secret(scalar.text)
        }
        guard let entries = value.map, entries.count == 1, let reference = entries.first,
            ["file", "credential"].contains(reference.key), let text = reference.value.scalar?.text, !text.isEmpty
        else {
            report(issue("expected text, { file: PATH } or { credential: NAME }"))
            return nil
        }
        var file = text
        if reference.key == "credential" {
            guard let folder = environment.credentialsFolder else {
                report(issue("CREDENTIALS_DIRECTORY is not set: credentials come from systemd's LoadCredential="))
                return nil
            }
            guard !text.contains("/"), text != "..", text != "." else {
                report(issue("the name of a credential has no '/'"))
                return nil
            }
            file = "\(folder)/\(text)"
        }
        do {
            return Secret(try environment.text(ofFile: file))
        } catch {
            report(issue("the secret's file \(quoted(file)) \(error)"))
            return nil
        }
    }
}

extension FieldType {
    /// Words that may stand there, for suggestions.
    var words: [String] {
        switch self {
        case .choice(let words): words
        case .bool: ["true", "false"]
        case .oneOf(let types): types.flatMap(\.words)
        default: []
        }
    }
}
