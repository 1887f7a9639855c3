public import CommitProtocol
public import StreamCore

/// What survives a crash of the query: input records, committed outputs, positions and progress. One thread.
///
/// It models what the commit protocol rests on: a transaction is visible as a whole or not at all, an older user of an
/// identity is fenced by a newer one, a member without its generation cannot commit.
public final class SimulatedCluster {
    /// Values by split; nil is a transaction marker, which takes an offset but is no record.
    public var input: [Split: [String?]] = [:]
    /// The first offset that still exists, where records were deleted.
    public var logStarts: [Split: Position] = [:]
    /// A record that a committed epoch wrote.
    public struct Output: Hashable, Sendable {
        public var topic: TopicName
        public var value: String
        public var epoch: Epoch
    }
    public private(set) var outputs: [Output] = []
    /// A change of state, in a topic whose name ends with `-changelog`.
    public struct Change: Hashable, Sendable {
        public var split: Split
        public var key: [UInt8]
        public var value: [UInt8]?
    }
    /// Committed changes by offset; nil is a marker or what an aborted transaction wrote.
    public private(set) var changelogs: [Split: [Change?]] = [:]
    public private(set) var positions: [Split: Position] = [:]
    public private(set) var progress: ProgressRecord?
    public private(set) var commitCount = 0
    /// Rises with each `initialize` of an identity: the producer epoch.
    public private(set) var producerEpochs: [String: Int] = [:]
    /// Every progress record that was committed, in order.
    public private(set) var progressHistory: [ProgressRecord] = []
    /// Rises with each rebalance: the group generation.
    public var generation = 0

    struct Transaction {
        var epoch: Epoch
        var outputs: [Output] = []
        var changes: [Change] = []
    }
    /// What is open, by transactional id.
    var transactions: [String: Transaction] = [:]

    public init() {}

    func initialize(_ identity: String) -> Int {
        producerEpochs[identity, default: 0] += 1
        abort(identity)
        return producerEpochs[identity] ?? 0
    }

    func commit(_ commit: EpochCommit, _ identity: String) {
        outputs += transactions[identity]?.outputs ?? []
        end(transactions[identity]?.changes ?? [], isCommitted: true)
        transactions[identity] = nil
        positions.merge(commit.positions) { _, new in new }
        if let record = commit.progress {
            progress = record
            progressHistory.append(record)
        }
        commitCount += 1
    }

    private func abort(_ identity: String) {
        end(transactions[identity]?.changes ?? [], isCommitted: false)
        transactions[identity] = nil
    }

    /// Each partition that was written to gets its marker.
    private func end(_ changes: [Change], isCommitted: Bool) {
        for change in changes { changelogs[change.split, default: []].append(isCommitted ? change : nil) }
        for split in Set(changes.map(\.split)) { changelogs[split, default: []].append(nil) }
    }

    func changelogEnd(_ split: Split) -> Position { Position(Int64(changelogs[split]?.count ?? 0)) }

    /// Written outside a transaction: there at once, whatever happens later.
    func write(_ outputs: [Output], _ changes: [Change]) {
        self.outputs += outputs
        for change in changes { changelogs[change.split, default: []].append(change) }
    }
}
