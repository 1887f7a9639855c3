public import StateStore
import StreamCore

// Keyed state over batches. It lies in shards, one task each; every change goes to the operator's changelog topic in
// the batch's transaction, so state, outputs and input offsets are one thing: it survives whatever crashes when.

extension DStream {
    /// State by key that every batch updates: Spark's updateStateByKey.
    ///
    ///     words.map { ($0, 1) }.updateStateByKey { (ones: [Int], count: Int?) in (count ?? 0) + ones.count }
    ///
    /// In every batch `update` runs once for each key that has state, also where the batch brought nothing for it, and
    /// for each new key. What it gives is the key's state from now on; nil removes the key. The stream has the state
    /// of every key in every batch. A throw stops the query.
    /// - Parameters:
    ///   - name: the state's identity over versions of the program; nil: its kind and number among stateful operators.
    ///   - initialState: state before the query's first batch.
    /// - Complexity: O(keys) a batch: `mapWithState` looks at the keys of the batch alone.
    public func updateStateByKey<Key: Hashable & StateCodable & Sendable, Value: Sendable, State>(
        name: String? = nil, initialState: [Key: State] = [:],
        _ update: @escaping @Sendable ([Value], State?) throws -> State?
    ) -> DStream<(Key, State)> where Element == (Key, Value), State: StateCodable & Sendable {
        let (node, id) = context.addState(using: [node], kind: "updateStateByKey", name: name, runsInEmptyBatches: true)
        let target = level + 1
        return DStream<(Key, State)>(context, node: node, level: target) { builder, push in
            guard builder.level == target else {
                sendByKey(builder, node: node, target: target)
                return false
            }
            let state = builder.makeState(id)
            let initial = initialState.filter { builder.holds($0.key) }
            builder.add(
                UpdateState<Key, Value, State>(state.table(id: 1), initial: initial, update: update, push: push),
                node: node)
            return true
        }
    }

    /// State by key that each pair may look at and change: Spark's mapWithState.
    ///
    /// - Parameter name: the state's identity over versions of the program; nil: its kind and number among stateful
    ///   operators.
    /// - Complexity: O(pairs) a batch, and O(keys) in every tenth where a timeout is set.
    public func mapWithState<Key, Value, State, Out>(
        name: String? = nil, _ spec: StateSpec<Key, Value, State, Out>
    ) -> MappedState<Key, State, Out> where Element == (Key, Value) {
        let (node, id) = context.addState(
            using: [node], kind: "mapWithState", name: name,
            runsInEmptyBatches: spec.idleTimeout != nil || !spec.initial.isEmpty)
        let target = level + 1
        let interval = context.batchInterval
        let endpoint = { @Sendable (builder: StageBuilder) -> MapWithState<Key, Value, State, Out>? in
            guard builder.level == target else {
                builder.once(node) { sendByKey(builder, node: node, target: target) }
                return nil
            }
            let (endpoint, isNew) = builder.shared(node) {
                MapWithState(
                    spec, builder.makeState(id).table(id: 1), initial: spec.initial.filter { builder.holds($0.key) },
                    batchInterval: interval, scope: builder.scope)
            }
            if isNew { builder.add(endpoint, node: node) }
            return endpoint
        }
        let stream = DStream<Out>(context, node: node, level: target) { builder, push in
            guard let state = endpoint(builder) else { return false }
            state.outputs.append(push)
            return true
        }
        let snapshots = DStream<(Key, State)>(
            context, node: context.addNode(using: [node], runsInEmptyBatches: true), level: target
        ) { builder, push in
            guard let state = endpoint(builder) else { return false }
            state.snapshots.append(push)
            return true
        }
        return MappedState(stream: stream, stateSnapshots: snapshots)
    }

    /// The sending side of a keyed operator, in the stages before its own.
    func sendByKey<Key: Hashable & StateCodable & Sendable, Value: Sendable>(
        _ builder: StageBuilder, node: Int, target: Int
    ) where Element == (Key, Value) {
        guard builder.level < target else { return }
        let sender = KeyedSender<Key, Value>(
            node: node, level: target, taskCount: builder.taskCounts[target], layout: builder.stateSetup.layout,
            scope: builder.scope)
        if connect(builder, sender.push) { builder.add(sender, node: node) }
    }
}

/// What `mapWithState` gives: a stream of what its function gave, and one of its state.
public struct MappedState<Key, State, Out>: Sendable {
    /// What the function gave, in each batch.
    public let stream: DStream<Out>
    /// Every key with its state, after each batch.
    public let stateSnapshots: DStream<(Key, State)>
}
