import StreamCore

/// Brings records into a query from anywhere: Spark's custom receiver.
///
///     struct Ticker: Receiver {
///         func onStart(_ store: ReceiverStore) throws {
///             startMyThread { while !store.isStopped { try store.store([Record(value: nextTick())]) } }
///         }
///         func onStop() {}
///     }
///
/// The query's owner runs it, one instance at a time. What it stores goes to a write-ahead log in the query's state
/// folder first and is read from there, so that a batch that is repeated has the same records.
public protocol Receiver: Sendable {
    /// Begins to receive, on threads of the receiver's own, and returns; they store into `store` until `isStopped`.
    /// Called again after each restart, with a store of its own. A throw leads to a restart with a pause that doubles
    /// from 0.2 s up to 10 s as long as nothing was stored.
    func onStart(_ store: ReceiverStore) throws

    /// Ends what `onStart` began: no thread of it may go on. Called before each restart and at the end.
    func onStop()
}

/// What a receiver stores its records in. From any thread; a store is over with `isStopped`.
public final class ReceiverStore: Sendable {
    private let log: ReceiverLog
    private let number: Int

    init(_ log: ReceiverLog, number: Int) {
        self.log = log
        self.number = number
    }

    /// The receiver is to end, or was restarted: whatever is stored here now is refused.
    public var isStopped: Bool { !log.isCurrent(number) }

    /// Stores records together and returns when they are on disk: then they may be acknowledged to where they came
    /// from, and count exactly once.
    ///
    /// Records whose store did not return, because the process died, may be there or not: as with every
    /// acknowledgement, a sender that sends them again may have them counted twice.
    ///
    /// It waits while the log is full of what is not committed yet, and as the option `receiverMaxRate` asks for.
    /// - Throws: `StreamError` `RECEIVER_STOPPED`, `STATE_FOLDER` (a full disk), `RECORD_TOO_LARGE` (64 MB): nothing of
    ///   them is stored.
    public func store(_ records: [Record]) throws { try log.store(records, number) }

    /// Stores a record soon, together with others: after 200 ms, or when 64 KB have come together (Spark's block).
    ///
    /// For sources that cannot be asked again anyway: a record that the process had not yet on disk when it was killed
    /// is lost.
    /// - Throws: as the other; also for what an earlier call was about.
    public func store(_ record: Record) throws { try log.buffer(record, number) }

    /// The same for text.
    public func store(_ text: String) throws { try store(Record(value: text)) }

    /// Asks for `onStop` and, after a pause, `onStart`. Returns at once.
    /// - Parameter reason: for the log; no record's content.
    public func restart(_ reason: String, _ error: (any Error)? = nil) { log.restart(number, reason, error) }

    /// Logs what went wrong; the receiver goes on.
    public func reportError(_ message: String, _ error: (any Error)? = nil) { log.reportError(message, error) }
}
