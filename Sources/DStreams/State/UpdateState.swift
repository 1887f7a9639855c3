import CommitProtocol
import StateStore
import StreamEngine

/// `updateStateByKey` in one task: collects a batch's values by key, then updates every key that is known or new.
final class UpdateState<Key: Hashable & StateCodable & Sendable, Value: Sendable, State: StateCodable & Sendable>:
    Endpoint
{
    private let table: StateTable<Key, State>
    private let initial: [Key: State]
    private let update: ([Value], State?) throws -> State?
    private let push: Push<(Key, State)>
    private var values: [Key: [Value]] = [:]

    /// - Parameter initial: state of this task's keys before the query's first batch.
    init(
        _ table: StateTable<Key, State>, initial: [Key: State], update: @escaping ([Value], State?) throws -> State?,
        push: @escaping Push<(Key, State)>
    ) {
        self.table = table
        self.initial = initial
        self.update = update
        self.push = push
    }

    func receive(_ payload: any Sendable) throws {
        guard let pairs = payload as? [(Key, Value)] else { throw Parcel.misdirected }
        for (key, value) in pairs { values[key, default: []].append(value) }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {
        if plan.isFirstBatch {
            for (key, state) in initial { try table.update(key) { $0 = state } }
        }
        var fresh = values
        values = [:]
        try table.updateAll { key, state in
            state = try update(fresh.removeValue(forKey: key) ?? [], state)
            if let state { try push((key, state)) }
        }
        for (key, values) in fresh {
            let state = try update(values, nil)
            guard let state else { continue }
            try table.update(key) { $0 = state }
            try push((key, state))
        }
    }

    func reset() { values = [:] }
}
