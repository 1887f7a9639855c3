public import CommitProtocol
public import StreamCore
import Synchronization

/// Reads all splits of some topics without a group: for queries that one instance owns, beside a `GroupInput` on the
/// query's control topic.
///
/// Topics are looked up at the start and every `refresh`; new ones and new partitions are reported as `assigned`.
public final class AssignedInput: InputPort {
    private let core = InputCore()
    private let discovery: TopicDiscovery

    /// - Parameters:
    ///   - groupID: the query's, whose member this is not; librdkafka wants one all the same, and permissions are
    ///     there.
    ///   - topics: names, or regular expressions that begin with `^`.
    ///   - readsHeaders: whether records' headers are wanted; without them reading is faster.
    /// - Throws: `invalidArgument` for settings or expressions that cannot be used.
    public init(
        _ settings: KafkaSettings, groupID: String, topics: [String], refresh: Duration = .seconds(10),
        readsHeaders: Bool = true, log: any LogHandler = NullLog()
    ) throws(KafkaError) {
        let selection = try TopicSelection(topics)
        let client = try core.connect(settings, ConsumerOptions(groupID: groupID, readsHeaders: readsHeaders), log: log)
        discovery = TopicDiscovery(client, core.worker, core.mailbox, selection, refresh: refresh)
    }

    /// librdkafka's newest statistics, as JSON, where the property `statistics.interval.ms` asks for them.
    public var statistics: String? { core.statistics }

    public var onReady: (@Sendable () -> Void)? {
        get { core.onReady }
        set { core.onReady = newValue }
    }

    public func start() { discovery.start() }

    public func poll(bytesMax: Int) -> InputEvent? {
        core.poll(bytesMax: bytesMax) { .trouble($0.streamError) }
    }

    /// Reads from these positions on; a paused split is resumed by it.
    public func open(_ positions: [Split: Position]) { core.consumer?.open(positions) }
    public func release(_ splits: Set<Split>) { core.consumer?.release(splits) }
    public func pause(_ splits: Set<Split>) { core.consumer?.pause(splits) }
    public func resume(_ splits: Set<Split>) { core.consumer?.resume(splits) }
    public func resolve(_ starts: [Split: StartPosition]) { core.lookups?.resolve(starts) }
    public func requestEnds(_ splits: Set<Split>) { core.lookups?.ends(splits) }
    public func close(within: Duration) { core.close(within: within) }
}

/// Finds the splits of a selection of topics, again and again, on the helper thread.
final class TopicDiscovery: Sendable {
    private let client: SharedClient
    private let worker: WorkerThread
    private let mailbox: InputMailbox
    private let selection: TopicSelection
    private let refresh: Duration
    private let known = Mutex<Set<Split>>([])

    init(
        _ client: SharedClient, _ worker: WorkerThread, _ mailbox: InputMailbox, _ selection: TopicSelection,
        refresh: Duration
    ) {
        self.client = client
        self.worker = worker
        self.mailbox = mailbox
        self.selection = selection
        self.refresh = refresh
    }

    func start() {
        worker.submit { [self] in look(backOff: .milliseconds(500)) }
    }

    private func look(backOff: Duration) {
        do throws(KafkaError) {
            let missing = try reportNew()
            // A missing topic is looked for more often: somebody may be about to create it.
            again(after: missing ? min(refresh, .seconds(2)) : refresh, backOff: .milliseconds(500))
        } catch {
            if error.code == .closed { return }
            mailbox.post(.event(.trouble(error.inputTrouble)))
            again(after: backOff, backOff: min(backOff * 2, .seconds(10)))
        }
    }

    private func again(after delay: Duration, backOff: Duration) {
        worker.submit(after: delay) { [self] in look(backOff: backOff) }
    }

    /// - Returns: whether a named topic is missing.
    private func reportNew() throws(KafkaError) -> Bool {
        var found: Set<Split> = []
        var isMissing = false
        for topic in try client.metadata(selection.names, within: .seconds(10)) where selection.contains(topic.name) {
            if let error = topic.error {
                isMissing = true
                mailbox.post(.event(.trouble(KafkaError(error.raw, "Cannot read topic '\(topic.name)'").inputTrouble)))
                continue
            }
            for partition in 0..<Int32(clamping: topic.partitionCount) {
                found.insert(Split(topic.name, PartitionID(partition)))
            }
        }
        let new = known.withLock { known in
            let new = found.subtracting(known)
            known.formUnion(found)
            return new
        }
        if !new.isEmpty { mailbox.post(.event(.assigned(new))) }
        return isMissing
    }
}
