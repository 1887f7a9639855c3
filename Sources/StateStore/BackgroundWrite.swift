internal import StreamCore
private import Synchronization

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// A call that writes to the disk on a thread of its own, while its task goes on with what comes next.
final class BackgroundWrite: Sendable {
    private let call: Call
    /// The thread, until somebody has waited for it. Whoever waits holds the lock.
    private let thread: Mutex<pthread_t?>

    /// Begins; where the system has no thread to give, the call is over when this returns.
    init(_ body: @escaping @Sendable () throws -> Void) {
        let call = Call(body)
        self.call = call
        var thread = pthread_t()
        let raw = unsafe Unmanaged.passRetained(call)
        let status = unsafe pthread_create(&thread, nil, runCall, raw.toOpaque())
        self.thread = Mutex(status == 0 ? thread : nil)
        if status != 0 {
            unsafe raw.release()
            call.run()
        }
    }

    /// Waits until the call is over.
    /// - Throws: what it threw.
    func wait() throws {
        thread.withLock { thread in
            if let running = thread { pthread_join(running, nil) }
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

private func runCall(_ raw: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // Safety: `init` retained exactly one call for this thread.
    guard let raw = unsafe raw else { return nil }
    unsafe Unmanaged<Call>.fromOpaque(raw).takeRetainedValue().run()
    return nil
}
