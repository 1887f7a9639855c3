public import StreamCore

/// The progress of an owned query: the newest record of its compacted `<query>-progress` topic, written in the epoch's
/// own transaction (or, as a plan, in one before it).
public struct ProgressRecord: Sendable, Hashable, Codable {
    /// How far the record's epoch has come.
    public enum Phase: String, Sendable, Codable {
        /// The epoch's ranges are fixed; a repeat must use them unchanged. Its effects may or may not have happened
        /// outside.
        case planned
        case committed
    }

    /// Of the layout, so that a later version can read an older record.
    public var version = 1
    public var phase: Phase
    public var epoch: Epoch
    public var ranges: [SplitRange]
    /// Every split's next position once the epoch is committed.
    public var positions: [SplitPosition]
    /// Milliseconds since 1970-01-01 UTC: the time the whole epoch sees.
    public var batchTimeMs: Int64
    /// With a fixed trigger, the time before the query's first batch: windows slide from there (Spark's zero time). nil
    /// in records of other queries and of versions without it.
    public var startTimeMs: Int64?
    /// Microseconds of event time by operator; empty without watermarks.
    public var watermarks: [String: Int64] = [:]
    /// Changelog ends, as `topic-partition` -> next position; empty so far.
    public var changelogEnds: [String: Int64] = [:]
    /// The topics that the query's state is in; nil in records of versions without it. One that is missing later is
    /// lost state, and one that is not named here is that of a new operator.
    public var changelogs: [TopicName]?
    /// The transactional id that wrote the record; nil in records of versions without it, and without transactions.
    /// Who takes over ends what that one may have left open.
    public var writer: String?

    public init(phase: Phase, epoch: Epoch, ranges: [SplitRange], positions: [SplitPosition], batchTimeMs: Int64) {
        self.phase = phase
        self.epoch = epoch
        self.ranges = ranges
        self.positions = positions
        self.batchTimeMs = batchTimeMs
    }
}

extension ProgressRecord {
    /// Where reading goes on: behind a committed epoch, at the beginning of one that is only planned.
    public var resumePositions: [Split: Position] {
        var result: [Split: Position] = [:]
        for entry in positions { result[entry.split] = entry.position }
        if phase == .planned {
            for range in ranges { result[range.split] = range.from }
        }
        return result
    }
}

/// A split and its next position: what a dictionary of positions is in JSON, where keys are text.
public struct SplitPosition: Sendable, Hashable, Codable {
    public var split: Split
    public var position: Position

    public init(_ split: Split, _ position: Position) {
        self.split = split
        self.position = position
    }
}
