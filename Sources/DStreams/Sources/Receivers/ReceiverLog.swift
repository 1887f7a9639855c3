import CommitProtocol
import StreamCore
import StreamEngine
import Synchronization

struct ReceiverSource: LocalSource {
    let name: TopicName
    let receiver: any Receiver

    func check(_ settings: SourceSettings) throws {
        guard settings.stateFolder == nil, !settings.options.keepsSourcesInMemory else { return }
        throw StreamError(
            "STATE_FOLDER_NEEDED",
            "What '\(name)' receives has nowhere to be kept: '\(settings.query)' has no state folder.",
            remedy: "Set the option 'stateFolder' (or MILLRACE_STATE_DIR), or, if what is on its way may be lost when "
                + "the process dies, the option 'keepsSourcesInMemory'.", domain: .user)
    }

    func makeLog(_ settings: SourceSettings) -> any SourceLog {
        let budget = max(1 << 20, settings.options.receiverLogBytesMax)
        let records: any ReceivedRecords =
            settings.folder(of: name).map { SegmentLog(path: $0, segmentBytes: min(8 << 20, budget / 4)) }
            ?? MemoryRecords(first: MemoryPositions.first(settings.clock))
        return ReceiverLog(name, receiver, records, budget: budget, settings)
    }
}

/// Runs a receiver, restarts it, and keeps what it stores until it is committed.
final class ReceiverLog: SourceLog {
    struct State {
        /// The receiver is wanted: the split is open.
        var isWanted = false
        var isGivenBack = false
        var isOpen = false
        /// The store of this number may be used; 0: none.
        var current = 0
        var lastNumber = 0
        var restartReason: String?
        var hasStored = false
        var backOff = ReceiverLog.firstBackOff
        var nextStart = MonotonicTime.zero
        var committed: Int64 = 0
        var buffered: [Record] = []
        var bufferedBytes = 0
        var bufferTrouble: StreamError?
        var rate: RateLimit?
    }

    static let firstBackOff = Duration.milliseconds(200)
    private static let backOffMax = Duration.seconds(10)
    private static let blockInterval = Duration.milliseconds(200)
    private static let blockBytes = 64 << 10

    let name: TopicName
    private let receiver: any Receiver
    private let records: any ReceivedRecords
    private let budget: Int
    private let settings: SourceSettings
    private let state: Mutex<State>
    private let waiting = WaitingRoom()
    private let desk = Mutex<SourceDesk?>(nil)

    init(
        _ name: TopicName, _ receiver: any Receiver, _ records: any ReceivedRecords, budget: Int,
        _ settings: SourceSettings
    ) {
        self.name = name
        self.receiver = receiver
        self.records = records
        self.budget = budget
        self.settings = settings
        var state = State()
        state.rate = settings.options.receiverMaxRate.map { RateLimit(perSecond: $0) }
        self.state = Mutex(state)
    }

    // MARK: - Work

    func turn(_ desk: SourceDesk, _ now: MonotonicTime) -> MonotonicTime {
        self.desk.withLock { $0 = desk }
        if state.withLock({ $0.isGivenBack }) {
            letGo()
            return .distantFuture
        }
        do {
            guard try state.withLock({ $0.isOpen }) || records.open() else { return now + .milliseconds(500) }
        } catch {
            desk.post(.trouble(Self.streamError(error, name)))
            return .distantFuture
        }
        let committed = state.withLock { state in
            state.isOpen = true
            return state.committed
        }
        desk.announce()
        desk.changed()
        records.trim(before: committed)
        waiting.wake()
        flush()
        restartIfAsked(now)
        startIfDue(now)
        return nextTurn(now)
    }

    private func nextTurn(_ now: MonotonicTime) -> MonotonicTime {
        state.withLock { state in
            guard state.isWanted else { return .distantFuture }
            if state.current == 0 { return state.nextStart }
            return state.buffered.isEmpty ? .distantFuture : now + Self.blockInterval
        }
    }

    private func startIfDue(_ now: MonotonicTime) {
        let number = state.withLock { state -> Int? in
            guard state.isWanted, state.current == 0, now >= state.nextStart else { return nil }
            state.lastNumber += 1
            state.current = state.lastNumber
            state.hasStored = false
            return state.current
        }
        guard let number else { return }
        do {
            try receiver.onStart(ReceiverStore(self, number: number))
            settings.listeners.tell { $0.onReceiverStarted(name.text) }
        } catch {
            restart(number, "it could not start", error)
            restartIfAsked(now)
        }
    }

    private func restartIfAsked(_ now: MonotonicTime) {
        let reason = state.withLock { state -> String? in
            guard let reason = state.restartReason else { return nil }
            state.restartReason = nil
            state.current = 0
            if state.hasStored { state.backOff = Self.firstBackOff }
            state.nextStart = now + state.backOff
            return reason
        }
        guard let reason else { return }
        stopReceiver()
        let pause = state.withLock { state in
            defer { state.backOff = min(state.backOff * 2, Self.backOffMax) }
            return state.backOff
        }
        settings.listeners.tell { $0.onReceiverError(name.text, reason) }
        settings.log.warning(
            "The receiver '\(name)' is started again in \(pause): \(reason).", LogField("query", settings.query))
    }

