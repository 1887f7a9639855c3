public import CommitProtocol
public import StreamCore

/// What survives a crash of the query: input records, committed outputs, state, positions, progress. One thread.
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

        public init(topic: TopicName, value: String, epoch: Epoch) {
            self.topic = topic
            self.value = value
            self.epoch = epoch
        }
    }
    public internal(set) var outputs: [Output] = []
    /// A change of state, in a topic whose name ends with `-changelog`.
    public struct Change: Hashable, Sendable {
        public var split: Split
        public var key: [UInt8]
        public var value: [UInt8]?

        public init(split: Split, key: [UInt8], value: [UInt8]?) {
            self.split = split
            self.key = key
            self.value = value
        }
    }
    public internal(set) var positions: [Split: Position] = [:]
    public internal(set) var progress: ProgressRecord?
    public internal(set) var commitCount = 0
    /// Rises with each `initialize` of an identity, and when one of its transactions expires: the producer epoch.
    public internal(set) var producerEpochs: [String: Int] = [:]
    /// Every progress record that was committed, in order.
    public internal(set) var progressHistory: [ProgressRecord] = []

    /// Markers reach partitions one by one, as `SimulatedCoordinator` says; else all at once.
    public var delaysMarkers = false
    /// A commit was decided: what it makes visible, in the order in which it was written.
    public var onCommit: (EpochCommit, [Output]) -> Void = { _, _ in }
    /// Positions were taken into the transaction of this identity.
    public var onPositions: (String, EpochCommit) -> Void = { _, _ in }

    /// A place in a changelog; nil where a marker stands.
    struct Entry {
        var change: Change?
        /// The transaction that it belongs to as long as its end has not reached the partition.
        var open: Int?
        var isCommitted = false
    }
    var logs: [Split: [Entry]] = [:]
    /// By number: open ones, and those whose end has not reached every partition.
    var transactions: [Int: Transaction] = [:]
    /// The open transaction, by transactional id.
    var openNumbers: [String: Int] = [:]
    /// Producer epochs that ended because a transaction outlived its time-out.
    var expiredEpochs: [String: Int] = [:]
    var nextNumber = 0

    public init() {}

    /// Committed changes by offset; nil is a marker, what an aborted transaction wrote, or what is not decided.
    public var changelogs: [Split: [Change?]] {
        logs.mapValues { $0.map { $0.isCommitted ? $0.change : nil } }
    }

    // MARK: - Changelogs

    /// What a read_uncommitted look shows (the high watermark).
    func changelogEnd(_ split: Split) -> Position { Position(Int64(logs[split]?.count ?? 0)) }

    /// The first offset that is not decided (the last stable offset).
    func stableEnd(_ split: Split) -> Position {
        guard let log = logs[split] else { return 0 }
        let isOpen = transactions.values.contains { $0.changelogs.contains(split) }
        return Position(Int64(isOpen ? log.firstIndex { $0.open != nil } ?? log.count : log.count))
    }

    func committedChange(_ split: Split, _ offset: Int) -> Change? {
        guard let entry = logs[split]?[offset], entry.isCommitted else { return nil }
        return entry.change
    }

    /// Written outside a transaction: there at once, whatever happens later.
    func write(_ outputs: [Output], _ changes: [Change]) {
        self.outputs += outputs
        for change in changes { logs[change.split, default: []].append(Entry(change: change, isCommitted: true)) }
    }
}
