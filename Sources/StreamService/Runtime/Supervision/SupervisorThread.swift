private import Glibc
private import Synchronization

/// A thread of the operating system that runs one function, can be woken by a signal of its own, and is joined.
package final class SupervisorThread: Sendable {
    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let id: Mutex<pthread_t?>

    /// Starts at once. Gives nil where the system has no thread left.
    package init?(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(
            Box {
                SignalMask.block()
                body()
            })
        let result = pthread_create(
            &thread, nil,
            { context in
                context.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        id = Mutex(result == 0 ? thread : nil)
        guard result == 0 else {
            box.release()
            return nil
        }
    }

    /// Sends a signal to this thread alone; nothing after `join`.
    package func send(_ signal: ServiceSignal) {
        id.withLock { id in
            if let id { pthread_kill(id, signal.number) }
        }
    }

    /// Waits until the function has returned. Once; later calls return at once.
    package func join() {
        let thread = id.withLock { id in
            defer { id = nil }
            return id
        }
        if let thread { pthread_join(thread, nil) }
    }
}
