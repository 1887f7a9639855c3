/// Where log lines go: a terminal, the journal, a host program's own logger, a test.
public protocol LogHandler: Sendable {
    func log(_ level: LogLevel, _ message: String, _ fields: [LogField])
}

/// How much a line matters, from the least to the most.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, notice, warning, error
    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// A name and a value beside a log line's text. Never a secret, never a record's content.
public struct LogField: Sendable {
    public let name: String
    public let value: String
    public init(_ name: String, _ value: some CustomStringConvertible & Sendable) {
        self.name = name
        self.value = value.description
    }
}

extension LogHandler {
    /// Logs what helps to follow the program's own work.
    public func debug(_ message: String, _ fields: LogField...) { log(.debug, message, fields) }
    /// Logs what happens in normal work.
    public func info(_ message: String, _ fields: LogField...) { log(.info, message, fields) }
    /// Logs what a person who runs the program wants to know.
    public func notice(_ message: String, _ fields: LogField...) { log(.notice, message, fields) }
    /// Logs what went wrong and mends itself, or may be meant.
    public func warning(_ message: String, _ fields: LogField...) { log(.warning, message, fields) }
    /// Logs what went wrong and needs a person.
    public func error(_ message: String, _ fields: LogField...) { log(.error, message, fields) }
}

/// Drops every line.
public struct NullLog: LogHandler {
    public init() {}
    public func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) {}
}
