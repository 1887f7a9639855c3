public import CommitProtocol
public import StreamCore
private import Synchronization

/// Runs user output code (prints, `foreachBatch`, sinks outside Kafka) away from the step machines.
public protocol UserOutputPort: AnyObject {
    /// Called from any thread when `poll` has a result.
    var onReady: (@Sendable () -> Void)? { get set }
    /// Runs these in order; answered by one result.
    func submit(_ plan: EpochPlan, _ outputs: [UserOutput])
    func poll() -> UserOutputResult?
    func close()
}

/// How the user output code of one epoch ended.
public enum UserOutputResult: Sendable {
    case delivered(Epoch, Attempt)
    case failed(Epoch, Attempt, StreamError)
}

/// Runs user output code at once, in the caller's step: for simulations and tests.
public final class InlineUserOutput: UserOutputPort {
    public var onReady: (@Sendable () -> Void)?
    private var results: [UserOutputResult] = []

    public init() {}

    public func submit(_ plan: EpochPlan, _ outputs: [UserOutput]) {
        results.append(runUserOutputs(plan, outputs))
        onReady?()
    }

    public func poll() -> UserOutputResult? { results.isEmpty ? nil : results.removeFirst() }
    public func close() {}
}

/// Runs user output code on a thread of its own.
public final class ThreadedUserOutput: UserOutputPort {
    private struct State {
        var job: (EpochPlan, [UserOutput])?
        var results: [UserOutputResult] = []
        var isClosed = false
        var isThreadStarted = false
        var onReady: (@Sendable () -> Void)?
    }

    /// What the thread shares with the port.
    private final class Shared: Sendable {
        let state = Mutex(State())
        let signal = Signal()

        func run() {
            while true {
                signal.wait(until: .distantFuture)
                let (job, isClosed) = state.withLock { state in
                    defer { state.job = nil }
                    return (state.job, state.isClosed)
                }
                if isClosed { return }
                guard let job else { continue }
                let result = runUserOutputs(job.0, job.1)
                let onReady = state.withLock { state in
                    state.results.append(result)
                    return state.onReady
                }
                onReady?()
            }
        }
    }

    private let shared = Shared()

    public init() {}

    public var onReady: (@Sendable () -> Void)? {
        get { shared.state.withLock { $0.onReady } }
        set { shared.state.withLock { $0.onReady = newValue } }
    }

    public func submit(_ plan: EpochPlan, _ outputs: [UserOutput]) {
        let mustStart = shared.state.withLock { state in
            state.job = (plan, outputs)
            defer { state.isThreadStarted = true }
            return !state.isThreadStarted
        }
        if mustStart {
            let shared = shared
            startThread(name: "user-output") { shared.run() }
        }
        shared.signal.raise()
    }

    public func poll() -> UserOutputResult? {
        shared.state.withLock { $0.results.isEmpty ? nil : $0.results.removeFirst() }
    }

    public func close() {
        shared.state.withLock { $0.isClosed = true }
        shared.signal.raise()
    }
}

private func runUserOutputs(_ plan: EpochPlan, _ outputs: [UserOutput]) -> UserOutputResult {
    do {
        for output in outputs { try output.run(plan) }
        return .delivered(plan.epoch, plan.attempt)
    } catch {
        let wrapped =
            error as? StreamError
            ?? StreamError(
                "USER_OUTPUT_FAILED", "The output code of epoch \(plan.epoch) failed: \(error).",
                remedy: "The epoch is not committed; it will be repeated with the same data.", domain: .user,
                cause: error)
        return .failed(plan.epoch, plan.attempt, wrapped)
    }
}
