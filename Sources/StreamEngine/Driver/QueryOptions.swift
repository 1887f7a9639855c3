public import CommitProtocol
public import StreamCore

/// How a query is run. Everything that a user may set, with the defaults.
public struct QueryOptions: Sendable {
    /// When epochs begin, and when the query ends.
    public enum Trigger: Sendable, Hashable {
        /// As soon as there is something, as long epochs as the load asks for.
        case asap
        /// On a grid of multiples of the interval since 1970 (Spark's rule); an overrun is followed at once by the
        /// next.
        case interval(Duration)
        /// Everything that is there at the start, then end.
        case once
        /// The same in epochs of limited size.
        case availableNow
    }

    public var name: QueryName
    public var guarantee = Guarantee.exactlyOnce
    public var trigger = Trigger.asap
    /// The query has an owner and progress records (shuffle, state, a source or sink that is not Kafka, user output
    /// code).
    public var isOwned = false
    /// Run an epoch at each interval even without records (DStreams: a count of 0 is a result).
    public var runsEmptyEpochs = false
    /// Leave no interval out (Spark's rule for DStreams): what was missed while the query was stopped or a batch
    /// overran is caught up, one epoch an interval. For windows, whose panes are the batches.
    public var runsEveryInterval = false
    public var defaultStart = StartPosition.latest
    public var starts: [TopicName: StartPosition] = [:]
    public var partitionStarts: [Split: StartPosition] = [:]
    /// Records were deleted before they were read: go on with the first that is left instead of stopping.
    public var continuesOnDataLoss = false
    /// At most about so many offsets in an epoch, over all splits, shared by backlog; nil: no limit.
    public var offsetsPerTriggerMax: Int64?
    /// At most so many records a second from each split, with a fixed trigger; nil: no limit.
    public var ratePerSplitMax: Double?
    /// With a fixed trigger, reads no faster than batches are processed (Spark's backpressure); nil: as fast as can be.
    public var backpressure: BackpressureSettings?
    public var memoryBytes = 256 << 20
    /// How old a record may get inside the engine while the query keeps up with its input.
    public var latencyTarget = Duration.milliseconds(20)
    /// How long the writer rests between a commit and the next transaction.
    public var commitPause = Duration.zero
    /// Tasks per stage; nil: cores less one, at least one.
    public var taskCount: Int?
    /// Faulty records (skipped or dead-lettered) after which the query stops; nil: no ceiling.
    public var faultCeiling: Int?
    /// How long the open epoch may take to commit when the group wants splits back.
    public var rebalanceDrain = Duration.seconds(5)

    /// For tests alone.
    package var breakages: ProtocolBreakage = []

    public init(name: QueryName) { self.name = name }
}
