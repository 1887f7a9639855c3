public import StreamCore

/// Decides for the driver: who owns which splits, where they are read from, when work is finished, dropped or repeated.
/// Pure: events in, actions out; the time comes with the events that need it.
///
/// ```
///   connecting ─▶ standby ─▶ locating ─▶ (restoring) ─▶ (resolving ─▶ anchoring) ─▶ running ◀──▶ draining
///                    ▲          ▲                                                      │            │
///                    └──────────┴───────────────────── recovering ◀──── failure ───────┴────────────┘
///   any ── stop ──▶ (draining) ──▶ closed
/// ```
public struct QueryMachine: Sendable, Hashable {
    /// Where the query stands between its start and its end.
    public enum Phase: String, Sendable, Hashable {
        /// The writer is being initialized for the first time.
        case connecting
        /// Ready, but nothing is ours.
        case standby
        /// Asking for the committed progress.
        case locating
        /// Bringing state to what the committed progress says.
        case restoring
        /// Turning start positions of splits without progress into positions.
        case resolving
        /// Committing those positions before anything is read.
        case anchoring
        case running
        /// No more is read; what is in flight is being committed.
        case draining
        /// The attempt was given up; the writer is being rebuilt.
        case recovering
        case closed
    }

    /// What happened: to the group, the writer, the work in flight, or by a user's wish.
    public enum Event: Sendable {
        case start
        case writerInitialized
        case assigned(Set<Split>)
        case revoking(Set<Split>)
        case lost(Set<Split>)
        case recovered(RecoveredProgress)
        /// State is what the committed progress says.
        case restored
        case resolved([Split: Position])
        case anchored
        /// Nothing is in flight any more.
        case drained
        /// The drain took longer than its deadline.
        case drainExpired
        case committed
        case failed(TransactionFailure, now: MonotonicTime)
        case stop
        /// Stop at once: what is in flight is dropped.
        case stopNow(StreamError?)
    }

    /// What the driver must do now, in the order given.
    public enum Action: Sendable {
        case initializeWriter(after: Duration)
        case recover(Set<Split>)
        /// Bring state to this epoch, the newest committed one; nil: which one is not known. Say `restored` then.
        case restore(Epoch?)
        case resolve([Split: StartPosition])
        /// Commit these positions, with no records. With `replay`, that plan stays the newest progress.
        case anchor([Split: Position], replay: ProgressRecord?)
        /// Read these splits from here. With `replay`, the next epoch must be exactly that one.
        case open([Split: Position], replay: ProgressRecord?)
        case release(Set<Split>)
        /// Cut what is open, read no more, and say `drained` when everything is committed.
        case drain
        /// A new attempt: everything that is not committed is dropped.
        case abandon
        /// Everything is done or dropped; close the ports. The error, if any, is why.
        case close(StreamError?)
    }

    /// For tests alone.
    package var breakages: ProtocolBreakage = []
    public private(set) var phase = Phase.connecting
    /// Splits that are open.
    public private(set) var owned: Set<Split> = []
    public private(set) var failures = FailurePolicy()
    /// The newest progress record known, for queries that have an owner.
    public private(set) var progress: ProgressRecord?

    private let start: [TopicName: StartPosition]
    private let partitionStart: [Split: StartPosition]
    private let defaultStart: StartPosition
    private let hasState: Bool
    /// Assigned, not yet open.
    private var arriving: Set<Split> = []
    /// Those of `arriving` that are being located now; others that arrive meanwhile wait for the next round.
    private var asked: Set<Split> = []
    private var leaving: Set<Split> = []
    private var located: [Split: Position] = [:]
    /// What was found before state is restored to it.
    public private(set) var found: RecoveredProgress?
    private var replay: ProgressRecord?
    /// Positions and progress that did not agree when they were last read.
    private var disagreeing: RecoveredProgress?
    private var isWriterReady = false
    private var isStopping = false

    /// - Parameters:
    ///   - start: where splits without progress begin.
    ///   - partitionStart: the same for single splits; wins.
    ///   - hasState: some task keeps state, which follows the progress.
    public init(
        defaultStart: StartPosition, start: [TopicName: StartPosition] = [:],
        partitionStart: [Split: StartPosition] = [:], hasState: Bool = false
    ) {
        self.hasState = hasState
        self.defaultStart = defaultStart
        self.start = start
        self.partitionStart = partitionStart
    }

