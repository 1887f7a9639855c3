internal import ConnectorKit

/// Fills `${NAME}` and `${NAME:-default}` into scalars, after YAML was parsed: a variable's value is text, never
/// structure.
///
/// `${NAME}` is the variable, else the content of the file that `NAME_FILE` names; the default stands in where there is
/// neither, or nothing in it. `$${` is a plain `${`. A `$` before anything else is itself.
struct VariableFiller {
    private static let bytesMax = 4 << 20

    private(set) var issues: [LintIssue] = []
    private let environment: ConfigEnvironment
    private var bytesLeft = Self.bytesMax

    init(environment: ConfigEnvironment) { self.environment = environment }

    /// The text with its variables filled in; problems are collected, and the variable left out.
    mutating func filled(_ text: String, at place: ConfigPlace) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    report("'${' without '}'; write '$${' for the two characters themselves", place)
                    return result + rest
                }
                result += value(of: rest[..<end].dropFirst(2), at: place)
                rest = rest[end...].dropFirst()
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    private mutating func value(of reference: Substring, at place: ConfigPlace) -> String {
        let name = reference.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let rest = reference.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, rest.isEmpty || rest.hasPrefix(":-") else {
            report(
                "'${' without a variable's name: write ${NAME}, ${NAME:-default}, or '$${' for the two characters "
                    + "themselves",
                place)
            return ""
        }
        let fallback = rest.isEmpty ? nil : String(rest.dropFirst(2))
        do {
            let value = try environment.variable(String(name))
            guard let text = value.flatMap({ $0.isEmpty ? fallback : $0 }) ?? value ?? fallback else {
                report("the environment variable \(name) is not set; '${\(name):-…}' would give it a default", place)
                return ""
            }
            bytesLeft -= text.utf8.count
            guard bytesLeft >= 0 else {
                report("variables fill in more than \(Self.bytesMax >> 20) MiB", place)
                return ""
            }
            return text
        } catch {
            report("the file named by \(name)_FILE \(error)", place)
            return ""
        }
    }

    private mutating func report(_ message: String, _ place: ConfigPlace) {
        issues.append(LintIssue(at: place, path: "", message))
    }
}
