import CRDKafka
public import StreamCore

/// How a consumer takes part in a group.
public struct ConsumerOptions: Sendable, Hashable {
    /// Also needed where no group is joined; the offsets' owner.
    public var groupID: String
    /// Static membership: the same member comes back to its splits without a rebalance.
    public var instanceID: String?
    public var strategy: Strategy
    public var sessionTimeout: Duration
    /// Whether records of aborted transactions are left out.
    public var readsCommitted: Bool
    /// Reading headers costs an allocation a record inside librdkafka, also for records that have none.
    public var readsHeaders: Bool

    /// How splits are spread over the members.
    public enum Strategy: String, Sendable {
        case cooperativeSticky = "cooperative-sticky"
        /// Everything is given back at each rebalance.
        case range
        case roundRobin = "roundrobin"
    }

    public init(
        groupID: String, instanceID: String? = nil, strategy: Strategy = .cooperativeSticky,
        sessionTimeout: Duration = .seconds(10), readsCommitted: Bool = true,
        readsHeaders: Bool = true
    ) {
        self.groupID = groupID
        self.instanceID = instanceID
        self.strategy = strategy
        self.sessionTimeout = sessionTimeout
        self.readsCommitted = readsCommitted
        self.readsHeaders = readsHeaders
    }
}

/// What a consumer has to say.
public enum ConsumerEvent: Sendable {
    case assigned(Set<Split>)
    /// The group waits until these are released.
    case revoking(Set<Split>)
    case lost(Set<Split>)
    case records(RecordBlock)
    case reachedEnd(Split, Position)
    /// The position is not there any more; nothing comes until the split is opened elsewhere.
    case positionLost(Split, Position)
    case failed(KafkaError)
}

/// A Kafka consumer, polled in batches. Confined to the thread that uses it; no call waits for a broker but `close`.
///
/// Splits come from the group (`subscribe`) or from the caller (`open` of any split). Records are handed out from an
/// opened position on, each once, in the order of their split.
public final class Consumer {
    let client: SharedClient
    let isCooperative: Bool
    var feed: ConsumerFeed?
    /// Nil where librdkafka sees to it by itself.
    private let nudge: FetchNudge?
    /// Once it is in a group.
    private var pulse: HeartbeatPulse?
    var table = SplitTable()
    var events: [ConsumerEvent] = []
    /// What the group wants back and has not got yet.
    var pendingRevoke: Set<Split>?
    var reportedLost = false
    /// Lost without a word, and not released yet: librdkafka has kept them as another member.
    var disputed: Set<Split> = []
    /// What becomes ours again when everything that was lost is released.
    var reclaimed: Set<Split> = []
    /// The present generation could not be noted yet.
    var mustNote = false
    /// What came out of order, to be looked at with the next events.
    var heldNotes: [ConsumerFeed.Note] = []
    private(set) var isSubscribed = false
    /// The size of the last block, to reserve as much for the next one.
    private var blockBytes = 64 << 10

    /// - Parameter onReady: called from any thread when `poll` may have something to say.
    /// - Throws: `invalidArgument` for settings that librdkafka does not accept.
    public init(
        _ settings: KafkaSettings, _ options: ConsumerOptions, log: any LogHandler = NullLog(),
        onReady: (@Sendable () -> Void)? = nil
    ) throws(KafkaError) {
        let context = ClientContext(name: "\(options.groupID) consumer", log: log, settings: settings)
        let conf = try Self.conf(settings, options)
        conf.installRebalance()
        client = try SharedClient(RD_KAFKA_CONSUMER, conf, context)
        isCooperative = options.strategy == .cooperativeSticky
        nudge = Self.looksAgainByItself ? nil : FetchNudge(client)
        context.setNotify(onReady)
        let gauge = Self.gauge(settings)
        feed = try unsafe client.use { client throws(KafkaError) in
            unsafe rd_kafka_poll_set_consumer(client)
            return unsafe ConsumerFeed(client, context, gauge, readsHeaders: options.readsHeaders)
        }
    }

