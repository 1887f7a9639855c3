import CommitProtocol
import StateStore
import StreamCore
import StreamEngine

/// `reduceByKeyAndWindow` with an inverse, in one task: the window's value of each key is kept; batches that come are
/// added to it, and batches that leave are taken away.
final class InvertibleWindow<Key: Hashable & StateCodable & Sendable, Value: StateCodable & Sendable>: Endpoint {
    typealias Reduce = (Value, Value) throws -> Value

    private let panes: PaneStore<StatePair<Key, Value>>
    private let table: StateTable<Key, Value>
    private let span: WindowSpan
    private let settings: WindowGuard
    private let layout: ShardLayout
    private let reduce: Reduce
    private let inverse: Reduce
    private let isKept: ((Key, Value) throws -> Bool)?
    private let push: Push<(Key, Value)>
    private var batch = PaneBatch<Key, Value>()

    /// - Parameter isKept: keys for which it is false are dropped; nil: a key stays for good, with whatever the inverse
    ///   leaves of it.
    init(
        _ panes: PaneStore<StatePair<Key, Value>>, _ table: StateTable<Key, Value>, _ span: WindowSpan,
        _ settings: WindowGuard, _ layout: ShardLayout, reduce: @escaping Reduce, inverse: @escaping Reduce,
        isKept: ((Key, Value) throws -> Bool)?, push: @escaping Push<(Key, Value)>
    ) {
        self.panes = panes
        self.table = table
        self.span = span
        self.settings = settings
        self.layout = layout
        self.reduce = reduce
        self.inverse = inverse
        self.isKept = isKept
        self.push = push
    }

    func receive(_ payload: any Sendable) throws { try batch.receive(payload, reduce) }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {
        let time = plan.batchTimeMs
        try settings.check()
        batch.flush(to: panes, at: time, layout)
        guard span.fires(at: time, start: plan.startTimeMs) else { return }
        // What is there up to the last firing was counted then, and is there because it has not left yet. Batches
        // between two windows that do not overlap are in none.
        let last = span.lastFiring(before: plan.previousBatchTimeMs, start: plan.startTimeMs)
        let begin = span.begin(of: time)
        let leaving = try last.map { try values(after: .min, through: min($0, begin)) } ?? [:]
        let coming = try values(after: max(last ?? .min, begin), through: time)
        for (key, old) in leaving {
            try table.update(key) { value in
                guard let now = value else { throw Self.inconsistent(key) }
                value = try inverse(now, old)
            }
        }
        for (key, new) in coming {
            try table.update(key) { value in value = try value.map { try reduce($0, new) } ?? new }
        }
        try give()
        panes.removePanes(through: begin)
    }

    /// What the batches of a span have for each key, reduced in the order of time.
    private func values(after begin: Int64, through end: Int64) throws -> [Key: Value] {
        var result: [Key: Value] = [:]
        guard begin < end else { return result }
        try panes.forEachPane(after: begin, through: end) { _, elements in
            for pair in elements {
                result[pair.first] = try result[pair.first].map { try reduce($0, pair.second) } ?? pair.second
            }
        }
        return result
    }

    private func give() throws {
        guard let isKept else { return try table.forEachEntry { try push(($0, $1)) } }
        try table.updateAll { key, value in
            guard let now = value else { return }
            if try isKept(key, now) { try push((key, now)) } else { value = nil }
        }
    }

    private static func inconsistent(_ key: Key) -> StreamError {
        StreamError(
            "WINDOW_INCONSISTENT", "A batch leaves a window that has no value for one of its keys.",
            remedy: "See that equal keys have equal hashes and bytes, and that the filter drops a key only when the "
                + "inverse has left nothing of it.", domain: .user)
    }

    func reset() {
        batch = PaneBatch()
        settings.reset()
    }
}
