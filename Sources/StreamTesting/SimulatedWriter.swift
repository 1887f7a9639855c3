public import CommitProtocol
import StreamCore

/// A transactional writer over a `SimulatedCluster`: answers in its own time, fails as a seed or a schedule decides.
///
/// A commit is three things that happen one after the other, with anything in between: positions and progress are
/// added, the end is decided, the answer arrives.
public final class SimulatedWriter: TransactionPort, WorldActor {
    /// A failure that waits for the next command that can fail that way.
    public enum Fault: Hashable, Sendable {
        /// Before anything happened.
        case refused(TransactionFailure.Kind)
        /// Positions may be added; the wish to commit does not arrive, and neither does an answer.
        case lostRequest
        /// The wish to commit arrives later, if it still can.
        case lateRequest
        /// The commit happens, its answer is lost.
        case lostAnswer
    }

    public let name = "writer"
    public var onReady: (@Sendable () -> Void)?
    /// One command in so many fails; 0: none does.
    public var faultRate: UInt64
    /// Outputs are visible as soon as they are produced (at-least-once).
    public var isTransactional = true
    /// A transaction with more outputs outlives its time-out.
    public var expiresAbove: Int?
    /// The transactional id.
    public var identity = "one"
    /// Whether the group still knows the member that commits; without it the commit is fenced.
    public var isMember: () -> Bool = { true }
    /// What delays and expires; nil: nothing does.
    public var coordinator: SimulatedCoordinator?
    public private(set) var fault: Fault?
    public private(set) var faultCounts: [Fault: Int] = [:]
    private let cluster: SimulatedCluster
    private var random: StableRandom
    private var commands: [TransactionCommand] = []
    private var events: [TransactionEvent] = []
    private var producerEpoch = 0
    private var isBroken = true
    private var isInitializing = false
    private var commitStage = CommitStage.positions
    public let gate = CommitGate()
    public private(set) var isClosed = false
    public private(set) var failures: [TransactionFailure.Kind: Int] = [:]

    private enum CommitStage { case positions, end, answer }

    public init(_ cluster: SimulatedCluster, seed: UInt64, faultRate: UInt64 = 0) {
        self.cluster = cluster
        self.faultRate = faultRate
        random = StableRandom(seed: seed)
    }

    public func submit(_ command: TransactionCommand) { commands.append(command) }
    public func poll() -> TransactionEvent? { events.isEmpty ? nil : events.removeFirst() }
    public func close(within: Duration) { isClosed = true }
    /// Something will fail.
    public func arm(_ fault: Fault) { self.fault = fault }

    /// The process died: a request that was on its way arrives all the same, or not.
    public func die(requestArrives: Bool) {
        if requestArrives, case .commit = commands.first, commitStage == .end, !isBroken {
            coordinator?.send(identity, producerEpoch)
        }
        isClosed = true
    }

    // MARK: - The world

    public var hasWork: Bool {
        guard !isClosed, let command = commands.first, coordinator?.isDown != true else { return false }
        switch command {
        case .initialize: return !isInitializing || cluster.isSettled(identity)
        case .recover(let splits): return isBroken || fault != nil || cluster.isStable(splits)
        case .begin: return isBroken || cluster.isSettled(identity)
        case .produce, .commit: return true
        }
    }

    public func act() {
        let command = commands[0]
        if isBroken {
            // Behind a failure only `initialize` is answered; recover needs no transaction.
            guard case .initialize = command else {
                commands.removeFirst()
                return
            }
        }
        if faultRate > 0, commitStage == .positions, !isInitializing, random.next() % faultRate == 0,
            injectFault(into: command)
        {
            return
        }
        if let fault, inject(fault, into: command) { return }
        if case .recover(let splits) = command, !cluster.isStable(splits) { return }
        carryOut(command)
        onReady?()
    }

    private func answer(_ event: TransactionEvent) {
        commands.removeFirst()
        events.append(event)
    }

    private func carryOut(_ command: TransactionCommand) {
        switch command {
        case .initialize: initialize()
        case .recover(let splits):
            answer(
                .recovered(
                    RecoveredProgress(
                        positions: cluster.positions.filter { splits.contains($0.key) }, progress: cluster.progress)))
        case .begin(let epoch):
            if let refusal { return fail(refusal) }
            cluster.begin(identity, epoch, now: coordinator?.now ?? .zero)
            answer(.begun(epoch))
        case .produce(let block): produce(block)
        case .commit(let commit): advance(commit)
        }
    }

    private func initialize() {
        if !isInitializing {
            gate.open()
            producerEpoch = cluster.fence(identity)
            isInitializing = true
        }
        guard cluster.isSettled(identity) else { return }
        isInitializing = false
        if let refusal { return fail(refusal) }
        isBroken = false
        commitStage = .positions
        answer(.initialized)
    }

