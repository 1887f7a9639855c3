import StreamCore

/// A thread of its own for calls that block: jobs run one after the other, in order.
///
/// librdkafka's blocking calls happen only here, never on a driver's thread and never on Swift's shared pool.
final class WorkerThread: @unchecked Sendable {
    // Safety: everything mutable is read and written under `monitor`.
    private let monitor = Monitor()
    private var jobs: [@Sendable () -> Void] = []
    private var timers: [(at: MonotonicTime, job: @Sendable () -> Void)] = []
    private var isStopping = false
    private var isEnded = false

    init() {
        startThread(name: "kafka-calls") { [self] in
            while let job = nextJob() { job() }
        }
    }

    /// Runs a job behind those that were submitted before. Jobs that come after `stop` are dropped.
    func submit(_ job: @escaping @Sendable () -> Void) {
        monitor.locked {
            guard !isStopping else { return }
            jobs.append(job)
            monitor.broadcast()
        }
    }

    /// Runs a job once, about so much later, unless the thread is stopped before.
    func submit(after delay: Duration, _ job: @escaping @Sendable () -> Void) {
        monitor.locked {
            guard !isStopping else { return }
            timers.append((SystemClock().now + delay, job))
            monitor.broadcast()
        }
    }

    /// Pauses the calling job; ends early when the thread is to stop.
    func pause(_ duration: Duration) {
        let deadline = SystemClock().now + duration
        _ = monitor.locked { monitor.wait(until: deadline) { isStopping } }
    }

    var isToStop: Bool { monitor.locked { isStopping } }

    /// Finishes the jobs that wait, drops the timers, ends the thread.
    /// - Returns: false if it did not end within the deadline; it then ends by itself when its call returns.
    @discardableResult
    func stop(within: Duration) -> Bool {
        let deadline = SystemClock().now + within
        return monitor.locked {
            isStopping = true
            timers.removeAll()
            monitor.broadcast()
            return monitor.wait(until: deadline) { isEnded }
        }
    }

    private func nextJob() -> (@Sendable () -> Void)? {
        monitor.locked {
            while true {
                if !jobs.isEmpty { return jobs.removeFirst() }
                if isStopping {
                    isEnded = true
                    monitor.broadcast()
                    return nil
                }
                let now = SystemClock().now
                if let due = timers.firstIndex(where: { $0.at <= now }) { return timers.remove(at: due).job }
                monitor.wait(until: timers.map(\.at).min() ?? now + .seconds(3600))
            }
        }
    }
}
