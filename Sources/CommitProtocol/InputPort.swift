public import StreamCore

/// How the driver reads: which splits are ours, and their records. Kafka, files, generators and the simulator implement
/// it.
///
/// Every call is made on the driver's thread and returns at once; whatever takes time comes back later as an event.
/// The one exception is `close`.
///
/// A split goes through: `assigned` event -> `open(at:)` -> records -> `revoking` event -> `release`. Between
/// `revoking` and `release` the split is still ours: the group waits, so that the open epoch can be committed or
/// dropped first (invariant 6).
public protocol InputPort: AnyObject {
    /// Called from any thread when `poll` may have something to say. Set once, before `start`.
    var onReady: (@Sendable () -> Void)? { get set }

    /// Joins or connects. Failures come as `trouble` events.
    func start()

    /// The next event, or nil when there is nothing now. Call until it gives nil.
    /// - Parameter bytesMax: about how many bytes of records may be handed out; 0 asks for other events only, so that
    ///   group membership goes on while the query's memory is full.
    func poll(bytesMax: Int) -> InputEvent?

    /// Begins or goes on to read owned splits at these positions (also to seek back after an epoch was dropped).
    /// No record that was fetched for an older position is handed out after this call.
    func open(_ positions: [Split: Position])

    /// Answers `revoking` or `lost`: nothing of these splits is in use any more.
    func release(_ splits: Set<Split>)

    /// Stops and goes on handing out records of some splits (available-now is done with them; a batch limit is
    /// reached).
    func pause(_ splits: Set<Split>)
    func resume(_ splits: Set<Split>)

    /// Turns start positions into positions; answered by `resolved`.
    func resolve(_ starts: [Split: StartPosition])

    /// Asks for the current ends (last stable offsets, for Kafka); answered by `ends`.
    func requestEnds(_ splits: Set<Split>)

    /// Whether a batch gets no more of a split than is at hand, whatever its end is (a queue of batches).
    func givesOneByOne(_ split: Split) -> Bool

    /// Leaves the group and frees everything, within the deadline. No call follows.
    func close(within: Duration)
}

extension InputPort {
    /// A source gives what it has.
    public func givesOneByOne(_ split: Split) -> Bool { false }
}

/// What an `InputPort` tells the driver.
public enum InputEvent: Sendable {
    /// These splits are ours from now on (in addition to those that were). Answer with `open` once their positions are
    /// known.
    case assigned(Set<Split>)
    /// The group wants these back. Answer with `release` when the open epoch is committed or dropped.
    case revoking(Set<Split>)
    /// These are gone already; nothing of them can be committed. Answer with `release` all the same.
    case lost(Set<Split>)
    /// Records in the order of each split, in one block of one or more splits.
    case records(RecordBlock)
    /// Everything up to here was handed out; the position lies behind transaction markers.
    case reachedEnd(Split, Position)
    /// A bounded split (a file) is over: nothing will ever come behind this position.
    case finished(Split, Position)
    case resolved([Split: Position])
    case ends([Split: Position])
    /// A position that was asked for is not there any more: records were deleted before they were read.
    /// `next` is the first that exists. Nothing more comes from the split until `open` is called for it.
    case dataLoss(Split, at: Position, next: Position)
    /// Something failed; `recovery` says what to do. `retry` is for the log alone: the port goes on by itself.
    case trouble(StreamError)
}
