import StreamCore
import StreamEngine
import Synchronization

/// A task that waits for the end of a query for a limited time.
struct TimedWaiter {
    let continuation: CheckedContinuation<Bool, any Error>
    /// Ends the thread that keeps the time.
    let ended: Signal

    func end(with result: Result<Void, any Error>) {
        continuation.resume(with: result.map { true })
        ended.raise()
    }
}

extension StreamingContext {
    /// Where a context is in its life; only ever moves on.
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// Sources, operators and outputs may be added. A stop in this state is kept for the start.
        case initialized
        /// From `start` on, also while the cluster is not reached yet and while a stop finishes the open batch.
        case active
        /// Over, by a stop or a failure. There is no way back: make another context to run again.
        case stopped
    }

    public var state: State {
        switch life.withLock({ $0.phase }) {
        case .building: .initialized
        case .starting, .running: .active
        case .finished: .stopped
        }
    }

    /// Waits for the end of the query, but no longer than `timeout`. Neither the time-out nor the cancellation of the
    /// waiting task ends the query. The wait takes a thread.
    /// - Returns: whether the query is over.
    /// - Throws: `StreamError` that ended it.
    @discardableResult
    public func awaitTerminationOrTimeout(_ timeout: Duration) async throws -> Bool {
        let ended = Signal()
        let id = ObjectIdentifier(ended)
        let deadline = clock.now + timeout
        return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Bool, any Error>) in
            let waiter = TimedWaiter(continuation: continuation, ended: ended)
            let end: Result<Void, any Error>? = life.withLock { life in
                guard life.phase == .finished else {
                    life.timedWaiters[id] = waiter
                    return nil
                }
                return life.end
            }
            if let end { return waiter.end(with: end) }
            startThread(name: "millrace-wait") { [self] in
                ended.wait(until: deadline)
                // Where the end came first, `finish` has taken the waiter.
                life.withLock { $0.timedWaiters.removeValue(forKey: id) }?.continuation.resume(returning: false)
            }
        }
    }
}
