private import CommitProtocol
package import StreamCore
package import StreamEngine
private import Synchronization

/// Turns what the engine tells of a query into `ServiceSnapshot`s: the one bridge between the two.
///
/// ```
/// let monitor = QueryMonitor(query: name, clock: clock)
/// let query = try StreamQuery(..., onProgress: monitor.record)
/// monitor.watch(query.status)
/// let machines = monitor.watched(query.machines)          // for the scheduler, instead of query.machines
/// HTTPRoutes(..., status: { monitor.snapshot })
/// ```
package final class QueryMonitor: Sendable {
    private struct State {
        var status: QueryStatus?
        var instance = ""
        var isStopping = false
        var durations = DurationHistogram()
        var lastError: (text: String, note: ErrorNote)?
        var standbySince: MonotonicTime?
        var earlyTrouble: StreamError?
    }

    /// What waits for partitions this long stands by for another instance: a join takes less, also when the group first
    /// has to give up a member that went away (session time-out 10 s).
    private static let joinMax = Duration.seconds(15)

    /// Counts steps and tells which machine hangs.
    package let heartbeats = Heartbeats()
    private let query: QueryName
    private let clock: any EngineClock
    private let state = Mutex(State())

    package init(query: QueryName, clock: any EngineClock = SystemClock()) {
        self.query = query
        self.clock = clock
    }

    package func watch(_ status: QueryStatus) { state.withLock { $0.status = status } }

    /// The instance's stable identity, once it has one.
    package func name(instance: String) { state.withLock { $0.instance = instance } }

    /// The end was asked for: from now on the query is `draining`, not `running`.
    package func noteStopping() { state.withLock { $0.isStopping = true } }

    /// Why the query ended, if not by request.
    package var failure: StreamError? { state.withLock { $0.status }?.snapshot.failure }

    /// Trouble before there is a query that could tell of it.
    package func noteTrouble(_ error: StreamError) { state.withLock { $0.earlyTrouble = error } }

    /// The engine's `onProgress`: one call a committed epoch.
    package func record(_ progress: EpochProgress) {
        state.withLock { $0.durations.record(progress.totalTime) }
    }

    /// The same machines, each with a heartbeat.
    /// - Parameter deadline: how long one step may take before the machine counts as stuck.
    package func watched(_ machines: [any StepMachine], within deadline: Duration = .seconds(15)) -> [WatchedMachine] {
        let now = clock.now
        return machines.map { WatchedMachine($0, heartbeats, within: deadline, at: now) }
    }

    /// How the query is now. From any thread; never waits for a loop.
    package var snapshot: ServiceSnapshot {
        let now = clock.now
        let wallMs = clock.wallMilliseconds
        guard let engine = state.withLock({ $0.status })?.snapshot else {
            return state.withLock { state in
                var snapshot = ServiceSnapshot(query: query)
                snapshot.instance = state.instance
                snapshot.lastError = Self.note(state.earlyTrouble, &state, wallMs)
                return snapshot
            }
        }
        return state.withLock { state in
            var snapshot = ServiceSnapshot(engine)
            snapshot.instance = state.instance
            snapshot.state = Self.state(of: engine, &state, now)
            snapshot.epochDurations = state.durations
            snapshot.lastError = Self.note(engine.failure ?? engine.lastError, &state, wallMs)
            return snapshot
        }
    }

    private static func state(of engine: QueryStatus.Snapshot, _ state: inout State, _ now: MonotonicTime) -> QueryState
    {
        if engine.phase != .standby { state.standbySince = nil }
        if engine.isFinished { return engine.failure == nil ? .stopped : .failed }
        if state.isStopping { return .draining }
        switch engine.phase {
        case .connecting: return .joining
        case .standby:
            let since = state.standbySince ?? now
            state.standbySince = since
            return now - since >= joinMax ? .standby : .joining
        case .locating, .restoring, .resolving, .anchoring: return .recovering
        // The epoch of splits that are wanted back is being committed: part of normal work.
        case .running, .draining: return .running
        case .recovering: return .retrying
        case .closed: return .draining
        }
    }

    /// The engine's errors carry no time: it is when one is first seen.
    private static func note(_ error: StreamError?, _ state: inout State, _ wallMs: Int64) -> ErrorNote? {
        guard let error else { return state.lastError?.note }
        let text = error.description
        if let known = state.lastError, known.text == text { return known.note }
        let message = error.remedy.isEmpty ? error.message : "\(error.message) \(error.remedy)"
        let note = ErrorNote(code: error.code.name, message: message, atMs: wallMs)
        state.lastError = (text, note)
        return note
    }
}

extension ServiceSnapshot {
    /// Everything that the engine counts; state, identity and errors are the monitor's.
    fileprivate init(_ engine: QueryStatus.Snapshot) {
        self.init(query: engine.query)
        epoch = engine.lastEpoch?.epoch
        attempt = engine.attempt
        records = RecordCounters(engine.totals)
        epochs.committed = UInt64(clamping: engine.epochsCommitted)
        epochs.dropped = engine.epochsDropped.mapValues { UInt64(clamping: $0) }
        splits = engine.positions.map { SplitStatus($0.key, position: $0.value, end: engine.ends[$0.key]) }
            .sorted { $0.split < $1.split }
        lastPhases = engine.lastEpoch.map {
            EpochPhases(poll: $0.readTime, compute: $0.computeTime, produce: nil, commit: $0.commitTime)
        }
        memory = MemoryUse(usedBytes: engine.memoryUsed, budgetBytes: engine.memoryLimit)
        restarts = UInt64(clamping: engine.attempt.number)
        lostOffsets = UInt64(clamping: engine.lostOffsets)
    }
}

extension RecordCounters {
    fileprivate init(_ counts: RowCounts) {
        self.init()
        read = UInt64(clamping: counts.read)
        emittedFrom = UInt64(clamping: counts.emittedFrom)
        filtered = UInt64(clamping: counts.filtered)
        late = UInt64(clamping: counts.late)
        deadLettered = UInt64(clamping: counts.deadLettered)
        skipped = UInt64(clamping: counts.skipped)
        output = UInt64(clamping: counts.written)
        bytesIn = UInt64(clamping: counts.bytesRead)
        bytesOut = UInt64(clamping: counts.bytesWritten)
    }
}
