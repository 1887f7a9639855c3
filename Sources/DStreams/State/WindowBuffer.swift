import CommitProtocol
import StateStore
import StreamEngine

/// `window` in one task: keeps the elements of each batch and gives all of a window's when one ends.
final class WindowBuffer<Element, Stored: StateCodable>: Endpoint {
    private let panes: PaneStore<Stored>
    private let span: WindowSpan
    private let settings: WindowGuard
    private let shard: Int
    private let scope: RecordScope
    private let store: (Element) -> Stored
    private let push: (Stored) throws -> Void
    private var batch: [Stored] = []
    private var lastSerial = -1
    private var mark = 0

    /// - Parameter shard: one that this task holds; where elements have no key, all of them go there.
    init(
        _ panes: PaneStore<Stored>, _ span: WindowSpan, _ settings: WindowGuard, shard: Int, scope: RecordScope,
        store: @escaping (Element) -> Stored, push: @escaping (Stored) throws -> Void
    ) {
        self.panes = panes
        self.span = span
        self.settings = settings
        self.shard = shard
        self.scope = scope
        self.store = store
        self.push = push
    }

    func add(_ element: Element) {
        if scope.reached(&lastSerial) { mark = batch.count }
        batch.append(store(element))
    }

    func undoRecord() {
        if scope.isAt(lastSerial) { batch.removeSubrange(mark...) }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {
        let time = plan.batchTimeMs
        try settings.check()
        if !batch.isEmpty { panes.add(batch, at: time, shard: shard) }
        batch = []
        guard span.fires(at: time, start: plan.startTimeMs) else { return }
        try panes.forEachPane(after: span.begin(of: time), through: time) { _, elements in
            for element in elements { try push(element) }
        }
        panes.removePanes(through: span.expired(at: time))
    }

    func reset() {
        batch = []
        settings.reset()
    }
}
