public import CommitProtocol
public import StreamCore

/// What a query needs from the outside: who opens its ports decides with this what to connect.
public struct QueryNeeds: Sendable, Hashable {
    public var query: QueryName
    public var inputTopics: [TopicName]
    /// Topics that are written, dead letters included.
    public var outputTopics: [TopicName]
    /// One instance runs it at a time, and its progress has a topic of its own.
    public var isOwned: Bool
    public var guarantee: Guarantee
    public var stateFolder: String?
    /// For everything but state; clients take their share of it (`MemoryShares`).
    public var memoryBytes: Int
    /// Topics that are missing may be created.
    public var createsTopics: Bool
    /// Where the query's state is kept; empty for a query without state.
    public var changelogs: [ChangelogNeed] = []
    /// Records come with their headers.
    public var readsHeaders = true
    /// Inputs beside the topics; a query that has some is owned.
    public var inputs: [NamedInput] = []

    /// It reads or writes topics; state is kept in some.
    public var usesKafka: Bool { !inputTopics.isEmpty || !outputTopics.isEmpty || !changelogs.isEmpty }
}

/// A topic that takes the changes of a query's state. The number of its partitions is part of the state: another one
/// would look for keys where they are not.
public struct ChangelogNeed: Sendable, Hashable {
    public var topic: TopicName
    public var partitions: Int

    public init(topic: TopicName, partitions: Int) {
        self.topic = topic
        self.partitions = partitions
    }
}

/// The two ends of a running query, and the way back to its state.
public struct QueryPorts {
    public var input: any InputPort
    public var writer: any TransactionPort
    /// nil for a query without state.
    public var changelog: (any ChangelogPort)?
    /// A folder that is this instance's alone, for a copy of the query's state; nil: state is in memory, and comes back
    /// from changelogs.
    public var localStateFolder: String?
    /// Frees what both share, when the query is over.
    public var close: () -> Void

    public init(
        input: any InputPort, writer: any TransactionPort, changelog: (any ChangelogPort)? = nil,
        localStateFolder: String? = nil, close: @escaping () -> Void = {}
    ) {
        self.localStateFolder = localStateFolder
        self.input = input
        self.writer = writer
        self.changelog = changelog
        self.close = close
    }

    /// Frees ports that no query was made for.
    func closeUnused() {
        let limit = Duration.seconds(5)
        input.close(within: limit)
        writer.close(within: limit)
        changelog?.close(within: limit)
    }
}

/// Connects queries: to Kafka, or to whatever a test or a simulation gives instead.
public protocol QueryPortSource: Sendable {
    /// Called once, on a thread that it may block, for as long as nobody asks for a stop.
    /// - Returns: nil if the stop came first.
    func open(_ needs: QueryNeeds, log: any LogHandler, until stop: StopRequest) throws -> QueryPorts?

    /// The progress of every query outlives its process, also without a state folder. False unless said.
    var hasLastingProgress: Bool { get }
}

extension QueryPortSource {
    public var hasLastingProgress: Bool { false }
}
