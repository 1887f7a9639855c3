private import Synchronization

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// A thread of the operating system that runs one function: for what blocks, and for machines that are stepped by one
/// thread alone. Safe from any thread.
public final class SystemThread: Sendable {
    /// Nil once somebody waits for its end, or has.
    private let id: Mutex<pthread_t?>

    /// Starts at once. Gives nil where the system has no thread left.
    /// - Parameter name: for `top -H` and debuggers; Linux shows 15 characters.
    public init?(name: String, _ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        guard unsafe pthread_create(&thread, nil, runStart, start.toOpaque()) == 0 else {
            unsafe start.release()
            return nil
        }
        id = Mutex(thread)
    }

    /// Waits until the function has returned. Once; later calls return at once.
    public func join() {
        let thread = id.withLock { id in
            defer { id = nil }
            return id
        }
        if let thread { pthread_join(thread, nil) }
    }

    /// Sends a signal to this thread alone; nothing after `join`.
    public func send(signal number: Int32) {
        id.withLock { id in
            if let id { pthread_kill(id, number) }
        }
    }

    /// A thread that nobody waits for is taken back by the system when its function has returned.
    deinit {
        if let thread = id.withLock({ $0 }) { pthread_detach(thread) }
    }
}

/// Runs a function on a thread of its own, where there is no way on without it.
/// - Parameter name: for `top -H` and debuggers; Linux shows 15 characters.
/// - Returns: the thread, for whoever waits for its end.
@discardableResult
public func startThread(name: String, _ body: @escaping @Sendable () -> Void) -> SystemThread {
    guard let thread = SystemThread(name: name, body) else {
        preconditionFailure("the system refused a thread: raise its limit of processes")
    }
    return thread
}

/// What a new thread has to do.
private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
}

private func runStart(_ raw: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let raw = unsafe raw else { return nil }
    // Safety: `init` retained exactly one for this thread.
    let start = unsafe Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
    nameThisThread(start.name)
    start.body()
    return nil
}

/// glibc's call for it is not visible to Swift; the kernel takes it by file as well.
private func nameThisThread(_ name: String) {
    guard let file = unsafe fopen("/proc/thread-self/comm", "w") else { return }
    unsafe fputs(String(name.prefix(15)), file)
    unsafe fclose(file)
}
