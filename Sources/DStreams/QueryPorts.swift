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
    public var memoryBytes: Int
    /// Topics that are missing may be created.
    public var createsTopics: Bool
    /// Inputs beside the topics; a query that has some is owned.
    public var inputs: [NamedInput] = []

    /// It reads or writes topics.
    public var usesKafka: Bool { !inputTopics.isEmpty || !outputTopics.isEmpty }
}

/// The two ends of a running query.
public struct QueryPorts {
    public var input: any InputPort
    public var writer: any TransactionPort
    /// Frees what both share, when the query is over.
    public var close: () -> Void

    public init(input: any InputPort, writer: any TransactionPort, close: @escaping () -> Void = {}) {
        self.input = input
        self.writer = writer
        self.close = close
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
