public import CommitProtocol
public import StreamCore
public import StreamEngine

/// How a streaming context runs, beside its name, its interval and its cluster. Everything has a default.
public struct StreamingOptions: Sendable {
    public var guarantee = Guarantee.exactlyOnce
    /// Where partitions without progress begin.
    public var start = StartPosition.latest
    /// The same for single topics; wins.
    public var starts: [TopicName: StartPosition] = [:]
    /// Holds the instance's identity, so that a restart has its partitions back at once. nil: `MILLRACE_STATE_DIR`;
    /// without that, too, the identity lasts as long as the process, and recovery waits for the broker's time-outs.
    public var stateFolder: String?
    /// Where the state of stateful operators is while the query runs; its changelogs are in Kafka either way.
    public var stateBackend = StateBackend.disk
    /// What a record does that cannot be computed or written.
    public var errors = ErrorPolicy.fail
    /// Faulty records (skipped or dead-lettered) after which the query stops; nil: no ceiling.
    public var errorCeiling: Int?
    /// Records were deleted before they were read: go on with what is left instead of stopping.
    public var continuesOnDataLoss = false
    /// At most about so many offsets in a batch, over all partitions, shared by backlog; nil: no limit.
    public var offsetsPerBatchMax: Int64?
    /// At most so many records a second from each partition (Spark's `kafka.maxRatePerPartition`); nil: no limit.
    public var ratePerPartitionMax: Double?
    /// Reads no faster than batches are processed (Spark's `backpressure.enabled`); nil: as fast as can be.
    public var backpressure: BackpressureSettings?
    /// Whether `KafkaRecord.headers` are read. Without, reading takes a fifth less time; dead letters keep them anyway.
    public var readsHeaders = true
    /// Memory of the query, in bytes: for records and outputs on their way, what Kafka's client has fetched ahead or
    /// has yet to send, and, with `stateBackend` `disk`, state. (State in memory alone comes on top.)
    public var memoryBytes = 256 << 20
    /// Create output topics that are missing, and the query's own two (`<query>-control`, `<query>-progress`).
    public var createsTopics = true
    /// Tasks of each stage; nil: cores less one, at least one.
    public var taskCount: Int?
    /// So many outputs of a batch that run code (`foreachBatch`, `print`, `saveAsTextFiles`) run at once, on threads of
    /// their own: for outputs that wait for something. 1: each waits for the one before (Spark's default, too). Batches
    /// never overlap.
    public var concurrentOutputsMax = 1
    /// How far back a folder is looked at for new files: Spark's `fileStream.minRememberDuration`.
    public var filesRemembered = Duration.seconds(60)
    /// Sources that are not Kafka may do without a state folder where the progress is in Kafka: what is on its way when
    /// the process dies is lost (at most once), and files that come while it is down are not found.
    public var keepsSourcesInMemory = false
    /// Records a second that each receiver may store: Spark's `receiver.maxRate`. nil: no limit.
    public var receiverMaxRate: Int?
    /// What a receiver may have stored and the query not committed, in bytes; more waits.
    public var receiverLogBytesMax = 256 << 20
    /// How long a graceful stop may take to finish the batch that is open.
    public var stopWithin = Duration.seconds(25)
    public var log: any LogHandler = NullLog()
    /// Sources work inside the driver's steps instead of on threads of their own: for simulations.
    package var runsSourcesInline = false

    public init() {}
}
