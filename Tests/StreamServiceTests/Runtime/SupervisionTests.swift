import StreamCore
import StreamService
import Testing

@Suite("Heartbeats")
struct HeartbeatsTests {
    @Test("a loop is overdue only past its deadline, and not once it ended")
    func overdue() {
        let clock = HandClock()
        let hearts = Heartbeats()
        let driver = hearts.register("driver", within: .seconds(2), at: clock.now)
        let task = hearts.register("task-0", within: .seconds(10), at: clock.now)
        clock.advance(.seconds(2))
        #expect(hearts.overdue(at: clock.now).isEmpty)
        clock.advance(.nanoseconds(1))
        #expect(hearts.overdue(at: clock.now).map(\.loop) == ["driver"])
        driver.beat(at: clock.now)
        #expect(hearts.overdue(at: clock.now).isEmpty)
        clock.advance(.seconds(60))
        driver.end()
        #expect(hearts.pulses(at: clock.now).map(\.loop) == ["task-0"])
        #expect(hearts.overdue(at: clock.now).first?.age == .nanoseconds(62_000_000_001))
        task.end()
        #expect(hearts.pulses(at: clock.now).isEmpty)
    }
}

@Suite("Notifications to systemd")
struct NotificationPlanTests {
    private func health(ready: Bool = true, stopping: Bool = false, beats: Bool = true, _ status: String = "s")
        -> NotificationPlan.Health
    {
        .init(isReady: ready, isStopping: stopping, allLoopsBeat: beats, status: status)
    }

    @Test("the watchdog hears of life at half its interval, and nothing while a loop is stuck")
    func watchdog() {
        let clock = HandClock()
        var plan = NotificationPlan(startedAt: clock.now, watchdogInterval: .seconds(10))
        #expect(plan.lines(health(), at: clock.now) == ["READY=1", "STATUS=s", "WATCHDOG=1"])
        clock.advance(.milliseconds(4999))
        #expect(plan.lines(health(), at: clock.now).isEmpty)
        clock.advance(.milliseconds(1))
        #expect(plan.lines(health(beats: false), at: clock.now).isEmpty)
        clock.advance(.seconds(30))
        #expect(plan.lines(health(beats: false), at: clock.now).isEmpty)
        #expect(plan.lines(health(), at: clock.now) == ["WATCHDOG=1"])
    }

    @Test("READY comes when the query is ready, or after its deadline; until then the start is extended")
    func ready() {
        let clock = HandClock()
        var plan = NotificationPlan(startedAt: clock.now, watchdogInterval: nil, readyWithin: .seconds(3))
        #expect(plan.lines(health(ready: false), at: clock.now) == ["EXTEND_TIMEOUT_USEC=10000000", "STATUS=s"])
        clock.advance(.milliseconds(500))
        #expect(plan.lines(health(ready: false), at: clock.now).isEmpty)
        clock.advance(.milliseconds(500))
        #expect(plan.lines(health(ready: false), at: clock.now) == ["EXTEND_TIMEOUT_USEC=10000000"])
        clock.advance(.seconds(2))
        #expect(plan.lines(health(ready: false), at: clock.now) == ["READY=1"])
        #expect(plan.lines(health(), at: clock.now).isEmpty)
    }

    @Test("stopping is said once, and extends the time-out while loops come round")
    func stopping() {
        let clock = HandClock()
        var plan = NotificationPlan(startedAt: clock.now, watchdogInterval: nil)
        _ = plan.lines(health(), at: clock.now)
        clock.advance(.seconds(2))
        #expect(
            plan.lines(health(stopping: true, "draining"), at: clock.now)
                == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=10000000", "STATUS=draining"])
        clock.advance(.seconds(1))
        #expect(plan.lines(health(stopping: true, beats: false, "draining"), at: clock.now).isEmpty)
        #expect(plan.lines(health(stopping: true, "draining"), at: clock.now) == ["EXTEND_TIMEOUT_USEC=10000000"])
    }

    @Test("a status that changes all the time is told once a second")
    func statusRate() {
        let clock = HandClock()
        var plan = NotificationPlan(startedAt: clock.now, watchdogInterval: nil)
        var told = 0
        for number in 0..<20 {
            told += plan.lines(health("\(number)"), at: clock.now).filter { $0.hasPrefix("STATUS=") }.count
            clock.advance(.milliseconds(100))
        }
        #expect(told == 2)
    }
}

@Suite("Shutdown")
struct ShutdownMachineTests {
    @Test("one signal drains; the end of the query is exit code 0")
    func drains() {
        let clock = HandClock()
        var machine = ShutdownMachine()
        #expect(machine.handle(.tick, at: clock.now) == nil)
        #expect(!machine.isStopping)
        #expect(machine.handle(.stopRequested, at: clock.now) == .drain(until: clock.now + .seconds(25)))
        #expect(machine.isStopping)
        clock.advance(.seconds(3))
        #expect(machine.handle(.tick, at: clock.now) == nil)
        #expect(machine.handle(.finished, at: clock.now) == nil)
        #expect(machine.exitCode == 0)
        #expect(machine.handle(.stopRequested, at: clock.now) == nil)
    }

    @Test("a second signal stops at once with exit code 1; the same key press twice does not")
    func second() {
        let clock = HandClock()
        var machine = ShutdownMachine()
        _ = machine.handle(.stopRequested, at: clock.now)
        clock.advance(.milliseconds(249))
        #expect(machine.handle(.stopRequested, at: clock.now) == nil)
        clock.advance(.milliseconds(1))
        #expect(machine.handle(.stopRequested, at: clock.now) == .stopNow(because: .askedTwice))
        #expect(machine.handle(.stopRequested, at: clock.now) == nil)
        _ = machine.handle(.finished, at: clock.now)
        #expect(machine.exitCode == 1)
    }

    @Test("a drain that takes too long drops the epoch; a close that hangs is left by force")
    func deadlines() {
        let clock = HandClock()
        var machine = ShutdownMachine(drainDeadline: .seconds(2), closeDeadline: .seconds(1))
        _ = machine.handle(.stopRequested, at: clock.now)
        clock.advance(.seconds(2))
        #expect(machine.handle(.tick, at: clock.now) == .stopNow(because: .deadlinePassed))
        clock.advance(.milliseconds(999))
        #expect(machine.handle(.tick, at: clock.now) == nil)
        clock.advance(.milliseconds(1))
        #expect(machine.handle(.tick, at: clock.now) == .forceExit)
        #expect(machine.handle(.tick, at: clock.now) == nil)
        #expect(machine.exitCode == 1)
    }

    @Test("a query that ends by itself is exit code 0")
    func natural() {
        var machine = ShutdownMachine()
        _ = machine.handle(.finished, at: .zero)
        #expect(machine.exitCode == 0)
        #expect(!machine.phase.isRunning)
    }
}

extension ShutdownMachine.Phase {
    fileprivate var isRunning: Bool { self == .running }
}
