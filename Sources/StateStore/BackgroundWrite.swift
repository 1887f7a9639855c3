internal import StreamCore
private import Synchronization

/// A call that writes to the disk on a thread of its own, while its task goes on with what comes next.
final class BackgroundWrite: Sendable {
    private let call: Call
    /// Until somebody has waited for it. Whoever waits holds the lock.
    private let thread: Mutex<SystemThread?>

    /// Begins; where the system has no thread to give, the call is over when this returns.
    init(_ body: @escaping @Sendable () throws -> Void) {
        let call = Call(body)
        self.call = call
        let thread = SystemThread(name: "state-write") { call.run() }
        self.thread = Mutex(thread)
        if thread == nil { call.run() }
    }

    /// Waits until the call is over.
    /// - Throws: what it threw.
    func wait() throws {
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        if let failure = call.failure.withLock({ $0 }) { throw failure }
    }
}

/// What the thread has to do, and why it could not.
private final class Call: Sendable {
    private let body: @Sendable () throws -> Void
    let failure = Mutex<(any Error)?>(nil)

    init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }

    func run() {
        do {
            try body()
        } catch {
            failure.withLock { $0 = error }
        }
    }
}
