/// The error of every module edge: what could not be done, to which object, why, and what to do.
///
/// Code decides control flow, text is for people: equality looks at the code alone, and nobody matches text.
/// A message never holds a payload, a key or a secret.
public struct StreamError: Error, Sendable, CustomStringConvertible {
    public var code: Code
    public var domain: Domain
    public var recovery: Recovery
    /// One or two sentences: "Could not commit epoch 41 of 'orders': the producer was fenced. Another instance owns
    /// 'orders-7'."
    public var message: String
    /// What the user can do next; empty where the message says it.
    public var remedy: String
    public var place: Place
    public var cause: (any Error)?

    public init(
        _ code: Code, _ message: String, remedy: String = "", domain: Domain = .internal, recovery: Recovery = .stop,
        place: Place = Place(), cause: (any Error)? = nil
    ) {
        self.code = code
        self.domain = domain
        self.recovery = recovery
        self.message = message
        self.remedy = remedy
        self.place = place
        self.cause = cause
    }

    public var description: String {
        var text = place.isEmpty ? "" : "\(place): "
        text += "[\(code.name)] \(message)"
        if !remedy.isEmpty { text += " \(remedy)" }
        return text
    }

    /// A stable name in capitals with underscores, as Spark's error classes are.
    public struct Code: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
        public let name: String
        public init(_ name: String) { self.name = name }
        public init(stringLiteral name: String) { self.name = name }
        public var description: String { name }
    }

    /// Whose the mistake is.
    public enum Domain: String, Sendable, Codable { case user, external, `internal` }

    /// What the engine does about it. Set where the error is made; unclassified means `stop`.
    public enum Recovery: Hashable, Sendable {
        /// Passing: the same call may succeed later.
        case retry
        /// Drop the open epoch, rebuild the producer, read the committed progress, go on.
        case abortEpoch
        /// Membership was lost: rejoin the group, then go on.
        case rejoin
        case stop
    }

    /// Where: a record, or a spot in a configuration. Everything optional.
    public struct Place: Hashable, Sendable, CustomStringConvertible {
        public var file: String?
        public var line: Int?
        public var column: Int?
        public var split: Split?
        public var offset: Offset?

        public init(
            file: String? = nil, line: Int? = nil, column: Int? = nil, split: Split? = nil, offset: Offset? = nil
        ) {
            self.file = file
            self.line = line
            self.column = column
            self.split = split
            self.offset = offset
        }

        public var isEmpty: Bool { self == Place() }

        public var description: String {
            var parts: [String] = []
            if let file { parts.append(file) }
            if let line { parts.append("\(line)") }
            if let column { parts.append("\(column)") }
            var text = parts.joined(separator: ":")
            if let split {
                if !text.isEmpty { text += " " }
                text += "topic \(split.topic) partition \(split.partition)"
                if let offset { text += " offset \(offset)" }
            }
            return text
        }
    }
}

extension StreamError: Equatable {
    public static func == (a: StreamError, b: StreamError) -> Bool { a.code == b.code }
}

/// What is wrong with one row of a record batch; the error policy (fail, skip, dead-letter) decides about its record.
public struct RowFault: Hashable, Sendable, CustomStringConvertible {
    /// The row, counted in the batch before any selection.
    public var row: Int32
    public var code: StreamError.Code
    /// Says what is wrong without quoting the record.
    public var message: String

    public init(row: Int32, code: StreamError.Code, message: String) {
        self.row = row
        self.code = code
        self.message = message
    }

    public var description: String { "row \(row): [\(code)] \(message)" }
}
