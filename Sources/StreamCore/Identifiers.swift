// Newtypes for what must not be mixed up: names, counters and ids. No bare Int64 or String in a signature.

/// The stable name of a query (the *application id*): its group id, transactional ids and internal topics come from it.
public struct QueryName: Hashable, Sendable, Codable, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public var description: String { text }
}

/// The name of a Kafka topic, or of whatever a source calls a named sequence of records (a folder, a generator).
public struct TopicName: Hashable, Sendable, Codable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(stringLiteral text: String) { self.text = text }
    public var description: String { text }
    public static func < (a: TopicName, b: TopicName) -> Bool { a.text < b.text }
}

/// The number of a partition inside its topic.
public struct PartitionID: Hashable, Sendable, Codable, Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible
{
    public let number: Int32
    @inlinable public init(_ number: Int32) { self.number = number }
    @inlinable public init(integerLiteral number: Int32) { self.number = number }
    public var description: String { "\(number)" }
    @inlinable public static func < (a: PartitionID, b: PartitionID) -> Bool { a.number < b.number }
    /// "Let the partitioner choose."
    public static let unassigned = PartitionID(-1)
}

/// The place of one record in its split. Never a resume point: that is a `Position`.
public struct Offset: Hashable, Sendable, Codable, Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public let number: Int64
    @inlinable public init(_ number: Int64) { self.number = number }
    @inlinable public init(integerLiteral number: Int64) { self.number = number }
    public var description: String { "\(number)" }
    @inlinable public static func < (a: Offset, b: Offset) -> Bool { a.number < b.number }
    /// The position right behind this record.
    @inlinable public var next: Position { Position(number + 1) }
}

/// The *next to read* in a split: a Kafka offset, a byte in a file, a sequence number. Never "last processed".
public struct Position: Hashable, Sendable, Codable, Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public let number: Int64
    @inlinable public init(_ number: Int64) { self.number = number }
    @inlinable public init(integerLiteral number: Int64) { self.number = number }
    public var description: String { "\(number)" }
    @inlinable public static func < (a: Position, b: Position) -> Bool { a.number < b.number }
    /// How many offsets lie between this position and a later one; 0 if it is not later.
    @inlinable public func distance(to later: Position) -> Int64 { max(0, later.number - number) }
}

/// The number of an epoch: one micro-batch and its commit. Rises by one, is never reused for other data.
public struct Epoch: Hashable, Sendable, Codable, Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public let number: Int64
    @inlinable public init(_ number: Int64) { self.number = number }
    @inlinable public init(integerLiteral number: Int64) { self.number = number }
    public var description: String { "\(number)" }
    @inlinable public static func < (a: Epoch, b: Epoch) -> Bool { a.number < b.number }
    @inlinable public var next: Epoch { Epoch(number + 1) }
}

/// Counts the times a query went back to its committed progress in one run. What carries an older attempt is dropped
/// unseen.
public struct Attempt: Hashable, Sendable, Codable, Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public let number: Int32
    @inlinable public init(_ number: Int32) { self.number = number }
    @inlinable public init(integerLiteral number: Int32) { self.number = number }
    public var description: String { "\(number)" }
    @inlinable public static func < (a: Attempt, b: Attempt) -> Bool { a.number < b.number }
    @inlinable public var next: Attempt { Attempt(number + 1) }
}

/// An instant of event time: microseconds since 1970-01-01 00:00 UTC.
public struct EventTime: Hashable, Sendable, Codable, Comparable {
    public let microseconds: Int64
    @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }
    @inlinable public static func < (a: EventTime, b: EventTime) -> Bool { a.microseconds < b.microseconds }
}

/// The stable id of a stateful operator: its explicit name, else kind plus ordinal among the stateful operators.
public struct OperatorID: Hashable, Sendable, Codable, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public var description: String { text }
}

/// A hash partition of keyed state; the unit that moves between tasks and instances.
public struct ShardID: Hashable, Sendable, Codable, Comparable {
    public let number: Int32
    @inlinable public init(_ number: Int32) { self.number = number }
    @inlinable public static func < (a: ShardID, b: ShardID) -> Bool { a.number < b.number }
}
