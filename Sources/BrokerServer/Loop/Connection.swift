/// A client's connection: its socket, what came of its next frame, its open questions, and what waits to be sent.
///
/// `LoopCore` moves the bytes; the rules by which it does are here.
final class Connection {
    let id: ConnectionID
    let socket: Int32
    let peer: String
    var poll: PollHandle?

    var frames: FrameBuffer
    /// Bytes that were read behind the last frame that could be handed on.
    var unread: [UInt8] = []
    /// Requests without an answer that was handed on; nil is the answer that nothing is sent for.
    var slots: SlotQueue<ResponseBytes?>
    var outgoing = OutgoingQueue()
    /// Bytes in `outgoing`, and of answers that wait for an earlier one.
    var unsent = 0

    /// The system took no more: it tells when it does.
    var isBlocked = false
    var isInputEnded = false
    var isClosing = false
    /// Work waits for it in the loop's list.
    var isTouched = false
    /// The loop, not the client, is the reason that nothing is read.
    var pausedSinceMs: Int64?
    /// Bytes counted in the loop's sum of unfinished frames.
    var counted = 0

    var activeMs: Int64
    var sentMs: Int64

    init(_ id: ConnectionID, socket: Int32, peer: String, limits: ServerLimits, nowMs: Int64) {
        self.id = id
        self.socket = socket
        self.peer = peer
        frames = FrameBuffer(frameBytesMax: limits.frameBytesMax)
        slots = SlotQueue(capacity: limits.requestsMax)
        activeMs = nowMs
        sentMs = nowMs
    }

    /// Nothing more comes, and nothing is left to say.
    var isDone: Bool { isInputEnded && slots.count == 0 && outgoing.isEmpty && unread.isEmpty }

    /// Whether another of its requests may be handed on.
    func mayAsk(_ limits: ServerLimits, unsentTotal: Int) -> Bool {
        guard !isClosing, !slots.isFull, unsent <= limits.unsentBytesMax else { return false }
        return unsent == 0 || unsentTotal <= limits.unsentTotalBytesMax
    }

    /// Why its time is over; nil while it is not.
    func overdue(_ limits: ServerLimits, nowMs: Int64) -> Overdue? {
        if !outgoing.isEmpty {
            return nowMs &- sentMs >= limits.stalledMs ? .stalled(bytes: outgoing.count) : nil
        }
        guard pausedSinceMs == nil else { return nil }
        if let deadline = frames.deadline(limitMs: limits.frameMs), nowMs >= deadline {
            return .frameUnfinished(bytes: frames.count)
        }
        return slots.count == 0 && nowMs &- activeMs >= limits.idleMs ? .idle : nil
    }

    /// When to look again, at the latest.
    func nextLookMs(_ limits: ServerLimits) -> Int64 {
        if !outgoing.isEmpty { return sentMs &+ limits.stalledMs }
        let idle = activeMs &+ limits.idleMs
        return min(frames.deadline(limitMs: limits.frameMs) ?? idle, idle)
    }

    enum Overdue: Equatable {
        case idle
        case frameUnfinished(bytes: Int)
        case stalled(bytes: Int)
    }
}
