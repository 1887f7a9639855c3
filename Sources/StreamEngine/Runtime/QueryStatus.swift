public import CommitProtocol
public import StreamCore
private import Synchronization

/// What a query is doing, for people and metrics: written by its machines once a step or an epoch, read from any
/// thread.
public final class QueryStatus: Sendable {
    /// Called on the committer's thread after each committed epoch that read something.
    private let onProgress: @Sendable (EpochProgress) -> Void
    private let state: Mutex<Snapshot>
    private let budget: Mutex<MemoryBudget?>

    /// A consistent copy of everything.
    public struct Snapshot: Sendable {
        public var query: QueryName
        public var phase = QueryMachine.Phase.connecting
        public var attempt = Attempt(0)
        public var positions: [Split: Position] = [:]
        public var ends: [Split: Position] = [:]
        public var totals = RowCounts()
        public var epochsCommitted = 0
        /// Dropped attempts by kind of failure.
        public var epochsDropped: [String: Int] = [:]
        /// Records that arrived for a split that was not ours any more, or behind its position: dropped unseen.
        public var staleRecords = 0
        /// Offsets that were skipped because their records were deleted before they were read.
        public var lostOffsets: Int64 = 0
        public var lastEpoch: EpochProgress?
        public var lastError: StreamError?
        /// How far state is restored, while it is.
        public var restore: RestoreProgress?
        public var memoryUsed = 0
        public var memoryLimit = 0
        public var isFinished = false
        /// Why the query ended, if not by request.
        public var failure: StreamError?
    }

    init(query: QueryName, onProgress: @escaping @Sendable (EpochProgress) -> Void) {
        state = Mutex(Snapshot(query: query))
        budget = Mutex(nil)
        self.onProgress = onProgress
        openTimes = Mutex([:])
    }

    public var snapshot: Snapshot {
        var copy = state.withLock { $0 }
        budget.withLock { budget in
            copy.memoryUsed = budget?.used ?? 0
            copy.memoryLimit = budget?.limit ?? 0
        }
        return copy
    }

    // MARK: - Written by the machines

    private struct Times: Sendable {
        var openedAt: MonotonicTime
        var cutAt: MonotonicTime
    }
    private let openTimes: Mutex<[Epoch: Times]>

    func watch(_ budget: MemoryBudget) { self.budget.withLock { $0 = budget } }

    func update(phase: QueryMachine.Phase, attempt: Attempt, ends: [Split: Position]) {
        state.withLock { state in
            state.phase = phase
            state.attempt = attempt
            state.ends = ends
        }
    }

    func epochCut(_ plan: EpochPlan, openedAt: MonotonicTime, cutAt: MonotonicTime) {
        openTimes.withLock { $0[plan.epoch] = Times(openedAt: openedAt, cutAt: cutAt) }
        state.withLock { $0.positions = plan.positions }
    }

    func epochCommitted(
        _ plan: EpochPlan, counts: RowCounts, computeTime: Duration, sealedAt: MonotonicTime, committedAt: MonotonicTime
    ) {
        let times = openTimes.withLock { times -> Times? in
            let found = times.removeValue(forKey: plan.epoch)
            times = times.filter { $0.key > plan.epoch }
            return found
        }
        let progress = EpochProgress(
            epoch: plan.epoch, attempt: plan.attempt, batchTimeMs: plan.batchTimeMs, ranges: plan.ranges,
            counts: counts,
            readTime: times.map { $0.cutAt - $0.openedAt } ?? .zero, computeTime: computeTime,
            commitTime: committedAt - sealedAt, totalTime: times.map { committedAt - $0.openedAt } ?? .zero)
        state.withLock { state in
            state.epochsCommitted += 1
            state.totals += counts
            state.positions = plan.positions
            if plan.kind == .data { state.lastEpoch = progress }
        }
        if plan.kind == .data { onProgress(progress) }
    }

    func epochDropped(_ kind: String) { state.withLock { $0.epochsDropped[kind, default: 0] += 1 } }
    func restoring(_ progress: RestoreProgress?) { state.withLock { $0.restore = progress } }
    func stale(_ count: Int) { if count > 0 { state.withLock { $0.staleRecords += count } } }
    func dataLost(_ offsets: Int64) { state.withLock { $0.lostOffsets += offsets } }

    var lastError: StreamError? {
        get { state.withLock { $0.lastError } }
        set { state.withLock { $0.lastError = newValue } }
    }

    func fail(_ error: StreamError?) { state.withLock { $0.failure = $0.failure ?? error } }

    func finish() {
        state.withLock { $0.isFinished = true }
    }
}

/// What one committed epoch did, as Spark's StreamingQueryProgress tells it.
public struct EpochProgress: Sendable {
    public var epoch: Epoch
    public var attempt: Attempt
    /// Milliseconds since 1970-01-01 UTC.
    public var batchTimeMs: Int64
    public var ranges: [SplitRange]
    public var counts: RowCounts
    /// From the epoch's first record to its cut.
    public var readTime: Duration
    /// Summed over tasks.
    public var computeTime: Duration
    /// From the last task's end to the known commit.
    public var commitTime: Duration
    public var totalTime: Duration
}
