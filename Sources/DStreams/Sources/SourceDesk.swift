import CommitProtocol
import StreamCore
import StreamEngine
import Synchronization

/// Between a source's work and its port: events one way, a wake-up the other. Runs the work on a thread of its own, or
/// in the caller's for simulations.
final class SourceDesk: Sendable {
    private struct State {
        var events: [InputEvent] = []
        var onReady: (@Sendable () -> Void)?
        var isAnnounced = false
        var isThreadStarted = false
    }

    let split: Split
    private let state = Mutex(State())
    private let signal = Signal()
    private let ended = Signal()
    private let closed = Atomic<Bool>(false)

    init(split: Split) { self.split = split }

    var onReady: (@Sendable () -> Void)? {
        get { state.withLock { $0.onReady } }
        set { state.withLock { $0.onReady = newValue } }
    }

    // MARK: - From the work

    func post(_ event: InputEvent) {
        state.withLock { state in
            state.events.append(event)
            return state.onReady
        }?()
    }

    /// The split is there; said once.
    func announce() {
        let isNew = state.withLock { state in
            defer { state.isAnnounced = true }
            return !state.isAnnounced
        }
        if isNew { post(.assigned([split])) }
    }

    /// There is more to read.
    func changed() { onReady?() }

    // MARK: - To the work

    func take() -> InputEvent? { state.withLock { $0.events.isEmpty ? nil : $0.events.removeFirst() } }
    func wake() { signal.raise() }
    func consumeWake() -> Bool { signal.consume() }

    func startThread(_ log: any SourceLog) {
        state.withLock { $0.isThreadStarted = true }
        StreamCore.startThread(name: "source") { [self] in
            let clock = SystemClock()
            while !closed.load(ordering: .acquiring) {
                signal.wait(until: log.turn(self, clock.now))
            }
            log.close()
            ended.raise()
        }
    }

    /// Ends the thread, or gives it up after so long: a receiver's code may hang.
    func close(_ log: any SourceLog, within: Duration) {
        closed.store(true, ordering: .releasing)
        signal.raise()
        if state.withLock({ $0.isThreadStarted }) {
            ended.wait(until: SystemClock().now + within)
        } else {
            log.close()
        }
        state.withLock { state in
            state.events.removeAll()
            state.onReady = nil
        }
    }
}
