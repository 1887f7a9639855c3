import CommitProtocol
import StreamCore

/// Driver (or the stage before) to task.
enum TaskMessage: Sendable {
    case records(RecordBlock, Attempt, EpochContext)
    case exchange(any Sendable, Attempt, EpochContext, bytes: Int)
    /// One sender is through with the epoch.
    case endEpoch(EpochPlan)
    case committed(Epoch)
    case abandon(Attempt)
    case state(StateMessage, Attempt)
    case close
}

/// Driver to every task that keeps state, of whatever stage.
enum StateMessage: Sendable {
    /// Make the state that of this epoch; answered by `stateNeeds`.
    /// - Parameter keepsSealed: what was sealed here for that epoch is what was committed.
    case recover(to: Epoch?, keepsSealed: Bool)
    /// Say where a standby reads on; answered by `stateNeeds`.
    case follow
    /// The receiver gives the block's bytes back to the budget.
    case changes(RecordBlock)
    case lost(Split)
    case restored([Split: Position], to: Epoch?)
    case stableEnds([Split: Position], from: Epoch)
}

/// Driver and tasks to committer.
enum CommitterMessage: Sendable {
    case output(TaskOutput, Attempt, Epoch, computeTime: Duration)
    /// One task of the last stage is through with the epoch.
    case endEpoch(EpochPlan)
    /// From the driver: positions only, no task saw it.
    case commitPositions(EpochPlan)
    case abandon(Attempt)
    case initialize(after: Duration)
    case recover(Set<Split>, Attempt)
    case close(within: Duration)
}

/// Committer (and the control side) to driver.
enum DriverMessage: Sendable {
    case writerInitialized
    case recovered(RecoveredProgress, Attempt)
    /// - Parameter sealedAt: when all of it had been computed.
    case committed(EpochPlan, sealedAt: MonotonicTime)
    case failed(TransactionFailure, Attempt)
    /// From this task: where changelogs must be read from.
    case stateNeeds([Split: Position], task: Int, Attempt)
    /// A program or the error policy stops the query.
    case stopQuery(StreamError)
    case stop(within: Duration)
    case stopNow
    case committerClosed
}
