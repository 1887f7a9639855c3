public import StreamCore
private import Synchronization

#if canImport(Glibc)
    public import Glibc
#elseif canImport(Musl)
    public import Musl
#endif

/// Runs each step machine on a thread of its own.
public final class ThreadScheduler: Sendable {
    private let clock: any EngineClock
    private let running = Mutex<[pthread_t]>([])
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
        let thread = startThread(name: machine.name, isJoined: true) {
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
        for thread in threads { pthread_join(thread, nil) }
    }
}

/// Hands a machine to its thread.
private struct Confined: @unchecked Sendable {
    // Safety: whoever calls `start` gives the machine up, and only the new thread uses it.
    let machine: any StepMachine
    init(_ machine: any StepMachine) { self.machine = machine }
}

/// A named thread (Linux shows 15 characters) that runs `body` once. For blocking work behind ports, too.
/// - Parameter isJoined: somebody waits for its end with `pthread_join`; else the system takes it back by itself.
@discardableResult
public func startThread(
    name: String, isJoined: Bool = false, _ body: @escaping @Sendable () -> Void
) -> pthread_t {
    final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name, body))
    let code = pthread_create(
        &thread, nil,
        { raw in
            guard let raw else { return nil }
            let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
            nameThisThread(start.name)
            start.body()
            return nil
        }, start.toOpaque())
    precondition(code == 0, "the system refused a thread (error \(code)): raise its limit of processes")
    if !isJoined { pthread_detach(thread) }
    return thread
}

/// For `top -H` and debuggers. glibc's call for it is not visible to Swift; the kernel takes it by file as well.
private func nameThisThread(_ name: String) {
    guard let file = fopen("/proc/thread-self/comm", "w") else { return }
    fputs(String(name.prefix(15)), file)
    fclose(file)
}
