/// The unit a source is divided in: a Kafka partition, a file, a generator's lane.
public struct Split: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let topic: TopicName
    public let partition: PartitionID

    @inlinable
    public init(_ topic: TopicName, _ partition: PartitionID) {
        self.topic = topic
        self.partition = partition
    }

    public var description: String { "\(topic)-\(partition)" }

    public static func < (a: Split, b: Split) -> Bool {
        (a.topic, a.partition) < (b.topic, b.partition)
    }
}

/// A half-open range of a split that one epoch covers: `from` is read, `to` is not.
public struct SplitRange: Hashable, Sendable, Codable {
    public var split: Split
    public var from: Position
    public var to: Position

    public init(_ split: Split, from: Position, to: Position) {
        self.split = split
        self.from = from
        self.to = to
    }

    /// Offsets covered; more than the records read where there are transaction markers, aborted or compacted records.
    public var length: Int64 { from.distance(to: to) }
}

/// Where a query begins in a split for which there is no progress.
public enum StartPosition: Hashable, Sendable, Codable {
    case earliest
    case latest
    /// The first record at or after this instant (milliseconds since 1970-01-01 UTC), else the end.
    case timestamp(milliseconds: Int64)
    case position(Position)
}
