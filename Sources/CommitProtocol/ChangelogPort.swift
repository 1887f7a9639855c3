public import StreamCore

/// How state is brought back: the committed changes of changelog partitions, read from a position to their end.
///
/// Every call is made on the driver's thread and returns at once; what takes time comes back as an event, asked for by
/// `poll`. A later `read` replaces an earlier one: no event of the earlier comes after it. The one call that may block
/// is `close`.
public protocol ChangelogPort: AnyObject {
    /// Called from any thread when `poll` may have something to say. Set once, before the first `read`.
    var onReady: (@Sendable () -> Void)? { get set }

    /// Reads these partitions from these positions; a position before the first record that exists means that one.
    /// - Parameter mode: how the reading ends.
    func read(_ positions: [Split: Position], _ mode: ChangelogMode)

    /// Drops what is being read.
    func stop()

    /// Asks for the ends of these partitions below which everything is committed (last stable offsets); answered by
    /// `stableEnds`. Goes on beside a `read`.
    func requestStableEnds(_ splits: Set<Split>)

    /// The next event, or nil when there is nothing now.
    /// - Parameter bytesMax: about how many bytes of records may be handed out; 0 asks for other events only.
    func poll(bytesMax: Int) -> ChangelogEvent?

    /// Frees everything, within the deadline. No call follows.
    func close(within: Duration)
}

/// How reading a changelog ends.
public enum ChangelogMode: Sendable, Hashable {
    /// At the end that a read_uncommitted look shows when the reading begins: transactions that are still pending there
    /// end first (KAFKA-10167), so that nothing that was or may yet be committed is overlooked.
    case toEnd
    /// Never: a standby goes on with what is committed from now on.
    case follow
}

/// What a `ChangelogPort` tells the driver.
public enum ChangelogEvent: Sendable {
    /// The reading has begun; these are the ends that it goes to (`toEnd`) or that exist now (`follow`).
    case began(ends: [Split: Position])
    /// Changes in the order of each partition: the newest of a key counts, no value deletes it.
    case records(RecordBlock)
    /// Everything committed up to here was handed out. With `toEnd` the partition is done; with `follow` it tells how
    /// far the standby is.
    case reachedEnd(Split, Position)
    case stableEnds([Split: Position])
    /// Changes were deleted before they were read: what was restored of this partition is no state. Begin anew.
    case positionLost(Split)
    /// Something failed; `recovery` says what to do. `retry` is for the log alone: the port goes on by itself.
    case trouble(StreamError)
}
