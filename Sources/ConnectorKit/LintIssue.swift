public import StreamCore

/// A spot in a configuration file; lines and columns count from 1, columns in characters.
public struct ConfigPlace: Hashable, Sendable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int

    public init(file: String, line: Int = 1, column: Int = 1) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `pipeline.yaml:14:5`, as editors and terminals link it.
    public var description: String { "\(file):\(line):\(column)" }

    /// The same spot for an error of the engine.
    public var errorPlace: StreamError.Place { StreamError.Place(file: file, line: line, column: column) }
}

/// Something wrong or doubtful in a configuration: where, at which key, and what to do about it.
///
/// Issues are collected, never thrown one at a time, so that one run of `millrace lint` shows them all.
/// A message never holds a secret or the value of an environment variable.
public struct LintIssue: Hashable, Sendable, CustomStringConvertible {
    /// Whether an issue keeps the pipeline from running.
    public enum Severity: String, Sendable, CaseIterable {
        /// The pipeline is refused.
        case error
        /// The pipeline runs.
        case warning
    }

    public var severity: Severity
    public var place: ConfigPlace
    /// The way to the key, such as `sinks.out.kafka.topic`; empty for the file itself.
    public var path: String
    public var message: String

    public init(_ severity: Severity = .error, at place: ConfigPlace, path: String, _ message: String) {
        self.severity = severity
        self.place = place
        self.path = path
        self.message = message
    }

    /// `pipeline.yaml:14:5: sinks.out.kafka.topik: unknown field, did you mean 'topic'?`
    public var description: String {
        var text = "\(place): "
        if severity == .warning { text += "warning: " }
        if !path.isEmpty { text += "\(path): " }
        return text + message
    }
}

extension [LintIssue] {
    public var hasErrors: Bool { contains { $0.severity == .error } }

    /// In the order of the file; issues of one place stay in the order they were found.
    public func inFileOrder() -> [LintIssue] {
        enumerated().sorted { a, b in
            let (x, y) = (a.element.place, b.element.place)
            return (x.line, x.column, a.offset) < (y.line, y.column, b.offset)
        }.map(\.element)
    }
}

/// A configuration that cannot be used: every issue that was found, errors and warnings.
public struct ConfigErrors: Error, Sendable, CustomStringConvertible {
    public var issues: [LintIssue]
    public init(_ issues: [LintIssue]) { self.issues = issues }
    public var description: String { issues.map(\.description).joined(separator: "\n") }
}