    private func stopReceiver() {
        waiting.wake()
        receiver.onStop()
        flush()
        settings.listeners.tell { $0.onReceiverStopped(name.text) }
    }

    /// Ends the receiver and gives the log away.
    private func letGo() {
        let wasRunning = state.withLock { state in
            defer { state.current = 0 }
            state.restartReason = nil
            return state.current != 0
        }
        if wasRunning { stopReceiver() }
        if state.withLock({ $0.isOpen }) { records.letGo() }
        state.withLock { state in
            state.isOpen = false
            state.isWanted = state.isWanted && !state.isGivenBack
        }
    }

    func close() {
        state.withLock { $0.isGivenBack = true }
        letGo()
    }

    // MARK: - The receiver's side

    func isCurrent(_ number: Int) -> Bool { state.withLock { $0.current == number } }

    func store(_ records: [Record], _ number: Int) throws {
        guard !records.isEmpty else { return }
        try Self.check(records, name)
        try waitForTurn(records.count, number)
        try append(records)
        state.withLock { $0.hasStored = true }
        desk.withLock { $0 }?.changed()
    }

    func buffer(_ record: Record, _ number: Int) throws {
        try Self.check([record], name)
        try waitForTurn(1, number)
        let (isFull, isFirst) = try state.withLock { state in
            if let trouble = state.bufferTrouble {
                state.bufferTrouble = nil
                throw trouble
            }
            state.buffered.append(record)
            state.bufferedBytes += record.key.count + record.value.count
            state.hasStored = true
            return (state.bufferedBytes >= Self.blockBytes, state.buffered.count == 1)
        }
        if isFull { flush() } else if isFirst { desk.withLock { $0 }?.wake() }
    }

    /// Stores what came one by one.
    private func flush() {
        let records = state.withLock { state in
            defer { (state.buffered, state.bufferedBytes) = ([], 0) }
            return state.buffered
        }
        guard !records.isEmpty else { return }
        do {
            try append(records)
            desk.withLock { $0 }?.changed()
        } catch {
            let trouble = Self.streamError(error, name)
            settings.log.error("\(records.count) records of '\(name)' could not be stored: \(trouble)")
            state.withLock { $0.bufferTrouble = trouble }
        }
    }

    private func append(_ records: [Record]) throws { try self.records.append(records) }

    /// Waits for room in the log and for the rate.
    private func waitForTurn(_ count: Int, _ number: Int) throws {
        _ = waiting.wait { !isCurrent(number) || !isFull }
        guard isCurrent(number) else { throw stopped }
        let due = state.withLock { $0.rate?.reserve(count, SystemClock().now) }
        if let due { _ = waiting.wait(until: due) { !isCurrent(number) } }
        guard isCurrent(number) else { throw stopped }
    }

    private var isFull: Bool {
        records.heldBytes(behind: state.withLock { $0.committed }) >= budget
    }

    func restart(_ number: Int, _ reason: String, _ error: (any Error)?) {
        let text = error.map { "\(reason): \($0)" } ?? reason
        let isNew = state.withLock { state in
            guard state.current == number else { return false }
            state.restartReason = text
            return true
        }
        if isNew { desk.withLock { $0 }?.wake() }
    }

    func reportError(_ message: String, _ error: (any Error)?) {
        let text = error.map { "\(message): \($0)" } ?? message
        settings.listeners.tell { $0.onReceiverError(name.text, text) }
        settings.log.error("The receiver '\(name)' reports: \(text).", LogField("query", settings.query))
    }

    private var stopped: StreamError {
        StreamError("RECEIVER_STOPPED", "The receiver '\(name)' was stopped.", recovery: .retry)
    }

    private static func check(_ records: [Record], _ name: TopicName) throws {
        let limit = SegmentFrame.recordBytesMax - 1024
        for record in records {
            let headers = record.headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) + 12 }
            let size = record.key.count + record.value.count + headers
            guard size <= limit else {
                throw StreamError("RECORD_TOO_LARGE", "A record of '\(name)' has \(size) bytes.", domain: .user)
            }
        }
    }

    private static func streamError(_ error: any Error, _ name: TopicName) -> StreamError {
        error as? StreamError
            ?? StreamError("SOURCE_FAILED", "'\(name)' failed: \(error).", domain: .external, cause: error)
    }

    // MARK: - The port's side

    func begin(at position: Position) {
        records.begin(at: position.number)
        state.withLock { state in
            state.isWanted = true
            state.isGivenBack = false
            state.committed = max(state.committed, position.number)
        }
    }

    func giveBack() {
        state.withLock { state in
            state.isGivenBack = true
            state.isWanted = false
        }
    }

    var bounds: Range<Int64> { records.bounds }
    func makeReader() -> any SourceReader { records.makeReader() }

    func committed(_ position: Position) {
        state.withLock { $0.committed = max($0.committed, position.number) }
        waiting.wake()
    }
}