    private static func conf(_ settings: KafkaSettings, _ options: ConsumerOptions) throws(KafkaError) -> ConfHandle {
        let gauge = gauge(settings)
        // One response more than the queue holds is on its way at any time.
        let responseBytes = min(50 << 20, max(1 << 20, settings.fetchBytesMax / 2))
        var defaults = [
            ("fetch.wait.max.ms", "100"), ("queued.min.messages", "\(gauge.recordsMax)"),
            ("fetch.max.bytes", "\(responseBytes)"),
            ("fetch.message.max.bytes", "\(min(4 << 20, max(64 << 10, responseBytes / 4)))"),
            // New topics and partitions are seen soon.
            ("topic.metadata.refresh.interval.ms", "10000"), ("reconnect.backoff.max.ms", "5000"),
            ("socket.keepalive.enable", "true"),
        ]
        // How soon a full queue is looked at again. Older versions are nudged (`FetchNudge`); errors pass soon there.
        defaults.append(looksAgainByItself ? (queueBackoff, "5") : ("fetch.error.backoff.ms", "10"))
        let sessionMs = max(1000, options.sessionTimeout.nanoseconds / 1_000_000)
        var fixed = [
            ("group.id", options.groupID), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"), ("enable.partition.eof", "true"), ("allow.auto.create.topics", "false"),
            ("isolation.level", options.readsCommitted ? "read_committed" : "read_uncommitted"),
            ("partition.assignment.strategy", options.strategy.rawValue), ("session.timeout.ms", "\(sessionMs)"),
            // Members hear of a rebalance with the answer to a heartbeat: librdkafka's 3 s would be most of a takeover.
            ("heartbeat.interval.ms", "\(min(HeartbeatPulse.intervalMs, sessionMs / 3))"),
            ("queued.max.messages.kbytes", "\(gauge.bytesMax >> 10)"),
        ]
        if let instanceID = options.instanceID { fixed.append(("group.instance.id", instanceID)) }
        return try settings.conf(defaults: defaults, fixed: fixed)
    }

    private static let queueBackoff = "fetch.queue.backoff.ms"
    private static var looksAgainByItself: Bool { ConfHandle().knows(queueBackoff) }
    private static func gauge(_ settings: KafkaSettings) -> FetchGauge {
        FetchGauge(bytesMax: min(2_097_151, max(1024, settings.fetchBytesMax / 1024)) << 10)
    }

    // MARK: -

    /// Joins the group, which then assigns splits of these topics; a name that begins with `^` is a regular expression.
    public func subscribe(_ topics: [String]) throws(KafkaError) {
        isSubscribed = true
        if pulse == nil { pulse = HeartbeatPulse(client) }
        let list = TopicPartitionList(capacity: topics.count)
        for topic in topics { list.add(topic: topic, partition: RD_KAFKA_PARTITION_UA) }
        let code = try unsafe client.use { client throws(KafkaError) in
            unsafe list.withRaw { unsafe rd_kafka_subscribe(client, $0) }
        }
        try KafkaError.check(code, "Could not subscribe to \(topics.joined(separator: ", "))")
    }

    /// The next event, or nil when there is none now.
    /// - Parameter bytesMax: about how many bytes of records may be handed out; 0: other events only.
    public func poll(bytesMax: Int) -> ConsumerEvent? {
        if events.isEmpty { serveGroup() }
        if events.isEmpty, bytesMax > 0 { serveRecords(bytesMax: min(bytesMax, 1 << 30)) }
        return events.isEmpty ? nil : events.removeFirst()
    }

    private func serveRecords(bytesMax: Int) {
        guard !table.isEmpty else { return }
        let block = RecordBlock(arenaCapacity: min(blockBytes, bytesMax))
        var notes: [ConsumerFeed.Note] = []
        feed?.drain(into: block, bytesMax: bytesMax, table: &table) { notes.append($0) }
        if feed?.needsNudge == true { nudge?.nudge(table.all { $0.isAttached }) }
        if !block.isEmpty {
            blockBytes = (blockBytes + block.arena.count + block.arena.count / 4) / 2
            events.append(.records(block))
        }
        for entry in table.entries {
            guard let end = entry.end else { continue }
            table.update([entry.split]) { $0.end = nil }
            events.append(.reachedEnd(entry.split, Position(end)))
        }
        notes.forEach(take)
    }

    func take(_ note: ConsumerFeed.Note) {
        switch note {
        case .positionLost(let split):
            guard let index = table.index(of: split) else { return }
            events.append(.positionLost(split, Position(table[index].next)))
        case .strayed(let split):
            reread(split)
        case .failed(let error):
            client.context.record(error.code == .fatal ? client.endingError() ?? error : error)
        }
    }

    /// Leaves the group (a static member stays until its session ends), frees everything.
    /// - Returns: false if that takes longer than the deadline; it then ends by itself.
    @discardableResult
    public func close(within: Duration) -> Bool {
        client.context.withState { $0.isClosing = true }
        feed?.stopWaking()
        nudge?.stop()
        pulse?.stop()
        if pendingRevoke != nil { answerRevoke() }
        if isCooperative { answerAnything() }
        feed = nil
        events = []
        return unsafe client.close(within: within) { client in
            // Serves what the group still asks for: the rebalance callback gives everything back by itself now.
            unsafe rd_kafka_consumer_close(client)
        }
    }
}
