package import StreamCore

/// Decides how a service ends. Pure: signals and times come in, what to do comes out.
///
/// ```
/// running --signal--> draining --signal or deadline--> stopping --deadline--> forced
///    \__________________\______finished_________________\_________> ended
/// ```
/// Draining commits the open epoch and ends with 0. Stopping drops it and ends with 1; nothing is lost or doubled by
/// that: the next start repeats the epoch.
package struct ShutdownMachine: Sendable {
    package enum Event: Sendable, Hashable {
        /// SIGTERM or SIGINT, or a program that asks for an end (`--for 20s` is over).
        case stopRequested
        /// The query is closed.
        case finished
        case tick
    }

    package enum Action: Sendable, Hashable {
        /// Finish or drop the open epoch, commit, close: by this time.
        case drain(until: MonotonicTime)
        /// Drop the open epoch and close at once.
        case stopNow(because: Reason)
        /// Closing itself hangs: leave the process with exit code 1. The transaction ends by its time-out, or at the
        /// next start.
        case forceExit
    }

    package enum Reason: String, Sendable, Hashable {
        case askedTwice = "asked to stop a second time"
        case deadlinePassed = "could not finish the open epoch before the deadline"
    }

    package enum Phase: Sendable, Hashable {
        case running
        case draining(since: MonotonicTime, until: MonotonicTime)
        case stopping(until: MonotonicTime)
        case forced
        case ended(wasDropped: Bool)
    }

    package private(set) var phase = Phase.running
    private let drainDeadline: Duration
    private let closeDeadline: Duration
    /// The same key press can arrive twice (the shell signals the group, a wrapper passes it on): the second counts
    /// only after this.
    private static let repeatGap = Duration.milliseconds(250)

    /// - Parameters:
    ///   - drainDeadline: for the open epoch's commit.
    ///   - closeDeadline: for closing once the epoch is dropped, before the process is left by force.
    package init(drainDeadline: Duration = .seconds(25), closeDeadline: Duration = .seconds(5)) {
        self.drainDeadline = drainDeadline
        self.closeDeadline = closeDeadline
    }

    /// True from the first request on.
    package var isStopping: Bool {
        if case .running = phase { return false }
        return true
    }

    /// 0 where everything was committed, 1 where the open epoch was dropped.
    package var exitCode: Int32 {
        switch phase {
        case .running, .draining, .ended(wasDropped: false): 0
        case .stopping, .forced, .ended(wasDropped: true): 1
        }
    }

    package mutating func handle(_ event: Event, at now: MonotonicTime) -> Action? {
        switch (phase, event) {
        case (.running, .stopRequested):
            let until = now + drainDeadline
            phase = .draining(since: now, until: until)
            return .drain(until: until)
        case (.draining(let since, _), .stopRequested) where now - since >= Self.repeatGap:
            return stop(.askedTwice, now)
        case (.draining(_, let until), .tick) where now >= until:
            return stop(.deadlinePassed, now)
        case (.stopping(let until), .tick) where now >= until:
            phase = .forced
            return .forceExit
        case (.running, .finished), (.draining, .finished):
            phase = .ended(wasDropped: false)
            return nil
        case (.stopping, .finished):
            phase = .ended(wasDropped: true)
            return nil
        default:
            return nil
        }
    }

    private mutating func stop(_ reason: Reason, _ now: MonotonicTime) -> Action {
        phase = .stopping(until: now + closeDeadline)
        return .stopNow(because: reason)
    }
}
