public import CommitProtocol
public import StreamCore

/// Reads changelog topics of a Kafka cluster, to restore state and to follow it.
///
/// A read_committed consumer that is a member of no group hands out records on the driver's thread; what blocks runs on
/// a thread of the port's own. Trouble that passes is told and waited out, with growing pauses; after trouble that only
/// a person can mend (`stop`) nothing more comes until the next `read`.
public final class KafkaChangelog: ChangelogPort {
    private let consumer: Consumer
    private let worker = WorkerThread()
    private let mailbox = Mailbox<ChangelogItem>()
    private let lookups: ChangelogLookups
    private var id = ReadingID()
    private var reading: ChangelogReading?
    /// What follows from one event of the consumer: never more than a few for each partition.
    private var events: [ChangelogEvent] = []
    /// As the data consumer's blocks.
    private static let blockBytesMax = 1 << 20
    private static let tickInterval = Duration.seconds(5)

    /// - Parameters:
    ///   - groupID: the query's, whose member this is not; librdkafka wants one all the same.
    ///   - memoryBytes: for records that were fetched ahead.
    /// - Throws: `invalidArgument` for settings that cannot be used.
    public init(
        _ settings: KafkaSettings, groupID: String, memoryBytes: Int, log: any LogHandler = NullLog()
    ) throws(KafkaError) {
        var settings = settings
        settings.fetchBytesMax = memoryBytes
        let mailbox = mailbox
        consumer = try Consumer(settings, ConsumerOptions(groupID: groupID, readsHeaders: false), log: log) {
            mailbox.wake()
        }
        lookups = ChangelogLookups(settings, groupID: groupID, client: consumer.client, worker, mailbox, log: log)
    }

    public var onReady: (@Sendable () -> Void)? {
        get { mailbox.onReady }
        set { mailbox.onReady = newValue }
    }

    public func read(_ positions: [Split: Position], _ mode: ChangelogMode) {
        stop()
        reading = ChangelogReading(positions, mode)
        if positions.isEmpty {
            // There is nothing to look up.
            mailbox.post(.reading(id, .began([:])))
        } else {
            lookups.begin(Set(positions.keys), for: id)
        }
    }

    public func stop() {
        id = id.next
        lookups.turn(to: id)
        reading = nil
        events = []
        consumer.release(consumer.splits)
    }

    public func requestStableEnds(_ splits: Set<Split>) {
        splits.isEmpty ? mailbox.post(.stableEnds([:])) : lookups.stableEnds(splits)
    }

    public func poll(bytesMax: Int) -> ChangelogEvent? {
        while true {
            if !events.isEmpty { return events.removeFirst() }
            if let item = mailbox.take() {
                take(item)
            } else if let event = consumer.poll(bytesMax: min(bytesMax, Self.blockBytesMax)) {
                take(event)
            } else {
                return nil
            }
        }
    }

    public func close(within: Duration) {
        let deadline = SystemClock().now + within
        onReady = nil
        stop()
        consumer.close(within: within)
        worker.stop(within: max(.milliseconds(1), deadline - SystemClock().now))
    }

    // MARK: - What comes in

    private func take(_ item: ChangelogItem) {
        switch item {
        case .stableEnds(let ends): events.append(.stableEnds(ends))
        case .trouble(let error): events.append(.trouble(error))
        case .reading(let id, let news) where id == self.id: take(news)
        case .reading: break
        }
    }

    private func take(_ news: ReadingNews) {
        guard var reading else { return }
        switch news {
        case .began(let bounds):
            carryOut(reading.begin(bounds))
            tickAgain(reading)
        case .examined(let bounds):
            carryOut(reading.examine(bounds, next: next))
        case .tick:
            let stalled = reading.takeStalled(next: next)
            if !stalled.isEmpty { lookups.examine(stalled, for: id) }
            tickAgain(reading)
        case .trouble(let error):
            tell(error)
            if error.recovery == .stop { return }
        }
        self.reading = reading
    }

    private func take(_ event: ConsumerEvent) {
        guard var reading else { return }
        switch event {
        case .records(let block):
            events.append(.records(block))
            carryOut(reading.advance(next))
        case .reachedEnd(let split, let position):
            carryOut(reading.reachEnd(split, position))
        case .positionLost(let split, _):
            // A replica that lags behind says so as well: what is there is looked up before anything is given up.
            doubt([split], &reading)
        case .failed(let error) where error.isMissingSplit:
            doubt(reading.splits, &reading)
        case .failed(let error):
            tell(error.readingTrouble)
            return
        case .assigned, .revoking, .lost:
            // Only of a group.
            break
        }
        self.reading = reading
    }

    private func carryOut(_ outcome: ChangelogReading.Outcome) {
        events += outcome.events
        if !outcome.release.isEmpty { consumer.release(outcome.release) }
        if !outcome.open.isEmpty { consumer.open(outcome.open) }
    }

    private func doubt(_ splits: Set<Split>, _ reading: inout ChangelogReading) {
        let doubtful = reading.doubt(splits)
        if !doubtful.isEmpty { lookups.examine(doubtful, for: id) }
    }

    private func tickAgain(_ reading: ChangelogReading) {
        if !reading.splits.isEmpty { lookups.tick(after: Self.tickInterval, for: id) }
    }

    private func tell(_ error: StreamError) {
        if error.recovery == .stop { stop() }
        events.append(.trouble(error))
    }

    /// How far a split was handed out.
    private func next(_ split: Split) -> Position? {
        consumer.table.index(of: split).map { Position(consumer.table[$0].next) }
    }
}

extension KafkaError {
    /// As a changelog port reports what happens while it reads: librdkafka goes on by itself, unless the records may
    /// not be read at all. The group is nothing to it.
    fileprivate var readingTrouble: StreamError {
        var error = streamError
        error.recovery = isFatal || code == .topicAuthorization ? .stop : .retry
        return error
    }
}
