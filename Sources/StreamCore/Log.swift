/// Where log lines go: a terminal, the journal, a host program's own logger, a test.
public protocol LogHandler: Sendable {
    func log(_ level: LogLevel, _ message: String, _ fields: [LogField])
}

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
    public func debug(_ message: String, _ fields: LogField...) { log(.debug, message, fields) }
    public func info(_ message: String, _ fields: LogField...) { log(.info, message, fields) }
    public func notice(_ message: String, _ fields: LogField...) { log(.notice, message, fields) }
    public func warning(_ message: String, _ fields: LogField...) { log(.warning, message, fields) }
    public func error(_ message: String, _ fields: LogField...) { log(.error, message, fields) }
}

/// Drops every line.
public struct NullLog: LogHandler {
    public init() {}
    public func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) {}
}
