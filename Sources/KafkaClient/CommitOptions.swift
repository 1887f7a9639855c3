import CommitProtocol
public import StreamCore

/// What a transaction port writes, and how.
public struct CommitOptions: Sendable, Hashable {
    public var query: QueryName
    /// The query's identity on this machine (`InstanceIdentity`); unused by `KafkaWriter`.
    public var transactionalID: String
    /// Topics that are known before the first record. They must exist.
    public var outputTopics: [TopicName]
    /// For owned queries: the compacted topic that their progress records go to. It must exist.
    public var progressTopic: TopicName?
    /// Positions that every commit sends besides the epoch's: the control split of an owned query.
    public var extraPositions: [Split: Position] = [:]
    /// Whether the epoch's splits are partitions of this cluster, whose positions the group keeps. False for other
    /// sources (a file, a generator): brokers refuse offsets of topics that they do not know, and the progress record
    /// has them.
    public var keepsGroupOffsets = true
    /// After this long without a commit the broker aborts the transaction.
    public var transactionTimeout: Duration = .seconds(10)
    public var linger: Duration = .milliseconds(5)
    /// The deadline of each blocking call.
    public var callTimeout: Duration = .seconds(10)
    /// Between a commit and the next transaction's first request: the coordinator is still writing the markers, and
    /// would answer CONCURRENT_TRANSACTIONS. With 5 ms a commit of 100 records took 4.5 ms at the median, without 13
    /// ms.
    public var commitPause = Self.defaultCommitPause

    public static let defaultCommitPause = Duration.milliseconds(5)

    /// Whether records are copied when they are produced. If not (faster, and half the memory), a block that was
    /// answered with `produced` may still be read until its epoch is committed or dropped: it must not be reused
    /// before.
    public var copiesRecords = true

    public init(
        query: QueryName, transactionalID: String, outputTopics: [TopicName], progressTopic: TopicName? = nil
    ) {
        self.query = query
        self.transactionalID = transactionalID
        self.outputTopics = outputTopics
        self.progressTopic = progressTopic
    }

    /// The name of a query's progress topic.
    public static func progressTopic(of query: QueryName) -> TopicName { TopicName("\(query)-progress") }
    /// The name of the one-partition topic that decides who owns a query.
    public static func controlTopic(of query: QueryName) -> TopicName { TopicName("\(query)-control") }
}

extension CommitOptions {
    /// What a commit sends to the consumer group.
    func groupPositions(_ commit: EpochCommit) -> [Split: Position] {
        (keepsGroupOffsets ? commit.positions : [:]).merging(extraPositions) { given, _ in given }
    }
}