    private func produce(_ block: RecordBlock) {
        if let refusal { return fail(refusal) }
        let (outputs, changes) = (outputs(of: block), changes(of: block))
        if isTransactional {
            guard cluster.produce(identity, outputs, changes) else { return fail(.fatal) }
        } else {
            cluster.write(outputs, changes)
        }
        answer(.produced(block))
    }

    private func advance(_ commit: EpochCommit) {
        switch commitStage {
        case .positions:
            guard gate.isOpen else { return fail(.fenced) }
            if let refusal { return fail(refusal) }
            // No offsets, no look at the group.
            guard commit.positions.isEmpty || isMember() else { return fail(.fenced) }
            if let limit = expiresAbove, outputCount > limit { return fail(.expired) }
            guard cluster.addPositions(identity, commit) else { return fail(.fatal) }
            commitStage = .end
        case .end:
            if let refusal { return fail(refusal) }
            guard cluster.commit(identity) else { return fail(.fatal) }
            commitStage = .answer
        case .answer:
            commitStage = .positions
            return answer(.committed(commit.epoch))
        }
        // Without a coordinator nothing comes in between.
        if coordinator == nil { advance(commit) }
    }

    private var outputCount: Int {
        cluster.openNumbers[identity].flatMap { cluster.transactions[$0]?.outputs.count } ?? 0
    }

    private func outputs(of block: RecordBlock) -> [SimulatedCluster.Output] {
        let epoch = cluster.openNumbers[identity].flatMap { cluster.transactions[$0]?.epoch } ?? 0
        return block.slots.indices.filter { !Self.isChange(block, $0) }.map { index in
            SimulatedCluster.Output(
                topic: block.topics[Int(block.slots[index].topic)],
                value: String(decoding: block.value(index) ?? [], as: UTF8.self), epoch: epoch)
        }
    }

    private func changes(of block: RecordBlock) -> [SimulatedCluster.Change] {
        block.slots.indices.filter { Self.isChange(block, $0) }.map { index in
            SimulatedCluster.Change(
                split: block.split(index), key: block.key(index) ?? [], value: block.value(index))
        }
    }

    private static func isChange(_ block: RecordBlock, _ index: Int) -> Bool {
        block.topics[Int(block.slots[index].topic)].text.hasSuffix("-changelog")
    }

    private var refusal: TransactionFailure.Kind? { cluster.refusal(identity, producerEpoch) }

    // MARK: - Faults

    /// By a seed. - Returns: false if this command cannot fail that way.
    private func injectFault(into command: TransactionCommand) -> Bool {
        switch command {
        case .initialize, .recover:
            fail(.unavailable)
        case .begin, .produce:
            fail([.abortable, .expired, .fatal, .fenced][Int(random.next() % 4)])
        case .commit(let commit):
            guard refusal == nil, gate.isOpen else { return false }
            // The answer is lost; the commit itself may have happened.
            if isMember(), random.next() % 2 == 0, cluster.addPositions(identity, commit) {
                _ = cluster.commit(identity)
            }
            fail(.indefinite)
        }
        return true
    }

    /// By a schedule. - Returns: false if this is not the command that it waits for.
    private func inject(_ fault: Fault, into command: TransactionCommand) -> Bool {
        switch (fault, command) {
        case (.refused(.unavailable), .initialize), (.refused(.unavailable), .recover): fail(.unavailable)
        case (.refused(.unavailable), _), (.refused, .initialize), (.refused, .recover): return false
        case (.refused(let kind), .begin), (.refused(let kind), .produce):
            if kind == .expired { coordinator?.expire(identity) }
            fail(kind)
        case (.refused(let kind), .commit):
            guard commitStage == .positions else { return false }
            if kind == .expired { coordinator?.expire(identity) }
            fail(kind)
        case (.lostRequest, .commit):
            guard commitStage == .end || random.next() % 2 == 0 else { return false }
            guard commitStage != .answer else { return false }
            fail(.indefinite)
        case (.lateRequest, .commit):
            guard commitStage == .end, refusal == nil else { return false }
            coordinator?.send(identity, producerEpoch)
            fail(.indefinite)
        case (.lostAnswer, .commit):
            guard commitStage == .answer else { return false }
            fail(.indefinite)
        case (.lostRequest, _), (.lateRequest, _), (.lostAnswer, _): return false
        }
        self.fault = nil
        faultCounts[fault, default: 0] += 1
        return true
    }

    private func fail(_ kind: TransactionFailure.Kind) {
        commands.removeFirst()
        isBroken = true
        isInitializing = false
        commitStage = .positions
        failures[kind, default: 0] += 1
        // A generation that is over is a fence that says nothing about our identity.
        let error = StreamError(
            StreamError.Code("SIMULATED_\(kind.rawValue.uppercased())"), "Simulated failure.", domain: .external,
            recovery: .abortEpoch)
        events.append(.failed(TransactionFailure(kind, error)))
        onReady?()
    }
}
