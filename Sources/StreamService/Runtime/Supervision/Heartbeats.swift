package import StreamCore
private import Synchronization

/// Knows whether every loop of the process still comes round: the driver's, the committer's, each task's.
///
/// A loop registers with the time one round may take, beats once a round (idle loops too: a wait is a round), and ends.
/// Beating costs one relaxed atomic store; any thread may ask.
package final class Heartbeats: Sendable {
    /// One loop's pulse. Owned by the loop's thread, read by others.
    package final class Loop: Sendable {
        package let name: String
        /// How long one round may take before the loop counts as stuck.
        package let deadline: Duration
        private let last: Atomic<Int64>
        private let isOver = Atomic<Bool>(false)

        fileprivate init(name: String, deadline: Duration, now: MonotonicTime) {
            self.name = name
            self.deadline = deadline
            last = Atomic(now.nanoseconds)
        }

        /// Says "I came round"; call it at least once a deadline.
        package func beat(at now: MonotonicTime) {
            last.store(now.nanoseconds, ordering: .relaxed)
        }

        /// The loop has returned for good and is not expected any more.
        package func end() {
            isOver.store(true, ordering: .relaxed)
        }

        fileprivate var hasEnded: Bool { isOver.load(ordering: .relaxed) }

        fileprivate func pulse(at now: MonotonicTime) -> Pulse {
            let age = now - MonotonicTime(nanoseconds: last.load(ordering: .relaxed))
            return Pulse(loop: name, age: max(age, .zero), deadline: deadline)
        }
    }

    /// When a loop was last seen.
    package struct Pulse: Sendable, Hashable {
        package var loop: String
        package var age: Duration
        package var deadline: Duration
        package var isOverdue: Bool { age > deadline }

        package init(loop: String, age: Duration, deadline: Duration) {
            self.loop = loop
            self.age = age
            self.deadline = deadline
        }
    }

    private let loops = Mutex<[Loop]>([])

    package init() {}

    /// Begins to expect a loop, as if it had just beaten.
    package func register(_ name: String, within deadline: Duration, at now: MonotonicTime) -> Loop {
        let loop = Loop(name: name, deadline: deadline, now: now)
        loops.withLock { $0.append(loop) }
        return loop
    }

    /// Every loop that has not ended, in the order of registration.
    package func pulses(at now: MonotonicTime) -> [Pulse] {
        let alive = loops.withLock { loops in
            loops.removeAll { $0.hasEnded }
            return loops
        }
        return alive.map { $0.pulse(at: now) }
    }

    /// The loops that are late; empty means healthy.
    package func overdue(at now: MonotonicTime) -> [Pulse] {
        pulses(at: now).filter(\.isOverdue)
    }
}
