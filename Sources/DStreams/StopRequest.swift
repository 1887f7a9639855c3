import StreamCore
import StreamEngine
import Synchronization

/// "Stop", said to whoever is still opening a query's ports.
public final class StopRequest: Sendable {
    private let requested = Atomic<Bool>(false)
    private let signal = Signal()
    private let clock: any EngineClock

    init(clock: any EngineClock) { self.clock = clock }

    public var isRequested: Bool { requested.load(ordering: .acquiring) }

    func request() {
        requested.store(true, ordering: .releasing)
        signal.raise()
    }

    /// Waits so long, or until the request comes. For one thread.
    /// - Returns: whether it has come.
    public func wait(for duration: Duration) -> Bool {
        if !isRequested { signal.wait(until: clock.now + duration) }
        return isRequested
    }
}
