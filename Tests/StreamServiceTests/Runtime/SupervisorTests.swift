import StreamCore
import StreamService
import Testing

/// Keeps what systemd would have been told.
struct CollectingNotifier: ServiceNotifier {
    var watchdogInterval: Duration?
    let told = Collected<String>()
    func notify(_ lines: [String]) { lines.forEach(told.add) }
}

@Suite("The supervisor")
struct SupervisorTests {
    private let clock = HandClock()
    private let hearts = Heartbeats()
    private let log = CollectingLog()
    private let notifier = CollectingNotifier(watchdogInterval: .seconds(4))
    private let calls = Collected<String>()

    private func makeSupervisor(clock: any EngineClock, _ options: ServiceSupervisor.Options = .init())
        -> ServiceSupervisor
    {
        let calls = self.calls
        return ServiceSupervisor(
            options: options, heartbeats: hearts, notifier: notifier, log: log, clock: clock, status: { .sample },
            handlers: .init(
                drain: { _ in calls.add("drain") }, stopNow: { calls.add("stopNow") },
                forceExit: { calls.add("forceExit") }))
    }

    @Test("signals, deadlines and systemd go together")
    func rounds() {
        let supervisor = makeSupervisor(clock: clock)
        supervisor.tick()
        #expect(
            notifier.told.all == [
                "READY=1", "STATUS=orders running · epoch 41 · in 0/s · out 0/s · lag 10 · 9 bad · 3 epochs dropped",
                "WATCHDOG=1",
            ])
        supervisor.take(.hangUp)
        #expect(calls.all.isEmpty)
        supervisor.take(.terminate)
        #expect(calls.all == ["drain"])
        clock.advance(.seconds(25))
        supervisor.tick()
        #expect(calls.all == ["drain", "stopNow"])
        #expect(notifier.told.all.contains("STOPPING=1"))
        clock.advance(.seconds(5))
        supervisor.tick()
        #expect(calls.all == ["drain", "stopNow", "forceExit"])
        #expect(supervisor.finish() == 1)
    }

    @Test("a stuck loop is told once, silences the watchdog, and is told when it is back")
    func stuckLoop() {
        let supervisor = makeSupervisor(clock: clock)
        let loop = hearts.register("committer", within: .seconds(3), at: clock.now)
        supervisor.tick()
        clock.advance(.seconds(4))
        supervisor.tick()
        supervisor.tick()
        #expect(notifier.told.all.filter { $0 == "WATCHDOG=1" }.count == 1)
        #expect(notifier.told.all.last == "STATUS=stuck: committer")
        loop.beat(at: clock.now)
        supervisor.tick()
        #expect(notifier.told.all.filter { $0 == "WATCHDOG=1" }.count == 2)
        #expect(
            log.lines.all == [
                "error A loop has not come round within its deadline. loop=committer seconds=4.0 s",
                "notice A loop comes round again. loop=committer",
            ])
        #expect(supervisor.finish() == 0)
    }

    @Test("the thread takes a request and ends when the query has finished", .timeLimit(.minutes(1)))
    func thread() throws {
        let supervisor = makeSupervisor(clock: SystemClock())
        try supervisor.start()
        supervisor.requestStop("the time is over")
        #expect(calls.all == ["drain"])
        #expect(supervisor.finish() == 0)
        #expect(log.lines.all == ["notice Stopping: finishing the open epoch. reason=the time is over"])
    }

    @Test("a signal to the waiting thread arrives without a handler", .timeLimit(.minutes(1)))
    func signal() {
        let seen = Collected<String>()
        let thread = SystemThread(name: "signals") {
            SignalMask.block()
            while let signal = SignalMask.wait(atMost: .seconds(30)), signal != .wake { seen.add(signal.name) }
        }
        thread?.send(signal: ServiceSignal.terminate.number)
        thread?.send(signal: ServiceSignal.hangUp.number)
        // Signals that are pending together arrive by number: SIGHUP 1, SIGUSR1 10, SIGTERM 15.
        let deadline = SystemClock().now + .seconds(30)
        while seen.all.count < 2, SystemClock().now < deadline {}
        thread?.send(signal: ServiceSignal.wake.number)
        thread?.join()
        #expect(Set(seen.all) == ["SIGTERM", "SIGHUP"])
    }
}
