public import CommitProtocol
public import StreamCore

/// The operators of one stage, as one task runs them: confined to the task's thread, called batch by batch.
///
/// An epoch is `process`… then `endEpoch`. What a program keeps over epochs it keeps in state that `committed` makes
/// permanent and `reset` takes back (invariant 3).
public protocol TaskProgram: AnyObject {
    /// - Parameter input: records of a source (first stage), or what an earlier stage sent here.
    func process(_ input: TaskInput, into output: inout TaskOutput)

    /// Everything of the epoch was processed; emit what was held back for its end.
    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput)

    /// The epoch is durable: its overlay becomes state.
    /// - Throws: where state cannot be kept; the query stops.
    func committed(_ epoch: Epoch) throws

    /// Everything since the last committed epoch is dropped. What was sealed for an epoch and may be committed by now
    /// is decided by `state`.
    func reset() throws

    /// What the program keeps over epochs; nil: nothing.
    var state: (any TaskState)? { get }
}

extension TaskProgram {
    /// Emits nothing: for programs that hold nothing back.
    public func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {}
    /// Does nothing: for programs without state.
    public func committed(_ epoch: Epoch) {}
    /// Does nothing: for programs without state.
    public func reset() {}
    /// None.
    public var state: (any TaskState)? { nil }
}

/// What a task's program is given.
public enum TaskInput: Sendable {
    case records(RecordBlock, EpochContext)
    /// From a task of the stage before: a batch of its own kind.
    case exchange(any Sendable, EpochContext)
}

/// What every record of an epoch sees alike.
public struct EpochContext: Sendable, Hashable {
    public var epoch: Epoch
    /// Milliseconds since 1970-01-01 UTC.
    public var batchTimeMs: Int64
    /// The first batch that a query with a fixed trigger ever runs, restarts included.
    public var isFirstBatch: Bool
    /// With a fixed trigger, the time of the batch before this one; nil for the first.
    public var previousBatchTimeMs: Int64?

    public init(epoch: Epoch, batchTimeMs: Int64, isFirstBatch: Bool = false) {
        self.epoch = epoch
        self.batchTimeMs = batchTimeMs
        self.isFirstBatch = isFirstBatch
    }
}

/// User output code of one epoch, ready to run: called after the epoch's plan is durable and before the epoch is
/// committed. Runs on a thread of its own, which it may block.
public struct UserOutput: Sendable {
    /// What it keeps in memory until it has run, for the query's budget.
    public var bytes: Int
    public var run: @Sendable (EpochPlan) throws -> Void

    public init(bytes: Int = 0, _ run: @escaping @Sendable (EpochPlan) throws -> Void) {
        self.bytes = bytes
        self.run = run
    }
}

/// What a program gives for one call.
public struct TaskOutput: Sendable {
    /// Encoded records for the epoch's transaction, in order.
    public var blocks: [RecordBlock] = []
    /// For tasks of the next stage, by task number.
    public var exchanges: [(task: Int, batch: any Sendable)] = []
    public var userOutputs: [UserOutput] = []
    public var counts = RowCounts()
    /// Stops the query: the error policy says so, or the program cannot go on.
    public var failure: StreamError?

    public init() {}

    /// What it keeps in memory until its epoch is over.
    var byteSize: Int { blocks.reduce(0) { $0 + $1.byteSize } + userOutputs.reduce(0) { $0 + $1.bytes } }

    public var isEmpty: Bool { blocks.isEmpty && exchanges.isEmpty && userOutputs.isEmpty && failure == nil }
}

/// Where every record of an epoch went (invariant 7): `read = emittedFrom + filtered + late + deadLettered + skipped`.
public struct RowCounts: Sendable, Hashable, Codable {
    public var read = 0
    /// Records from which at least one output came, or that went into state or a user's output.
    public var emittedFrom = 0
    public var filtered = 0
    public var late = 0
    public var deadLettered = 0
    /// Faulty, and dropped because the error policy is `skip`.
    public var skipped = 0
    /// Records written by sinks; not part of the balance.
    public var written = 0
    public var bytesRead = 0
    public var bytesWritten = 0

    public init() {}

    public var isBalanced: Bool { read == emittedFrom + filtered + late + deadLettered + skipped }

    public static func += (a: inout RowCounts, b: RowCounts) {
        a.read += b.read
        a.emittedFrom += b.emittedFrom
        a.filtered += b.filtered
        a.late += b.late
        a.deadLettered += b.deadLettered
        a.skipped += b.skipped
        a.written += b.written
        a.bytesRead += b.bytesRead
        a.bytesWritten += b.bytesWritten
    }
}
