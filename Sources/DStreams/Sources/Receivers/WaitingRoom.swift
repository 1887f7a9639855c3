import StreamCore
import StreamEngine
import Synchronization

/// Threads that wait for something to change.
final class WaitingRoom: Sendable {
    private let waiters = Mutex<[Signal]>([])

    /// Waits until `isOver` gives true; it is looked at after each `wake` and at the deadline.
    /// - Returns: false: the deadline came first.
    func wait(until deadline: MonotonicTime = .distantFuture, _ isOver: () -> Bool) -> Bool {
        if isOver() { return true }
        let signal = Signal()
        waiters.withLock { $0.append(signal) }
        defer { waiters.withLock { $0.removeAll { $0 === signal } } }
        let clock = SystemClock()
        while !isOver() {
            if clock.now >= deadline { return false }
            signal.wait(until: deadline)
        }
        return true
    }

    func wake() {
        for waiter in waiters.withLock({ $0 }) { waiter.raise() }
    }
}
