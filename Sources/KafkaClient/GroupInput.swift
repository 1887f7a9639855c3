public import CommitProtocol
public import StreamCore

/// What a `GroupInput` reads.
public struct GroupInputOptions: Sendable, Hashable {
    public var groupID: String
    /// Static membership; nil: a member of its own each time.
    public var instanceID: String?
    /// Names, or regular expressions that begin with `^`.
    public var topics: [String]
    public var strategy: ConsumerOptions.Strategy = .cooperativeSticky
    public var sessionTimeout: Duration = .seconds(10)
    /// Whether records' headers are wanted; without them reading is faster.
    public var readsHeaders = true

    public init(groupID: String, instanceID: String? = nil, topics: [String]) {
        self.groupID = groupID
        self.instanceID = instanceID
        self.topics = topics
    }
}

/// Reads the splits that a consumer group assigns: for queries whose instances share the input, and for the one-
/// partition control topic that decides who owns a query.
///
/// Reads committed records only. Splits are kept until `release`, however long that takes (up to
/// `max.poll.interval.ms`).
public final class GroupInput: InputPort {
    private let settings: KafkaSettings
    private let options: GroupInputOptions
    private let log: any LogHandler
    private let core = InputCore()
    private let ownMembership: ConsumerMembership
    private var isStarted = false
    private var fencedAt: [MonotonicTime] = []

    /// - Throws: `invalidArgument` for settings that librdkafka does not accept.
    public init(_ settings: KafkaSettings, _ options: GroupInputOptions, log: any LogHandler = NullLog())
        throws(KafkaError)
    {
        self.settings = settings
        self.options = options
        self.log = log
        let client = try core.connect(settings, options.consumerOptions, log: log)
        ownMembership = ConsumerMembership(groupID: options.groupID, client: client)
    }

    /// The present consumer's.
    var context: ClientContext? { core.consumer?.client.context }

    /// Under which a transaction port commits.
    public var membership: any GroupMembership { ownMembership }

    /// librdkafka's newest statistics, as JSON, where the property `statistics.interval.ms` asks for them.
    public var statistics: String? { core.statistics }

    public var onReady: (@Sendable () -> Void)? {
        get { core.onReady }
        set { core.onReady = newValue }
    }

    public func start() {
        isStarted = true
        do throws(KafkaError) {
            try core.consumer?.subscribe(options.topics)
        } catch {
            core.mailbox.post(.event(.trouble(error.streamError)))
        }
    }

    public func poll(bytesMax: Int) -> InputEvent? {
        if isRefusedForLong, let event = replaceConsumer(because: Self.stuck) { return event }
        return core.poll(bytesMax: bytesMax) { rejoin(after: $0) }
    }

    /// The group refuses what we commit, and for far longer than a rebalance takes nothing was heard of one:
    /// librdkafka has lost its way in it (it can wait for ever behind a revocation that it overtook itself).
    private var isRefusedForLong: Bool {
        guard let since = context?.withState({ $0.refusedSince }) else { return false }
        return SystemClock().now - since > options.sessionTimeout * 3
    }

    private static let stuck = KafkaError(
        .illegalGeneration, "The group has refused every commit for long, and no rebalance came: joining it anew.")

    /// Reads from these positions on; a paused split is resumed by it.
    public func open(_ positions: [Split: Position]) { core.consumer?.open(positions) }
    public func release(_ splits: Set<Split>) { core.consumer?.release(splits) }
    public func pause(_ splits: Set<Split>) { core.consumer?.pause(splits) }
    public func resume(_ splits: Set<Split>) { core.consumer?.resume(splits) }
    public func resolve(_ starts: [Split: StartPosition]) { core.lookups?.resolve(starts) }
    public func requestEnds(_ splits: Set<Split>) { core.lookups?.ends(splits) }
    public func close(within: Duration) { core.close(within: within) }

    /// A fatal error (another member took over our instance id) ends the consumer: a new one joins in its place. Three
    /// times in a minute means that two processes have one identity: that is for a person.
    private func rejoin(after error: KafkaError) -> InputEvent? {
        let now = SystemClock().now
        fencedAt = fencedAt.filter { now - $0 < .seconds(60) } + [now]
        let splits = core.consumer?.splits ?? []
        if fencedAt.count >= 3 {
            core.disconnect(within: .seconds(1))
            var trouble = error.streamError
            trouble.recovery = .stop
            trouble.message =
                "\(trouble.message) Three times within a minute: another process joins the group "
                + "'\(options.groupID)' as '\(options.instanceID ?? "the same member")'."
            core.mailbox.post(.event(.trouble(trouble)))
            return splits.isEmpty ? nil : .lost(splits)
        }
        return replaceConsumer(because: error)
    }

    private func replaceConsumer(because error: KafkaError) -> InputEvent? {
        let splits = core.consumer?.splits ?? []
        var trouble = error.streamError
        trouble.recovery = .retry
        core.mailbox.post(.event(.trouble(trouble)))
        core.disconnect(within: .milliseconds(100))
        do throws(KafkaError) {
            ownMembership.replace(try core.connect(settings, options.consumerOptions, log: log))
            if isStarted { try core.consumer?.subscribe(options.topics) }
        } catch {
            core.mailbox.post(.event(.trouble(error.streamError)))
        }
        return splits.isEmpty ? nil : .lost(splits)
    }
}

extension GroupInputOptions {
    var consumerOptions: ConsumerOptions {
        ConsumerOptions(
            groupID: groupID, instanceID: instanceID, strategy: strategy, sessionTimeout: sessionTimeout,
            readsHeaders: readsHeaders)
    }
}
