public import StreamCore

/// Decides what the committer does next. Pure: events in, actions out; no I/O, no clock.
///
/// An epoch goes: (plan logged -> user output delivered, where there is any) -> begin -> produce… -> commit. Epochs
/// commit in order, one at a time. With exactly-once the outputs of the next one wait in memory until this one is known
/// to be committed (invariant 1); with at-least-once they go out at once.
///
/// ```
///             output|seal            seal                committed
///   ready ──────────────▶ open ──────────────▶ committing ─────────▶ ready
///     │ seal, user output                                              ▲
///     ├──▶ planning ── committed ──▶ delivering ── delivered ──────────┘ (then begins as above)
///   any ── failed ──▶ broken ── restart ──▶ (initialize) ── initialized ──▶ ready
/// ```
public struct CommitMachine: Sendable, Hashable {
    /// Where the writer and its transaction stand.
    public enum Phase: Sendable, Hashable {
        /// No usable writer; every epoch is dropped.
        case broken
        /// The writer is there, no transaction is open.
        case ready
        /// A transaction is open and takes outputs of this epoch.
        case open(Epoch)
        case committing(Epoch)
        /// The transaction that makes the plan durable.
        case planning(Epoch)
        /// User output code runs for this epoch.
        case delivering(Epoch)
    }

    /// What happened: to the tasks, the writer or user output code.
    public enum Event: Sendable {
        case initialized
        /// Outputs of this epoch are queued.
        case output(Epoch)
        /// Every task is through with the epoch.
        case sealed(EpochPlan, hasUserOutput: Bool)
        case committed(Epoch)
        case delivered(Epoch)
        /// The writer failed, or user output code did, or the driver gave the attempt up.
        case broken
    }

    /// What the committer must do now, in the order given.
    public enum Action: Sendable, Hashable {
        case begin(Epoch)
        /// Hand every queued output block of this epoch to the writer.
        case produceQueued(Epoch)
        case commit(EpochCommit)
        /// Run the user output code of this epoch.
        case deliver(Epoch)
        /// The epoch and all its effects are durable.
        case notifyCommitted(EpochPlan)
    }

    private struct Work: Sendable, Hashable {
        var epoch: Epoch
        var hasQueuedOutput = false
        var plan: EpochPlan?
        var hasUserOutput = false
        var isDelivered = false
    }

    public let guarantee: Guarantee
    /// Whether epochs carry a progress record (queries that have an owner).
    public let hasProgress: Bool
    /// For tests alone.
    package var breakages: ProtocolBreakage = []
    public private(set) var phase = Phase.broken
    /// By epoch.
    private var works: [Work] = []
    /// Tasks are not in step: an output of epoch n+1 may arrive before the first of epoch n. So an epoch begins before
    /// its seal only when it is known to be next.
    private var lastCommitted: Epoch?

    public init(guarantee: Guarantee, hasProgress: Bool) {
        self.guarantee = guarantee
        self.hasProgress = hasProgress
    }

    /// Epochs that are known here and not yet committed.
    public var epochsInFlight: Int { works.count }

    /// The plan of an epoch that is known here and sealed.
    public func plan(of epoch: Epoch) -> EpochPlan? { works.first { $0.epoch == epoch }?.plan }

    /// Takes an event and gives what to do about it, in order; events that no longer matter give nothing.
    public mutating func handle(_ event: Event) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .initialized:
            works.removeAll()
            lastCommitted = nil
            phase = .ready
        case .broken:
            works.removeAll()
            phase = .broken
        case .output(let epoch):
            guard phase != .broken else { return [] }
            update(epoch) { $0.hasQueuedOutput = true }
        case .sealed(let plan, let hasUserOutput):
            guard phase != .broken else { return [] }
            update(plan.epoch) {
                $0.plan = plan
                $0.hasUserOutput = hasUserOutput
            }
        case .delivered(let epoch):
            guard phase == .delivering(epoch) else { return [] }
            update(epoch) { $0.isDelivered = true }
            phase = .ready
        case .committed(let epoch):
            commitArrived(epoch, &actions)
        }
        advance(&actions)
        return actions
    }

    private mutating func commitArrived(_ epoch: Epoch, _ actions: inout [Action]) {
        if phase == .planning(epoch) {
            phase = .delivering(epoch)
            actions.append(.deliver(epoch))
        } else if phase == .committing(epoch), let plan = works.first?.plan {
            works.removeFirst()
            phase = .ready
            lastCommitted = epoch
            actions.append(.notifyCommitted(plan))
        }
    }

    private mutating func advance(_ actions: inout [Action]) {
        if guarantee == .atLeastOnce, phase != .broken { produceAhead(&actions) }
        guard let head = works.first else { return }
        switch phase {
        case .ready:
            if head.hasUserOutput && !head.isDelivered {
                guard let plan = head.plan else { return }
                // A plan that is repeated is durable already. It is committed again all the same: an instance that has
                // lost the query unawares would otherwise deliver an old epoch, from a state that others have moved on.
                if plan.isReplay, breakages.contains(.replayUnconfirmed) {
                    phase = .delivering(head.epoch)
                    return actions.append(.deliver(head.epoch))
                }
                phase = .planning(head.epoch)
                actions.append(.begin(head.epoch))
                actions.append(
                    .commit(
                        EpochCommit(
                            epoch: head.epoch, positions: plan.positionsBefore, progress: plan.progress(.planned))))
            } else if head.hasQueuedOutput || head.plan != nil, !isAwaitingSeal(head) {
                phase = .open(head.epoch)
                actions.append(.begin(head.epoch))
                fillAndCommit(&actions)
            }
        case .open: fillAndCommit(&actions)
        case .broken, .committing, .planning, .delivering: return
        }
    }

    /// User output must come before any of the epoch's own transaction, and whether there is some is known at its seal.
    private func isAwaitingSeal(_ work: Work) -> Bool {
        work.plan == nil && (hasProgress || lastCommitted?.next != work.epoch)
    }

    private mutating func fillAndCommit(_ actions: inout [Action]) {
        guard case .open(let epoch) = phase, let head = works.first, head.epoch == epoch else { return }
        if head.hasQueuedOutput {
            works[0].hasQueuedOutput = false
            actions.append(.produceQueued(epoch))
        }
        if breakages.contains(.outputsAhead) { produceAhead(&actions) }
        guard let plan = head.plan else { return }
        phase = .committing(epoch)
        actions.append(.commit(plan.commit(hasProgress: hasProgress, breakages)))
    }

    private mutating func produceAhead(_ actions: inout [Action]) {
        for index in works.indices where works[index].hasQueuedOutput {
            works[index].hasQueuedOutput = false
            actions.append(.produceQueued(works[index].epoch))
        }
    }

    private mutating func update(_ epoch: Epoch, _ change: (inout Work) -> Void) {
        if let index = works.firstIndex(where: { $0.epoch == epoch }) {
            change(&works[index])
        } else {
            var work = Work(epoch: epoch)
            change(&work)
            works.insert(work, at: works.firstIndex { $0.epoch > epoch } ?? works.endIndex)
        }
    }
}
