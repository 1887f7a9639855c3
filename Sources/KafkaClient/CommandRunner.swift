import CommitProtocol
import StreamCore
import Synchronization

/// What carries commands out, one after the other, on one thread; it may block.
protocol CommandSession: AnyObject {
    func execute(_ command: TransactionCommand) -> TransactionEvent
    /// Now and then between commands.
    func tick()
    func close(within: Duration)
}

/// The thread of a transaction port: commands in order, an event for each, nothing after a failure until `initialize`.
final class CommandRunner: @unchecked Sendable {
    // Safety: `session` and `hasFailed` are touched by the worker's thread alone; the rest is behind mutexes.
    private let session: any CommandSession
    private var hasFailed = false
    private let worker = WorkerThread()
    private let events = Mutex<[TransactionEvent]>([])
    private let notify = Callback()

    init(_ session: any CommandSession) {
        self.session = session
        tickLater()
    }

    var onReady: (@Sendable () -> Void)? {
        get { notify.body }
        set { notify.body = newValue }
    }

    func submit(_ command: TransactionCommand) {
        worker.submit { [self] in run(command) }
    }

    func poll() -> TransactionEvent? { events.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

    func close(within: Duration) {
        onReady = nil
        let deadline = SystemClock().now + within
        worker.submit { [self] in
            session.close(within: max(.milliseconds(1), deadline - SystemClock().now))
        }
        worker.stop(within: within)
    }

    private func run(_ command: TransactionCommand) {
        if case .initialize = command { hasFailed = false }
        // A stop drops what waits; a failure makes it meaningless.
        guard !hasFailed, !worker.isToStop else { return }
        let event = session.execute(command)
        if case .failed = event { hasFailed = true }
        events.withLock { $0.append(event) }
        notify()
    }

    private func tickLater() {
        worker.submit(after: .milliseconds(250)) { [weak self] in
            guard let self else { return }
            session.tick()
            tickLater()
        }
    }
}