    /// Takes an event and gives what to do about it, in order; a closed machine gives nothing.
    public mutating func handle(_ event: Event) -> [Action] {
        guard phase != .closed else { return [] }
        var actions: [Action] = []
        switch event {
        case .start: actions.append(.initializeWriter(after: .zero))
        case .writerInitialized:
            isWriterReady = true
            if phase == .connecting || phase == .recovering { settle(&actions) }
        case .assigned(let splits):
            arriving.formUnion(splits.subtracting(owned))
            membershipChanged(&actions)
        case .revoking(let splits):
            leaving.formUnion(splits)
            membershipChanged(&actions)
        case .lost(let splits): lose(splits, &actions)
        case .recovered(let found) where phase == .locating: recovered(found, &actions)
        case .restored where phase == .restoring: restored(&actions)
        case .resolved(let positions) where phase == .resolving: resolved(positions, &actions)
        case .anchored where phase == .anchoring: openLocated(&actions)
        case .drained where phase == .draining: settle(&actions)
        case .drainExpired where phase == .draining:
            isStopping ? close(nil, &actions) : recoverAll(after: .zero, &actions)
        case .committed: failures.committed()
        case .failed(let failure, let now): fail(failure, now, &actions)
        case .stop:
            isStopping = true
            membershipChanged(&actions)
        case .stopNow(let error): close(error, &actions)
        // Answers to an attempt that is over.
        case .recovered, .restored, .resolved, .anchored, .drained, .drainExpired: break
        }
        return actions
    }

    // MARK: - Transitions

    private mutating func membershipChanged(_ actions: inout [Action]) {
        switch phase {
        case .running:
            if breakages.contains(.splitsReleasedEarly) { releaseLeaving(&actions) }
            phase = .draining
            actions.append(.drain)
        case .standby: settle(&actions)
        case .connecting, .recovering:
            // Nothing is in flight here, and the writer may be away for long.
            releaseLeaving(&actions)
            if isStopping { close(nil, &actions) }
        case .locating, .restoring, .resolving:
            if isStopping {
                close(nil, &actions)
            } else {
                giveBackUnopened(&actions)
            }
        case .anchoring, .draining, .closed: break  // looked at when this is over
        }
    }

    /// Splits that are wanted back before anything of them was read need not wait for the end of the round.
    private mutating func giveBackUnopened(_ actions: inout [Action]) {
        let unopened = leaving.subtracting(owned)
        guard !unopened.isEmpty else { return }
        leaving.subtract(unopened)
        arriving.subtract(unopened)
        asked.subtract(unopened)
        for split in unopened { located[split] = nil }
        actions.append(.release(unopened))
        // While the progress is being read, its answer must come first: it would be taken for the next question's.
        guard phase == .resolving else { return }
        if asked.isEmpty { settle(&actions) } else { anchorIfLocated(&actions) }
    }

    private mutating func releaseLeaving(_ actions: inout [Action]) {
        guard !leaving.isEmpty else { return }
        owned.subtract(leaving)
        arriving.subtract(leaving)
        actions.append(.release(leaving))
        leaving.removeAll()
    }

    /// Nothing is in flight: give back, stop, or take what is new.
    private mutating func settle(_ actions: inout [Action]) {
        releaseLeaving(&actions)
        if isStopping { return close(nil, &actions) }
        guard isWriterReady else {
            phase = .recovering
            return
        }
        // After a failure every owned split goes back to what is committed.
        let wanted = phase == .recovering || phase == .connecting ? owned.union(arriving) : arriving
        if !wanted.isEmpty {
            phase = .locating
            arriving.formUnion(wanted)
            asked = wanted
            actions.append(.recover(wanted))
        } else {
            phase = owned.isEmpty ? .standby : .running
        }
    }

    /// The group's positions and the progress are read one after the other. An owner that lost the query without
    /// having heard of it may see another one's commit between the two: what disagrees is read again, and only the
    /// same disagreement twice is somebody's doing.
    private mutating func recovered(_ found: RecoveredProgress, _ actions: inout [Action]) {
        guard let moved = movedSplit(in: found) else {
            disagreeing = nil
            return restore(found, &actions)
        }
        guard disagreeing == found else {
            disagreeing = found
            return actions.append(.recover(asked))
        }
        let record = found.progress?.resumePositions[moved]
        close(Self.movedOffsets(moved, record: record, group: found.positions[moved]), &actions)
    }

    private func movedSplit(in found: RecoveredProgress) -> Split? {
        guard let resume = found.progress?.resumePositions else { return nil }
        return asked.filter { split in
            guard let position = found.positions[split], let recorded = resume[split] else { return false }
            return position != recorded
        }.min()
    }

