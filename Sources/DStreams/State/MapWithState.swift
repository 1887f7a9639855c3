import CommitProtocol
import StateStore
import StreamCore
import StreamEngine

/// `mapWithState` in one task: runs its function for each pair as it arrives.
final class MapWithState<
    Key: Hashable & StateCodable & Sendable, Value: Sendable, State: StateCodable & Sendable, Out
>: Endpoint {
    /// How many batches lie between two searches for idle keys (Spark's checkpoint interval of this operator).
    static var scanEvery: Int64 { 10 }

    private let spec: StateSpec<Key, Value, State, Out>
    /// With each state the time of the batch that touched it last.
    private let table: StateTable<Key, StatePair<State, Int64>>
    /// This task's part of the state before the first batch.
    private let initial: [Key: State]
    private let batchInterval: Duration
    private let scope: RecordScope
    /// Uses of the mapped stream and of its snapshots; empty where nobody needs them.
    var outputs: [Push<Out>] = []
    var snapshots: [Push<(Key, State)>] = []
    /// The open epoch is the first one and has got its initial state.
    private var isSeeded = false

    init(
        _ spec: StateSpec<Key, Value, State, Out>, _ table: StateTable<Key, StatePair<State, Int64>>,
        initial: [Key: State], batchInterval: Duration, scope: RecordScope
    ) {
        self.spec = spec
        self.table = table
        self.initial = initial
        self.batchInterval = batchInterval
        self.scope = scope
    }

    func receive(_ payload: any Sendable) throws {
        guard let pairs = payload as? [(Key, Value)] else { throw Parcel.misdirected }
        try seedIfFirst()
        let time = scope.context.batchTimeMs
        for (key, value) in pairs {
            let out = try table.update(key) { stored in try call(key, value, &stored, time) }
            if let out { try emit(out) }
        }
    }

    private func call(
        _ key: Key, _ value: Value, _ stored: inout StatePair<State, Int64>?, _ time: Int64
    ) throws -> Out? {
        var state = KeyState(stored?.first)
        let out = try spec.function(key, value, &state)
        if let misuse = state.misuse { throw misuse }
        stored = state.value.map { StatePair($0, time) }
        return out
    }

    private func emit(_ out: Out) throws {
        for push in outputs { try push(out) }
    }

    private func seedIfFirst() throws {
        guard scope.context.isFirstBatch, !isSeeded else { return }
        isSeeded = true
        let time = scope.context.batchTimeMs
        for (key, state) in initial { try table.update(key) { $0 = StatePair(state, time) } }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {
        try seedIfFirst()
        isSeeded = false
        try dropIdle(plan)
        if !snapshots.isEmpty {
            try table.forEachEntry { key, state in
                for push in snapshots { try push((key, state.first)) }
            }
        }
    }

    private func dropIdle(_ plan: EpochPlan) throws {
        guard let timeout = spec.idleTimeout, let start = plan.startTimeMs else { return }
        let interval = max(1, batchInterval.nanoseconds / 1_000_000)
        // The first batch at or behind each tenth interval, also where the interval has changed since the start.
        let every = interval * Self.scanEvery
        let before = plan.previousBatchTimeMs ?? start
        guard (plan.batchTimeMs - start) / every > (before - start) / every else { return }
        let threshold = plan.batchTimeMs - timeout.nanoseconds / 1_000_000
        var idle: [(Key, State)] = []
        try table.forEachEntry { key, state in
            if state.second < threshold { idle.append((key, state.first)) }
        }
        for (key, last) in idle {
            var state = KeyState(last, isTimingOut: true)
            let out = try spec.function(key, nil, &state)
            if let misuse = state.misuse { throw misuse }
            try table.update(key) { $0 = nil }
            if let out { try emit(out) }
        }
    }

    func reset() { isSeeded = false }
}
