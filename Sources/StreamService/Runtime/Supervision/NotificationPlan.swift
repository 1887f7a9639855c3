package import StreamCore

/// Decides what systemd is told, and when. Pure: times and health come in, lines go out.
///
/// - `READY=1` once the query is ready, or after `readyWithin` at the latest: a broker that is away must not fail the
///   unit or hold up the boot, since the service waits for it by itself. Until then the start time-out is extended.
/// - `WATCHDOG=1` at half its interval, only while every loop has come round within its deadline.
/// - `STATUS=` when it changed, at most once a second.
/// - `STOPPING=1` once, and `EXTEND_TIMEOUT_USEC` every second from then on while the loops come round.
package struct NotificationPlan: Sendable {
    /// What is known at one moment.
    package struct Health: Sendable {
        package var isReady: Bool
        package var isStopping: Bool
        package var allLoopsBeat: Bool
        package var status: String

        package init(isReady: Bool, isStopping: Bool, allLoopsBeat: Bool, status: String) {
            self.isReady = isReady
            self.isStopping = isStopping
            self.allLoopsBeat = allLoopsBeat
            self.status = status
        }
    }

    private let startedAt: MonotonicTime
    private let watchdogInterval: Duration?
    private let readyWithin: Duration
    private var saidReady = false
    private var saidStopping = false
    private var status = ""
    private var statusAt: MonotonicTime?
    private var watchdogAt: MonotonicTime?
    private var extendedAt: MonotonicTime?

    package init(startedAt: MonotonicTime, watchdogInterval: Duration?, readyWithin: Duration = .seconds(20)) {
        self.startedAt = startedAt
        self.watchdogInterval = watchdogInterval
        self.readyWithin = readyWithin
    }

    /// The lines that are due now; empty for nothing. Call several times a second.
    package mutating func lines(_ health: Health, at now: MonotonicTime) -> [String] {
        var lines: [String] = []
        if health.isStopping, !saidStopping {
            saidStopping = true
            lines.append("STOPPING=1")
        }
        if !saidReady, !saidStopping, health.isReady || now - startedAt >= readyWithin {
            saidReady = true
            lines.append("READY=1")
        }
        if !saidReady || saidStopping, health.allLoopsBeat, isDue(extendedAt, .seconds(1), now) {
            extendedAt = now
            lines.append("EXTEND_TIMEOUT_USEC=10000000")
        }
        if health.status != status, isDue(statusAt, .seconds(1), now) {
            status = health.status
            statusAt = now
            lines.append("STATUS=\(status)")
        }
        if let watchdogInterval, health.allLoopsBeat, isDue(watchdogAt, watchdogInterval / 2, now) {
            watchdogAt = now
            lines.append("WATCHDOG=1")
        }
        return lines
    }

    private func isDue(_ last: MonotonicTime?, _ interval: Duration, _ now: MonotonicTime) -> Bool {
        last.map { now - $0 >= interval } ?? true
    }
}
