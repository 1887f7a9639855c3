private import Synchronization

/// Messages from step machines to one step machine, in order.
///
/// Bounded softly: a sender looks at `isFull` before it begins a piece of work and answers `waiting` when it is; the
/// bytes behind the messages are bounded by the query's `MemoryBudget`.
public final class Channel<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var isSenderWaiting = false
    }

    public let capacity: Int
    private let state = Mutex(State())
    private let receiver: Signal
    private let senders = Mutex<[Signal]>([])

    /// - Parameter receiver: the signal of the machine that takes the messages.
    public init(capacity: Int, receiver: Signal) {
        self.capacity = capacity
        self.receiver = receiver
    }

    /// Senders that want to hear when the channel has room again.
    public func addSender(_ signal: Signal) { senders.withLock { $0.append(signal) } }

    public func send(_ message: sending Message) {
        state.withLock { $0.messages.append(message) }
        receiver.raise()
    }

    /// Whether a sender should hold back. Saying yes is remembered: the sender is woken when there is room.
    public var isFull: Bool {
        state.withLock {
            let isFull = $0.messages.count >= capacity
            if isFull { $0.isSenderWaiting = true }
            return isFull
        }
    }

    /// Everything that has arrived, oldest first.
    public func takeAll() -> [Message] {
        let (messages, wake) = state.withLock { state -> ([Message], Bool) in
            let taken = state.messages
            state.messages = []
            defer { state.isSenderWaiting = false }
            return (taken, state.isSenderWaiting)
        }
        if wake { senders.withLock { for sender in $0 { sender.raise() } } }
        return messages
    }

    /// The oldest message, if any.
    public func takeFirst() -> Message? {
        let (message, wake) = state.withLock { state -> (Message?, Bool) in
            guard !state.messages.isEmpty else { return (nil, false) }
            let first = state.messages.removeFirst()
            let wake = state.isSenderWaiting && state.messages.count < capacity
            if wake { state.isSenderWaiting = false }
            return (first, wake)
        }
        if wake { senders.withLock { for sender in $0 { sender.raise() } } }
        return message
    }
}
