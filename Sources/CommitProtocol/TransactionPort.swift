public import StreamCore

/// How the committer writes: outputs, progress and input positions, in one transaction an epoch.
///
/// Commands are carried out one after the other, in order, each under a deadline of the port's own; each is answered by
/// one event. Submitting never waits. Implementations: Kafka (a thread of its own around librdkafka's blocking calls),
/// Kafka without transactions (at-least-once), a checkpoint folder, the simulator.
public protocol TransactionPort: AnyObject {
    /// Called from any thread when `poll` has an event. Set once, before the first command.
    var onReady: (@Sendable () -> Void)? { get set }

    /// Shut by the driver when it drops an attempt: a commit that has not begun to reach the broker then fails. Opened
    /// by the port when it carries out `initialize`.
    var gate: CommitGate { get }

    func submit(_ command: TransactionCommand)

    /// The next event, or nil when there is none now.
    func poll() -> TransactionEvent?

    /// Frees everything within the deadline; an open transaction is left to the next `initialize` or the time-out.
    func close(within: Duration)
}

/// What the committer asks of a `TransactionPort`.
public enum TransactionCommand: Sendable {
    /// Builds the writer afresh, purging and destroying an older one, and initializes its transactions, which fences
    /// older users of the same identity and aborts what they left open. The one way back from every error.
    case initialize
    /// Reads the committed progress of these splits (and of the query, for owned ones). Only what is certain: it waits
    /// out transactions that are still pending.
    case recover(Set<Split>)
    case begin(Epoch)
    /// Produces the records of a block into the open transaction, in order. The block is the port's until `produced`.
    case produce(RecordBlock)
    /// Waits for every record to be acknowledged, adds the offsets and the progress, commits.
    case commit(EpochCommit)
}

/// What an epoch's commit makes durable besides its outputs.
public struct EpochCommit: Sendable, Hashable, Codable {
    public var epoch: Epoch
    /// The next position of *every* owned split, changed or not: without any offset nothing would be fenced.
    public var positions: [Split: Position]
    /// For owned queries: the progress record that goes with it.
    public var progress: ProgressRecord?

    public init(epoch: Epoch, positions: [Split: Position], progress: ProgressRecord? = nil) {
        self.epoch = epoch
        self.positions = positions
        self.progress = progress
    }
}

/// What a `TransactionPort` answers: one event a command, in the order of the commands.
public enum TransactionEvent: Sendable {
    case initialized
    case recovered(RecoveredProgress)
    case begun(Epoch)
    /// The block's memory is free again.
    case produced(RecordBlock)
    case committed(Epoch)
    /// The command failed; those submitted behind it are discarded, unanswered, until `initialize`.
    case failed(TransactionFailure)
}

/// What is known to be committed.
public struct RecoveredProgress: Sendable, Hashable {
    /// Splits without progress are missing here: they begin at their start position.
    public var positions: [Split: Position]
    /// For owned queries, the newest progress record, if any.
    public var progress: ProgressRecord?

    public init(positions: [Split: Position], progress: ProgressRecord? = nil) {
        self.positions = positions
        self.progress = progress
    }
}

/// Why a command failed, in the only classes that decisions need.
public struct TransactionFailure: Sendable {
    /// What a failure says about the commit, and about the writer.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// The transaction cannot commit, and certainly did not.
        case abortable
        /// Another user of our identity is there, or our group generation is over: certainly not committed.
        case fenced
        /// A time-out or a lost answer: the commit may or may not have happened.
        case indefinite
        /// The transaction outlived its time-out and the broker aborted it.
        case expired
        /// Passing trouble outside a transaction (no broker, no coordinator): ask again later.
        case unavailable
        /// This writer can do nothing more, but a new one may.
        case fatal
        /// Nothing will help but a person: no permission, a missing topic, a wrong setting.
        case hopeless
    }

    public var kind: Kind
    public var error: StreamError
    /// The record that cannot be written, where it is known: its index in the block `refusedBlock`.
    public var refusedRecord: Int?
    /// Which `produce` of the epoch that was, from 0; a broker may refuse a record as late as at the commit.
    public var refusedBlock: Int?

    public init(_ kind: Kind, _ error: StreamError, refusedRecord: Int? = nil) {
        self.kind = kind
        self.error = error
        self.refusedRecord = refusedRecord
    }
}
