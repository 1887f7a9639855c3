public import StreamCore
public import StreamEngine
import Synchronization

/// Hears of what a context does: Spark's `StreamingListener`. Every call has a default that does nothing.
///
/// Calls come on the engine's threads, several at a time: they must be quick, must not block, and keep nothing waiting.
public protocol StreamingListener: Sendable {
    /// The query runs; nothing is read yet.
    func onStreamingStarted()
    /// A batch that read or computed something is committed.
    func onBatchCompleted(_ progress: EpochProgress)
    /// A receiver's `onStart` has returned; also after each restart. `name` is the source's: `receiver:…`, `socket:…`.
    func onReceiverStarted(_ name: String)
    /// A receiver reported an error, or is started again because of one.
    func onReceiverError(_ name: String, _ message: String)
    /// A receiver's `onStop` has returned; also before each restart.
    func onReceiverStopped(_ name: String)
    /// The query is over, and everything of it closed.
    /// - Parameter failure: what ended it; nil after a stop.
    func onStreamingStopped(_ failure: StreamError?)
}

extension StreamingListener {
    /// Does nothing.
    public func onStreamingStarted() {}
    /// Does nothing.
    public func onBatchCompleted(_ progress: EpochProgress) {}
    /// Does nothing.
    public func onReceiverStarted(_ name: String) {}
    /// Does nothing.
    public func onReceiverError(_ name: String, _ message: String) {}
    /// Does nothing.
    public func onReceiverStopped(_ name: String) {}
    /// Does nothing.
    public func onStreamingStopped(_ failure: StreamError?) {}
}

/// All listeners of a context.
final class StreamingListeners: Sendable {
    private let all = Mutex<[any StreamingListener]>([])

    func add(_ listener: any StreamingListener) { all.withLock { $0.append(listener) } }

    func tell(_ body: (any StreamingListener) -> Void) {
        // Outside of the lock, so that a listener may add another one.
        for listener in all.withLock({ $0 }) { body(listener) }
    }
}

/// `onBatchCompleted { … }`.
struct BatchListener: StreamingListener {
    let body: @Sendable (EpochProgress) -> Void
    func onBatchCompleted(_ progress: EpochProgress) { body(progress) }
}
