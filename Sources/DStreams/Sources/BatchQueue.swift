import CommitProtocol
import StreamCore
import StreamEngine
import Synchronization

/// Batches that a program gives to a stream, one after the other, also while the query runs: Spark's queue of RDDs.
///
/// For tests and demonstrations. It lives in memory: a batch whose query was killed is not given again by the next
/// process.
public final class BatchQueue<Element: Sendable>: Sendable {
    /// One batch: a position for each element, and one for its end, so that an empty batch has its turn too.
    private struct Batch {
        var start: Int64
        var elements: [Element]
        var end: Int64 { start + Int64(elements.count) }
    }

    private struct State {
        var batches: [Batch] = []
        var first: Int64 = 0
        var next: Int64 = 0
        var isRead = false
        var onAppend: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    public init(_ batches: [[Element]] = []) {
        for batch in batches { append(batch) }
    }

    /// Puts a batch behind those that wait. From any thread.
    public func append(_ batch: [Element]) {
        state.withLock { state in
            state.batches.append(Batch(start: state.next, elements: batch))
            state.next += Int64(batch.count) + 1
            return state.onAppend
        }?()
    }

    var onAppend: (@Sendable () -> Void)? {
        get { state.withLock { $0.onAppend } }
        set { state.withLock { $0.onAppend = newValue } }
    }

    var bounds: Range<Int64> { state.withLock { ($0.batches.first?.start ?? $0.next)..<$0.next } }

    /// Positions begin here or later, behind those of an earlier process: its plans must not meet other elements.
    /// Without effect once something was read.
    func begin(at position: Int64) {
        state.withLock { state in
            let shift = position - state.first
            guard !state.isRead, shift > 0 else { return }
            state.first = position
            for index in state.batches.indices { state.batches[index].start += shift }
            state.next += shift
        }
    }

    func drop(before position: Int64) {
        state.withLock { state in
            state.batches.removeAll { $0.end < position || ($0.end == position && !$0.elements.isEmpty) }
        }
    }

    /// The element at a place, or nil if it was dropped.
    func element(at offset: Offset) -> Element? {
        state.withLock { state in
            guard let batch = Self.batch(state, at: offset.number), offset.number < batch.end else { return nil }
            return batch.elements[Int(offset.number - batch.start)]
        }
    }

    /// The batch that a position lies in: where it starts, and where its elements end.
    func extent(at position: Int64) -> (start: Int64, end: Int64)? {
        state.withLock { state in
            guard let batch = Self.batch(state, at: position) else { return nil }
            state.isRead = true
            return (batch.start, batch.end)
        }
    }

    private static func batch(_ state: State, at position: Int64) -> Batch? {
        state.batches.first { $0.start <= position && position <= $0.end }
    }
}

struct QueueSource<Element: Sendable>: LocalSource {
    let name: TopicName
    let queue: BatchQueue<Element>
    let oneAtATime: Bool

    func makeLog(_ settings: SourceSettings) -> any SourceLog {
        QueueLog(queue: queue, oneAtATime: oneAtATime, settings: settings)
    }
}

/// Gives the batches of a queue to the query's batches.
final class QueueLog<Element: Sendable>: SourceLog {
    private let queue: BatchQueue<Element>
    private let oneAtATime: Bool
    private let settings: SourceSettings

    init(queue: BatchQueue<Element>, oneAtATime: Bool, settings: SourceSettings) {
        self.queue = queue
        self.oneAtATime = oneAtATime
        self.settings = settings
        queue.begin(at: MemoryPositions.first(settings.clock))
    }

    func turn(_ desk: SourceDesk, _ now: MonotonicTime) -> MonotonicTime {
        queue.onAppend = { desk.changed() }
        desk.announce()
        return .distantFuture
    }

    func begin(at position: Position) { queue.begin(at: position.number) }
    func giveBack() {}
    var bounds: Range<Int64> { queue.bounds }
    var givesOneByOne: Bool { oneAtATime }
    func committed(_ position: Position) { queue.drop(before: position.number) }
    func close() { queue.onAppend = nil }

    func makeReader() -> any SourceReader {
        let step = oneAtATime ? max(1, settings.batchInterval.nanoseconds / 1_000_000) : nil
        return QueueReader(queue, stepMs: step, clock: settings.clock)
    }
}

/// Positions of logs that live in memory: microseconds of the time of their making, so that they lie behind those of
/// every earlier process and a plan that one of those left behind finds nothing instead of other records.
enum MemoryPositions {
    static func first(_ clock: any EngineClock) -> Int64 { max(0, clock.wallMilliseconds) * 1000 }
}

/// Hands out at most one batch of the queue in each interval, or all there are.
private final class QueueReader<Element: Sendable>: SourceReader {
    private let queue: BatchQueue<Element>
    private let stepMs: Int64?
    private let clock: any EngineClock
    /// The interval in which the last batch was begun.
    private var lastTick: Int64?

    init(_ queue: BatchQueue<Element>, stepMs: Int64?, clock: any EngineClock) {
        self.queue = queue
        self.stepMs = stepMs
        self.clock = clock
    }

    func read(from position: Position, into block: RecordBlock, bytesMax: Int) -> SourceRead {
        let bounds = queue.bounds
        if position.number < bounds.lowerBound { return .upTo(Position(bounds.lowerBound)) }
        guard let (start, end) = queue.extent(at: position.number) else { return .nothing }
        if position.number == start, let stepMs {
            let tick = clock.wallMilliseconds / stepMs
            if tick == lastTick { return .nothing }
            lastTick = tick
        }
        let count = min(end - position.number, max(1, Int64(bytesMax / MemoryLayout<RecordSlot>.stride)))
        for offset in position.number..<position.number + count {
            block.slots.append(RecordSlot(value: .null, offset: offset, topic: 0, partition: 0))
        }
        let next = position.number + count
        return .upTo(Position(next == end ? end + 1 : next))
    }
}
