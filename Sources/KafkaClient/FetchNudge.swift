import StreamCore
import Synchronization

/// Wakes librdkafka's fetchers when the full queue of fetched records has been emptied far enough.
///
/// Before 2.3 a broker's thread that finds the queue full goes to sleep until something else wakes it, at most for a
/// second (librdkafka #2879): whatever is faster than the query stood still for most of the time. Any request to that
/// broker wakes its thread, so a cheap one is made. Newer versions look again after `fetch.queue.backoff.ms`.
final class FetchNudge: Sendable {
    private let client: SharedClient
    private let worker = WorkerThread()
    private let isUnderWay = Mutex(false)
    private static let within = Duration.seconds(1)

    init(_ client: SharedClient) { self.client = client }

    /// Asks the leaders of these splits for an offset. Never waits; one question at a time.
    func nudge(_ splits: @autoclosure () -> Set<Split>) {
        let isFirst = isUnderWay.withLock { isUnderWay in
            defer { isUnderWay = true }
            return !isUnderWay
        }
        guard isFirst else { return }
        let asked = splits()
        worker.submit { [self] in
            // Nobody needs the answer, and what is wrong with a broker is told by its own events.
            _ = try? client.offsets(of: asked, at: SharedClient.latest, within: Self.within)
            isUnderWay.withLock { $0 = false }
        }
    }

    /// Does not wait for a question that is under way.
    func stop() { worker.stop(within: .zero) }
}

/// Judges from outside when librdkafka's fetchers have stopped at a full queue and could go on: `FetchNudge`'s
/// decision. Pure.
struct FetchGauge {
    /// librdkafka stops at so many bytes of values (`queued.max.messages.kbytes`)…
    let bytesMax: Int
    /// …or at so many records (`queued.min.messages`): what it keeps beside each value, some 350 bytes, has no other
    /// limit.
    var recordsMax: Int { min(1_000_000, max(1_000, bytesMax / 256)) }
    private var wasFull = false
    // Sizes are estimates, so full begins early; below the second a fetch brings more before the queue is empty.
    private static let full = 0.7
    private static let half = 0.5

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Takes note of the queue's length.
    /// - Returns: whether it was full and is half empty now, once.
    mutating func note(records: Int, bytesPerRecord: Int) -> Bool {
        let level = max(
            Double(records) / Double(recordsMax), Double(records) * Double(bytesPerRecord) / Double(bytesMax))
        if level >= Self.full { wasFull = true }
        guard wasFull, level < Self.half else { return false }
        wasFull = false
        return true
    }
}
