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
    case close
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
    case committed(EpochPlan)
    case failed(TransactionFailure, Attempt)
    /// A program or the error policy stops the query.
    case stopQuery(StreamError)
    case stop(within: Duration)
    case stopNow
    case committerClosed
}
