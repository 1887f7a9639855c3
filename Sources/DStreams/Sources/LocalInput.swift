import CommitProtocol
import StreamCore
import StreamEngine

/// The port of one source that is not Kafka: one split, read from its log by position.
final class LocalInput: InputPort {
    private static let blockBytesMax = 1 << 20

    private let split: Split
    private let log: any SourceLog
    private let settings: SourceSettings
    private let desk: SourceDesk
    private var reader: (any SourceReader)?
    private var events: [InputEvent] = []
    /// Next to read; nil while the split is not open.
    private var position: Position?
    private var toldEnd: Position?
    private var isPaused = false
    private var nextTurn = MonotonicTime.zero

    init(_ name: TopicName, _ log: any SourceLog, _ settings: SourceSettings) {
        split = Split(name, 0)
        self.log = log
        self.settings = settings
        desk = SourceDesk(split: split)
    }

    var onReady: (@Sendable () -> Void)? {
        get { desk.onReady }
        set { desk.onReady = newValue }
    }

    func start() {
        settings.commits.set(split.topic) { [log, desk] position in
            log.committed(position)
            desk.wake()
        }
        if !settings.options.runsSourcesInline { desk.startThread(log) }
    }

    // MARK: - Events

    func poll(bytesMax: Int) -> InputEvent? {
        if settings.options.runsSourcesInline { turnIfDue() }
        if let event = desk.take() { return event }
        if !events.isEmpty { return events.removeFirst() }
        guard bytesMax > 0, !isPaused, let position else { return nil }
        do {
            return try read(from: position, bytesMax: bytesMax)
        } catch {
            self.position = nil
            return .trouble(
                error as? StreamError
                    ?? StreamError(
                        "SOURCE_FAILED", "Could not read '\(split.topic)': \(error).", domain: .external, cause: error))
        }
    }

    private func turnIfDue() {
        let now = settings.clock.now
        guard desk.consumeWake() || now >= nextTurn else { return }
        nextTurn = log.turn(desk, now)
    }

    private func read(from position: Position, bytesMax: Int) throws -> InputEvent? {
        let reader = reader ?? log.makeReader()
        self.reader = reader
        let block = RecordBlock(topics: [split.topic])
        switch try reader.read(from: position, into: block, bytesMax: min(bytesMax, Self.blockBytesMax)) {
        case .upTo(let next):
            self.position = next
            if !block.isEmpty { return .records(block) }
            if next != position { return reachedEnd(next) }
            return nil
        case .nothing:
            // Moves over what holds no record, so that the lag comes to nothing.
            let isAtEnd = position.number == log.bounds.upperBound
            return isAtEnd && toldEnd != position ? reachedEnd(position) : nil
        case .lost(let next):
            self.position = nil
            return .dataLoss(split, at: position, next: next)
        }
    }

    private func reachedEnd(_ position: Position) -> InputEvent {
        toldEnd = position
        return .reachedEnd(split, position)
    }

    // MARK: - Commands

    func open(_ positions: [Split: Position]) {
        guard let position = positions[split] else { return }
        self.position = position
        toldEnd = nil
        log.begin(at: position)
        desk.wake()
        onReady?()
    }

    func release(_ splits: Set<Split>) {
        guard splits.contains(split) else { return }
        position = nil
        reader = nil
        log.giveBack()
        desk.wake()
    }

    func pause(_ splits: Set<Split>) {
        if splits.contains(split) { isPaused = true }
    }

    func resume(_ splits: Set<Split>) {
        guard splits.contains(split) else { return }
        isPaused = false
        onReady?()
    }

    /// Where there is no progress, everything that the log has is read: nothing of it was ever seen.
    func resolve(_ starts: [Split: StartPosition]) {
        guard starts[split] != nil else { return }
        events.append(.resolved([split: Position(log.bounds.lowerBound)]))
        onReady?()
    }

    func requestEnds(_ splits: Set<Split>) {
        guard splits.contains(split) else { return }
        events.append(.ends([split: Position(log.bounds.upperBound)]))
        onReady?()
    }

    func givesOneByOne(_ split: Split) -> Bool { log.givesOneByOne }

    func close(within: Duration) {
        settings.commits.set(split.topic, nil)
        position = nil
        reader = nil
        desk.close(log, within: within)
    }
}
