public import CommitProtocol
public import StreamCore

/// What survives a crash of the query: input records, committed outputs, positions and progress. One thread.
///
/// It models what the commit protocol rests on: a transaction is visible as a whole or not at all, an older user of an
/// identity is fenced by a newer one, a member without its generation cannot commit.
public final class SimulatedCluster {
    /// Values by split; nil is a transaction marker, which takes an offset but is no record.
    public var input: [Split: [String?]] = [:]
    public struct Output: Hashable, Sendable {
        public var topic: TopicName
        public var value: String
        public var epoch: Epoch
    }
    public private(set) var outputs: [Output] = []
    public private(set) var positions: [Split: Position] = [:]
    public private(set) var progress: ProgressRecord?
    public private(set) var commitCount = 0
    /// Rises with each `initialize`: the producer epoch.
    public private(set) var producerEpoch = 0
    /// Rises with each rebalance: the group generation.
    public var generation = 0

    struct Transaction {
        var epoch: Epoch
        var outputs: [Output] = []
    }
    var transaction: Transaction?

    public init() {}

    func initialize() -> Int {
        producerEpoch += 1
        transaction = nil
        return producerEpoch
    }

    func commit(_ commit: EpochCommit) {
        outputs += transaction?.outputs ?? []
        transaction = nil
        positions.merge(commit.positions) { _, new in new }
        if let record = commit.progress { progress = record }
        commitCount += 1
    }
}
