public import StreamCore

/// What one epoch covers: fixed when the driver cuts it, the same for every task and for the commit.
public struct EpochPlan: Sendable, Hashable {
    /// What an epoch is cut for.
    public enum Kind: Sendable, Hashable {
        /// Records were read for it.
        case data
        /// The first commit of splits that had no progress: positions only, before anything is read (no operator sees
        /// it).
        case anchor
        /// Positions only: they moved past transaction markers, or must be kept from expiring (no operator sees it).
        case positions
    }

    public var kind: Kind
    public var epoch: Epoch
    public var attempt: Attempt
    /// What was read, for splits that moved.
    public var ranges: [SplitRange]
    /// The next position of every owned split once this epoch is committed.
    public var positions: [Split: Position]
    /// Milliseconds since 1970-01-01 UTC: the one time that the whole epoch sees.
    public var batchTimeMs: Int64
    /// See `ProgressRecord.startTimeMs`.
    public var startTimeMs: Int64?
    /// With a fixed trigger, the time of the batch before this one; nil for the first.
    public var previousBatchTimeMs: Int64?
    /// The first batch that a query with a fixed trigger ever runs, restarts included.
    public var isFirstBatch = false
    /// The plan was logged by an earlier attempt, which may have had effects outside: same data, same time.
    public var isReplay: Bool
    /// See `ProgressRecord.changelogs`.
    public var changelogs: [TopicName] = []
    /// Splits with progress that are not open yet (a source that has not told of them): the progress record keeps them.
    public var idlePositions: [Split: Position] = [:]

    public init(
        kind: Kind, epoch: Epoch, attempt: Attempt, ranges: [SplitRange], positions: [Split: Position],
        batchTimeMs: Int64,
        isReplay: Bool = false
    ) {
        self.kind = kind
        self.epoch = epoch
        self.attempt = attempt
        self.ranges = ranges
        self.positions = positions
        self.batchTimeMs = batchTimeMs
        self.isReplay = isReplay
    }

    /// The progress record of this plan, for queries that have an owner.
    public func progress(_ phase: ProgressRecord.Phase) -> ProgressRecord {
        var record = ProgressRecord(
            phase: phase, epoch: epoch, ranges: ranges.sorted { $0.split < $1.split },
            positions: positions.merging(idlePositions) { own, _ in own }.map { SplitPosition($0.key, $0.value) }
                .sorted { $0.split < $1.split },
            batchTimeMs: batchTimeMs)
        record.startTimeMs = startTimeMs
        record.changelogs = changelogs
        return record
    }

    /// What the plan's own transaction makes durable.
    func commit(hasProgress: Bool, _ breakages: ProtocolBreakage = []) -> EpochCommit {
        // New splits are anchored while a plan waits to be repeated: that plan must stay the newest progress, or a
        // crash before its repeat would cut other data for the same epoch.
        if kind == .anchor, isReplay {
            return EpochCommit(epoch: epoch, positions: positionsBefore, progress: progress(.planned))
        }
        let commit = EpochCommit(
            epoch: epoch, positions: positions, progress: hasProgress ? progress(.committed) : nil)
        return breakages.isEmpty || kind != .data ? commit : broken(commit, breakages)
    }

    private func broken(_ commit: EpochCommit, _ breakages: ProtocolBreakage) -> EpochCommit {
        var commit = commit
        if breakages.contains(.offsetsNotSent) { commit.positions = [:] }
        guard breakages.contains(.offsetsPastEpoch) else { return commit }
        for range in ranges { commit.positions[range.split] = Position(range.to.number + 1) }
        return commit
    }

    /// Whether this progress is that of this very plan: a number alone says little, because an instance that took over
    /// gives the numbers of epochs that were given up to others.
    public func isCovered(by record: ProgressRecord?) -> Bool {
        guard let record, record.phase == .committed else { return false }
        let own = progress(.committed)
        return record.epoch == epoch && record.batchTimeMs == batchTimeMs && record.ranges == own.ranges
            && record.positions == own.positions
    }

    /// The positions that hold until this epoch is committed.
    public var positionsBefore: [Split: Position] {
        var before = positions
        for range in ranges { before[range.split] = range.from }
        return before
    }
}

/// What a query promises about its effects.
public enum Guarantee: String, Sendable, Codable, CaseIterable {
    /// Outputs, state and positions commit together or not at all.
    case exactlyOnce = "exactly-once"
    /// Positions commit after the outputs they stand for: a crash repeats some outputs.
    case atLeastOnce = "at-least-once"
}
