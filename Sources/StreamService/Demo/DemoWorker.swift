import StreamCore
import StreamEngine
import Synchronization

/// A thread of a demo: does something again and again until it is stopped.
final class DemoWorker: Sendable {
    /// Wakes the thread early.
    let signal = Signal()
    private let isStopping = Atomic(false)
    private let isDone = Atomic(false)
    private let done = Signal()

    /// - Parameters:
    ///   - pause: how long it waits between two turns, unless the signal is raised.
    ///   - body: makes what the thread uses, and gives the turn and the end back.
    func start(
        name: String, every pause: Duration,
        _ body: @escaping @Sendable (Signal) -> (turn: () -> Void, end: () -> Void)?
    ) {
        startThread(name: name) { [self] in
            let clock = SystemClock()
            if let work = body(signal) {
                while !isStopping.load(ordering: .acquiring) {
                    work.turn()
                    signal.wait(until: clock.now + pause)
                }
                work.end()
            }
            isDone.store(true, ordering: .releasing)
            done.raise()
        }
    }

    /// Ends the thread after its present turn, and waits for that.
    /// - Returns: false where it takes longer; it then ends by itself.
    @discardableResult
    func stop(within: Duration) -> Bool {
        isStopping.store(true, ordering: .releasing)
        signal.raise()
        // A signal is taken down by the first who waits for it.
        if !isDone.load(ordering: .acquiring) { done.wait(until: SystemClock().now + within) }
        return isDone.load(ordering: .acquiring)
    }
}