    private mutating func restore(_ found: RecoveredProgress, _ actions: inout [Action]) {
        guard hasState, !asked.isEmpty else { return locate(found, &actions) }
        self.found = found
        phase = .restoring
        // Behind a plan that is not committed, nobody knows which epoch was the last one.
        let record = found.progress
        actions.append(.restore(record?.phase == .committed ? record?.epoch : nil))
    }

    private mutating func restored(_ actions: inout [Action]) {
        guard let found else { return }
        self.found = nil
        locate(found, &actions)
    }

    private mutating func locate(_ found: RecoveredProgress, _ actions: inout [Action]) {
        if asked.isEmpty { return settle(&actions) }
        located = found.positions.filter { asked.contains($0.key) }
        if let record = found.progress {
            progress = record
            replay = record.phase == .planned ? record : nil
            let resume = record.resumePositions
            located = resume.filter { asked.contains($0.key) }
        }
        let missing = asked.subtracting(located.keys)
        if missing.isEmpty { return openLocated(&actions) }
        // New partitions of a query that has run before are read from their beginning: nothing of them was ever seen.
        let isFirstStart = found.positions.isEmpty && found.progress == nil && owned.isSubset(of: asked)
        phase = .resolving
        var starts: [Split: StartPosition] = [:]
        for split in missing { starts[split] = isFirstStart ? startPosition(of: split) : .earliest }
        actions.append(.resolve(starts))
    }

    private mutating func resolved(_ positions: [Split: Position], _ actions: inout [Action]) {
        // A late answer to an earlier question may name splits that are not ours any more: their positions are not
        // touched.
        located.merge(positions.filter { asked.contains($0.key) && located[$0.key] == nil }) { old, _ in old }
        anchorIfLocated(&actions)
    }

    private mutating func anchorIfLocated(_ actions: inout [Action]) {
        guard asked.isSubset(of: located.keys) else { return }
        phase = .anchoring
        actions.append(.anchor(located, replay: replay))
    }

    private static func movedOffsets(_ split: Split, record: Position?, group: Position?) -> StreamError {
        let positions =
            "\(group.map(\.description) ?? "none") in the consumer group, "
            + "\(record.map(\.description) ?? "none") in the progress topic"
        return StreamError(
            "PROGRESS_DIFFERS", "The committed positions of \(split) differ: \(positions).",
            remedy:
                "Offsets of a query with an owner cannot be moved with Kafka's tools alone: set them back, or delete "
                + "the query's progress and changelog topics, its group's offsets and its state folder to begin anew.",
            domain: .user, place: StreamError.Place(split: split))
    }

    private func startPosition(of split: Split) -> StartPosition {
        partitionStart[split] ?? start[split.topic] ?? defaultStart
    }

    private mutating func openLocated(_ actions: inout [Action]) {
        owned.formUnion(asked)
        arriving.subtract(asked)
        asked.removeAll()
        phase = .running
        actions.append(.open(located, replay: replay))
        located.removeAll()
        replay = nil
        if !leaving.isEmpty || !arriving.isEmpty || isStopping { membershipChanged(&actions) }
    }

    private mutating func lose(_ splits: Set<Split>, _ actions: inout [Action]) {
        arriving.subtract(splits)
        leaving.subtract(splits)
        let wasOwned = !owned.isDisjoint(with: splits)
        owned.subtract(splits)
        if wasOwned || [.anchoring, .locating, .restoring, .resolving].contains(phase) {
            recoverAll(after: .zero, releasing: splits, &actions)
        } else {
            actions.append(.release(splits))
        }
    }

    private mutating func fail(_ failure: TransactionFailure, _ now: MonotonicTime, _ actions: inout [Action]) {
        switch failures.decide(failure, now: now) {
        case .rebuild(let pause): recoverAll(after: pause, &actions)
        case .stop(let error): close(error, &actions)
        }
    }

    /// The one way back from every failure.
    private mutating func recoverAll(after pause: Duration, releasing lost: Set<Split> = [], _ actions: inout [Action])
    {
        located.removeAll()
        asked.removeAll()
        found = nil
        replay = nil
        isWriterReady = false
        phase = .recovering
        actions.append(.abandon)
        let gone = lost.union(leaving)
        if !gone.isEmpty {
            owned.subtract(gone)
            arriving.subtract(gone)
            leaving.removeAll()
            actions.append(.release(gone))
        }
        if isStopping { close(nil, &actions) } else { actions.append(.initializeWriter(after: pause)) }
    }

    private mutating func close(_ error: StreamError?, _ actions: inout [Action]) {
        phase = .closed
        actions.append(.abandon)
        actions.append(.close(error))
    }
}
