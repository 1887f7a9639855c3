private import Glibc
package import StreamCore
private import Synchronization

/// Watches over one running query from a thread of its own: signals, systemd, heartbeats, the progress display.
///
/// ```
/// SignalMask.block()                                  // first in main
/// let supervisor = ServiceSupervisor(...)             // what to do about it is handed in
/// try supervisor.start()
/// ...                                                 // run the query until it is closed
/// exit(supervisor.finish())
/// ```
package final class ServiceSupervisor: Sendable {
    package struct Options: Sendable {
        /// For the open epoch after the first SIGTERM or SIGINT.
        package var drainDeadline = Duration.seconds(25)
        /// For closing after the epoch was dropped, before the process is left by force.
        package var closeDeadline = Duration.seconds(5)
        /// systemd hears READY at the latest after this.
        package var readyWithin = Duration.seconds(20)
        package var tick = Duration.milliseconds(200)

        package init() {}
    }

    /// What the query does when the service is to end. Called on the supervisor's thread; must not wait.
    package struct Handlers: Sendable {
        /// Finish or drop the open epoch, commit, close, by then.
        package var drain: @Sendable (_ until: MonotonicTime) -> Void
        /// Drop the open epoch and close at once.
        package var stopNow: @Sendable () -> Void
        /// Every tick, with the newest snapshot: the progress display.
        package var tick: @Sendable (ServiceSnapshot) -> Void
        /// Leaves the process; only a test hands in another one.
        package var forceExit: @Sendable () -> Void

        package init(
            drain: @escaping @Sendable (_ until: MonotonicTime) -> Void, stopNow: @escaping @Sendable () -> Void,
            tick: @escaping @Sendable (ServiceSnapshot) -> Void = { _ in },
            forceExit: @escaping @Sendable () -> Void = { _exit(1) }
        ) {
            self.drain = drain
            self.stopNow = stopNow
            self.tick = tick
            self.forceExit = forceExit
        }
    }

    private struct State {
        var shutdown: ShutdownMachine
        var notifications: NotificationPlan
        var lateLoops: Set<String> = []
        var thread: SystemThread?
        var isFinished = false
        var last: (snapshot: ServiceSnapshot, at: MonotonicTime)?
        var statusLine = ""
    }

    private let options: Options
    private let handlers: Handlers
    private let heartbeats: Heartbeats
    private let notifier: any ServiceNotifier
    private let log: any LogHandler
    private let clock: any EngineClock
    private let status: StatusSource
    private let state: Mutex<State>

    package init(
        options: Options = Options(), heartbeats: Heartbeats, notifier: any ServiceNotifier = SystemdNotifier(),
        log: any LogHandler, clock: any EngineClock = SystemClock(), status: @escaping StatusSource, handlers: Handlers
    ) {
        self.options = options
        self.handlers = handlers
        self.heartbeats = heartbeats
        self.notifier = notifier
        self.log = log
        self.clock = clock
        self.status = status
        state = Mutex(
            State(
                shutdown: ShutdownMachine(
                    drainDeadline: options.drainDeadline, closeDeadline: options.closeDeadline),
                notifications: NotificationPlan(
                    startedAt: clock.now, watchdogInterval: notifier.watchdogInterval, readyWithin: options.readyWithin)
            ))
    }

    /// Starts the thread that takes signals.
    /// - Throws: `THREAD_FAILED` where the system has no thread left.
    package func start() throws(StreamError) {
        guard let thread = SystemThread(name: "supervisor", { [self] in run() }) else {
            throw StreamError(
                "THREAD_FAILED", "Could not start the supervising thread.", remedy: "Raise the limit of tasks.",
                domain: .external)
        }
        state.withLock { $0.thread = thread }
    }

    /// Asks for a graceful end, as the first SIGTERM does. From any thread.
    package func requestStop(_ reason: String) {
        stop(because: reason)
        wake()
    }

    /// The query is closed: ends the thread.
    /// - Returns: the exit code: 0, or 1 where an epoch was dropped because the service had to stop at once.
    package func finish() -> Int32 {
        let now = clock.now
        let thread = state.withLock { state -> SystemThread? in
            _ = state.shutdown.handle(.finished, at: now)
            state.isFinished = true
            defer { state.thread = nil }
            return state.thread
        }
        thread?.send(signal: ServiceSignal.wake.number)
        thread?.join()
        // systemd hears that the end is wanted also where no signal asked for it.
        let lines = state.withLock {
            $0.notifications.lines(
                .init(isReady: false, isStopping: true, allLoopsBeat: false, status: "stopped"), at: now)
        }
        if !lines.isEmpty { notifier.notify(lines) }
        return state.withLock { $0.shutdown.exitCode }
    }

    private func wake() { state.withLock { $0.thread }?.send(signal: ServiceSignal.wake.number) }

    private func run() {
        SignalMask.block()
        while !state.withLock({ $0.isFinished }) {
            take(SignalMask.wait(atMost: options.tick))
            tick()
        }
    }

    /// Deals with a signal that arrived; a test calls it instead of sending one.
    package func take(_ signal: ServiceSignal?) {
        switch signal {
        case .terminate?, .interrupt?: stop(because: "received \(signal?.name ?? "")")
        case .hangUp?: log.info("Received SIGHUP: ignored. To read a changed pipeline, restart the service.")
        case .wake?, nil: break
        }
    }

    /// One round: the time-outs of the shutdown, systemd, late loops, the display.
    package func tick() {
        let now = clock.now
        if state.withLock({ $0.isFinished }) { return }
        if let action = state.withLock({ $0.shutdown.handle(.tick, at: now) }) { carryOut(action, because: "") }
        let snapshot = status()
        let late = heartbeats.overdue(at: now)
        report(late)
        let lines = state.withLock { state -> [String] in
            let line = Self.statusLine(&state, snapshot, late, now)
            let health = NotificationPlan.Health(
                isReady: snapshot.state.isReady, isStopping: state.shutdown.isStopping, allLoopsBeat: late.isEmpty,
                status: line)
            return state.notifications.lines(health, at: now)
        }
        if !lines.isEmpty { notifier.notify(lines) }
        handlers.tick(snapshot)
    }

    private func stop(because reason: String) {
        let now = clock.now
        if let action = state.withLock({ $0.shutdown.handle(.stopRequested, at: now) }) {
            carryOut(action, because: reason)
        }
    }

    private func carryOut(_ action: ShutdownMachine.Action, because reason: String) {
        switch action {
        case .drain(let until):
            log.notice("Stopping: finishing the open epoch.", LogField("reason", reason))
            handlers.drain(until)
        case .stopNow(let why):
            log.warning(
                "Stopping at once: the open epoch is dropped and will be repeated by the next start.",
                LogField("reason", why.rawValue))
            handlers.stopNow()
        case .forceExit:
            log.error("Closing did not come to an end: leaving the process. The next start repeats the open epoch.")
            notifier.notify(["STATUS=left by force: closing did not come to an end"])
            handlers.forceExit()
        }
    }

    /// Tells once when a loop gets stuck, and once when it comes round again.
    private func report(_ late: [Heartbeats.Pulse]) {
        let names = Set(late.map(\.loop))
        let before = state.withLock { state in
            defer { state.lateLoops = names }
            return state.lateLoops
        }
        for pulse in late where !before.contains(pulse.loop) {
            log.error(
                "A loop has not come round within its deadline.", LogField("loop", pulse.loop),
                LogField("seconds", ProgressLine.duration(pulse.age)))
        }
        for name in before.subtracting(names).sorted() {
            log.notice("A loop comes round again.", LogField("loop", name))
        }
    }

    /// systemd's status line, made anew once a second.
    private static func statusLine(
        _ state: inout State, _ snapshot: ServiceSnapshot, _ late: [Heartbeats.Pulse], _ now: MonotonicTime
    ) -> String {
        if !late.isEmpty { return "stuck: " + late.map(\.loop).joined(separator: ", ") }
        let last = state.last ?? (snapshot, now)
        if state.last == nil || now - last.at >= .seconds(2) {
            let rate = ProgressRate(from: last.snapshot, to: snapshot, over: now - last.at)
            state.statusLine = ProgressLine.text(snapshot, rate)
            state.last = (snapshot, now)
        }
        return state.statusLine
    }
}
