public import StreamCore

/// What a task's program keeps over epochs, as the engine sees it: something that follows the committed progress and is
/// brought back from changelogs. Confined to the task's thread.
///
/// `TaskProgram.committed` and `reset` go on beside it: an epoch that is sealed and neither committed nor known to be
/// lost stays undecided over a `reset`, until `recover` says what became of it.
public protocol TaskState: AnyObject {
    /// The changelog partitions that hold this task's state; never changes.
    var changelogs: Set<Split> { get }

    /// What was sealed and is undecided was not committed, whatever has the number of its epoch now.
    func dropSealed() throws

    /// Nothing is in flight, and the committed progress is known: decides what is undecided.
    /// - Parameter epoch: the newest committed epoch; nil: which one is not known.
    /// - Returns: nothing if the state is now that of `epoch`; else where changelogs must be read from to their ends.
    func recover(to epoch: Epoch?) throws -> [Split: Position]

    /// Where a standby goes on to read; what it reads comes by `apply`.
    func followPositions() throws -> [Split: Position]

    /// Committed changes, in the order of each partition; those of other tasks are among them.
    func apply(_ block: RecordBlock) throws

    /// Changes of this partition were deleted before they were read: nothing of it is known any more.
    func clear(_ split: Split) throws

    /// Everything up to these ends was applied; the state is that of `epoch`.
    func restored(_ ends: [Split: Position], to epoch: Epoch?) throws

    /// Every change below these ends is part of the state once `epoch` or a later one is committed.
    func noteStableEnds(_ ends: [Split: Position], from epoch: Epoch) throws
}
