public import CommitProtocol
public import StreamCore
private import Synchronization

/// Runs user output code (prints, `foreachBatch`, sinks outside Kafka) away from the step machines.
public protocol UserOutputPort: AnyObject {
    /// Called from any thread when `poll` has a result.
    var onReady: (@Sendable () -> Void)? { get set }
    /// Runs these, begun in this order; answered by one result when all have ended.
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
        results.append(OutputRun(plan, outputs).toEnd(threadsMax: 1))
        onReady?()
    }

    public func poll() -> UserOutputResult? { results.isEmpty ? nil : results.removeFirst() }
    public func close() {}
}

/// Runs user output code on threads of its own.
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
        let concurrency: Int

        init(concurrency: Int) { self.concurrency = concurrency }

        func run() {
            while true {
                signal.wait(until: .distantFuture)
                let (job, isClosed) = state.withLock { state in
                    defer { state.job = nil }
                    return (state.job, state.isClosed)
                }
                if isClosed { return }
                guard let job else { continue }
                let result = OutputRun(job.0, job.1).toEnd(threadsMax: concurrency)
                let onReady = state.withLock { state in
                    state.results.append(result)
                    return state.onReady
                }
                onReady?()
            }
        }
    }

    private let shared: Shared

    /// - Parameter concurrency: so many outputs of an epoch run at once; with 1 each waits for the one before.
    public init(concurrency: Int = 1) { shared = Shared(concurrency: concurrency) }

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

/// The output code of one epoch while it runs.
private final class OutputRun: Sendable {
    private struct State {
        /// The output that is begun next.
        var next = 0
        var threadCount = 1
        /// Of the first output in order that failed; none begins any more.
        var failure: (output: Int, error: any Error)?
    }

    private let plan: EpochPlan
    private let outputs: [UserOutput]
    private let state = Mutex(State())
    private let ended = Signal()

    init(_ plan: EpochPlan, _ outputs: [UserOutput]) {
        self.plan = plan
        self.outputs = outputs
    }

    /// Runs all on this thread and, where there are several and so many are allowed, on others beside it.
    func toEnd(threadsMax: Int) -> UserOutputResult {
        // A thread costs less than the least of what outputs do, and each epoch needs few.
        for _ in 1..<max(1, min(threadsMax, outputs.count)) {
            state.withLock { $0.threadCount += 1 }
            startThread(name: "user-output") { self.work() }
        }
        work()
        while !isOver { ended.wait(until: .distantFuture) }
        guard let error = state.withLock({ $0.failure?.error }) else { return .delivered(plan.epoch, plan.attempt) }
        let wrapped =
            error as? StreamError
            ?? StreamError(
                "USER_OUTPUT_FAILED", "The output code of epoch \(plan.epoch) failed: \(error).",
                remedy: "The epoch is not committed; it will be repeated with the same data.", domain: .user,
                cause: error)
        return .failed(plan.epoch, plan.attempt, wrapped)
    }

    private var isOver: Bool { state.withLock { $0.threadCount == 0 } }

    private func work() {
        while let output = begin() {
            do {
                try outputs[output].run(plan)
            } catch {
                state.withLock { state in
                    if state.failure.map({ output < $0.output }) ?? true { state.failure = (output, error) }
                }
            }
        }
        state.withLock { $0.threadCount -= 1 }
        ended.raise()
    }

    private func begin() -> Int? {
        state.withLock { state in
            guard state.failure == nil, state.next < outputs.count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}
