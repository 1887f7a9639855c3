import CommitProtocol
import StateStore
import StreamEngine

/// `reduceByKeyAndWindow` and `groupByKeyAndWindow` in one task: keeps what each batch has for each key, and brings a
/// window's together when one ends.
final class KeyedWindow<
    Key: Hashable & StateCodable & Sendable, Value: StateCodable & Sendable, Result
>: Endpoint {
    private let panes: PaneStore<StatePair<Key, Value>>
    private let span: WindowSpan
    private let settings: WindowGuard
    private let layout: ShardLayout
    /// Brings the values of one key in one batch together, before they are kept; nil: each is kept.
    private let combine: ((Value, Value) throws -> Value)?
    private let add: (Value, inout Result?) throws -> Void
    private let push: Push<(Key, Result)>
    private var batch = PaneBatch<Key, Value>()

    init(
        _ panes: PaneStore<StatePair<Key, Value>>, _ span: WindowSpan, _ settings: WindowGuard, _ layout: ShardLayout,
        combine: ((Value, Value) throws -> Value)?, add: @escaping (Value, inout Result?) throws -> Void,
        push: @escaping Push<(Key, Result)>
    ) {
        self.panes = panes
        self.span = span
        self.settings = settings
        self.layout = layout
        self.combine = combine
        self.add = add
        self.push = push
    }

    func receive(_ payload: any Sendable) throws { try batch.receive(payload, combine) }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {
        let time = plan.batchTimeMs
        try settings.check()
        batch.flush(to: panes, at: time, layout)
        guard span.fires(at: time, start: plan.startTimeMs) else { return }
        var results: [Key: Result] = [:]
        try panes.forEachPane(after: span.begin(of: time), through: time) { _, elements in
            for pair in elements { try add(pair.second, &results[pair.first]) }
        }
        for (key, result) in results { try push((key, result)) }
        panes.removePanes(through: span.expired(at: time))
    }

    func reset() {
        batch = PaneBatch()
        settings.reset()
    }
}

/// What one batch has for each key, on its way into panes.
struct PaneBatch<Key: Hashable & StateCodable & Sendable, Value: StateCodable & Sendable> {
    private var combined: [Key: Value] = [:]
    private var single: [(Key, Value)] = []

    mutating func receive(_ payload: any Sendable, _ combine: ((Value, Value) throws -> Value)?) throws {
        guard let combine else {
            guard let pairs = payload as? [(Key, Value)] else { throw Parcel.misdirected }
            single += pairs
            return
        }
        guard let part = payload as? [Key: Value] else { throw Parcel.misdirected }
        try combined.merge(part, uniquingKeysWith: combine)
    }

    mutating func flush(
        to panes: PaneStore<StatePair<Key, Value>>, at timeMs: Int64, _ layout: ShardLayout
    ) {
        var byShard: [Int: [StatePair<Key, Value>]] = [:]
        for (key, value) in combined { byShard[shard(key, layout), default: []].append(StatePair(key, value)) }
        for (key, value) in single { byShard[shard(key, layout), default: []].append(StatePair(key, value)) }
        for (shard, elements) in byShard.sorted(by: { $0.key < $1.key }) {
            panes.add(elements, at: timeMs, shard: shard)
        }
        combined = [:]
        single = []
    }

    private func shard(_ key: Key, _ layout: ShardLayout) -> Int { layout.shard(ofKeyHash: stableHash(key)) }
}
