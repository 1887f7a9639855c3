public import StreamCore
private import Synchronization

/// Runs each step machine on a thread of its own.
public final class ThreadScheduler: Sendable {
    private let clock: any EngineClock
    private let running = Mutex<[SystemThread]>([])
    /// Called on the machine's thread after each step: for watchdogs.
    private let onStep: @Sendable (String) -> Void

    public init(clock: any EngineClock, onStep: @escaping @Sendable (String) -> Void = { _ in }) {
        self.clock = clock
        self.onStep = onStep
    }

    /// The longest a machine sleeps, so that its watchdog hears from it when it is idle too.
    private static let sleepMax = Duration.seconds(1)

    /// Starts a thread for the machine.
    ///
    /// - Important: nobody else may touch the machine from here on; machines of one query share only what is safe to
    ///   share.
    public func start(_ machine: any StepMachine) {
        let clock = clock
        let onStep = onStep
        let confined = Confined(machine)
        let thread = startThread(name: machine.name) {
            let machine = confined.machine
            while true {
                let now = clock.now
                let result = machine.step(now: now)
                onStep(machine.name)
                switch result {
                case .ran: continue
                case .waiting(let until): machine.signal.wait(until: min(until, now + Self.sleepMax))
                case .finished: return
                }
            }
        }
        running.withLock { $0.append(thread) }
    }

    /// Waits until every machine is finished.
    public func join() {
        let threads = running.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
    }
}

/// Hands a machine to its thread.
private struct Confined: @unchecked Sendable {
    // Safety: whoever calls `start` gives the machine up, and only the new thread uses it.
    let machine: any StepMachine
    init(_ machine: any StepMachine) { self.machine = machine }
}
