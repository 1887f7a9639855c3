public import StreamCore

/// A loop taken apart: driver, task and committer do one bounded piece of work a step and never wait inside it.
///
/// Threads are one scheduler for them (`ThreadScheduler`), a seeded single-threaded simulation another: the same code
/// runs under both.
public protocol StepMachine: AnyObject {
    var name: String { get }
    /// Raised by whoever has work for this machine.
    var signal: Signal { get }
    func step(now: MonotonicTime) -> StepResult
}

/// When a machine wants its next step.
public enum StepResult: Hashable, Sendable {
    /// There may be more to do at once.
    case ran
    /// Nothing to do before the signal is raised or this time has come.
    case waiting(until: MonotonicTime)
    /// The machine is done for good.
    case finished
}
