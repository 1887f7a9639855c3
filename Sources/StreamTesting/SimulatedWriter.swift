public import CommitProtocol
import StreamCore

/// A transactional writer over a `SimulatedCluster`: answers in its own time, and fails as a seed decides.
public final class SimulatedWriter: TransactionPort, WorldActor {
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
    private let cluster: SimulatedCluster
    private var random: StableRandom
    private var commands: [TransactionCommand] = []
    private var events: [TransactionEvent] = []
    private var producerEpoch = 0
    private var generation = 0
    private var isBroken = true
    public let gate = CommitGate()
    public private(set) var isClosed = false
    public private(set) var failures: [TransactionFailure.Kind: Int] = [:]

    public init(_ cluster: SimulatedCluster, seed: UInt64, faultRate: UInt64 = 0) {
        self.cluster = cluster
        self.faultRate = faultRate
        random = StableRandom(seed: seed)
    }

    public func submit(_ command: TransactionCommand) { commands.append(command) }
    public func poll() -> TransactionEvent? { events.isEmpty ? nil : events.removeFirst() }
    public func close(within: Duration) { isClosed = true }

    public var hasWork: Bool { !commands.isEmpty && !isClosed }

    public func act() {
        let command = commands.removeFirst()
        if isBroken {
            // Behind a failure only `initialize` is answered; recover needs no transaction.
            guard case .initialize = command else { return }
        }
        if faultRate > 0, random.next() % faultRate == 0, injectFault(into: command) { return }
        carryOut(command)
        onReady?()
    }

    private func carryOut(_ command: TransactionCommand) {
        switch command {
        case .initialize:
            gate.open()
            producerEpoch = cluster.initialize(identity)
            isBroken = false
            events.append(.initialized)
        case .recover(let splits):
            generation = cluster.generation
            events.append(
                .recovered(
                    RecoveredProgress(
                        positions: cluster.positions.filter { splits.contains($0.key) }, progress: cluster.progress)))
        case .begin(let epoch):
            guard !isFenced else { return fail(.fenced) }
            cluster.transactions[identity] = SimulatedCluster.Transaction(epoch: epoch)
            events.append(.begun(epoch))
        case .produce(let block):
            guard !isFenced else { return fail(.fenced) }
            let (outputs, changes) = (outputs(of: block), changes(of: block))
            if isTransactional {
                cluster.transactions[identity]?.outputs += outputs
                cluster.transactions[identity]?.changes += changes
            } else {
                cluster.write(outputs, changes)
            }
            events.append(.produced(block))
        case .commit(let commit):
            guard !isFenced, isMember(), gate.isOpen else { return fail(.fenced) }
            if let limit = expiresAbove, cluster.transactions[identity]?.outputs.count ?? 0 > limit {
                return fail(.expired)
            }
            cluster.commit(commit, identity)
            events.append(.committed(commit.epoch))
        }
    }

    private func outputs(of block: RecordBlock) -> [SimulatedCluster.Output] {
        let epoch = cluster.transactions[identity]?.epoch ?? 0
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

    private var isFenced: Bool { producerEpoch != cluster.producerEpochs[identity] }

    /// - Returns: false if this command cannot fail that way.
    private func injectFault(into command: TransactionCommand) -> Bool {
        switch command {
        case .initialize, .recover:
            fail(.unavailable)
        case .begin, .produce:
            fail([.abortable, .expired, .fatal, .fenced][Int(random.next() % 4)])
        case .commit(let commit):
            guard !isFenced, gate.isOpen else { return false }
            // The answer is lost; the commit itself may have happened.
            if isMember(), random.next() % 2 == 0 {
                cluster.commit(commit, identity)
            }
            fail(.indefinite)
        }
        onReady?()
        return true
    }

    private func fail(_ kind: TransactionFailure.Kind) {
        isBroken = true
        failures[kind, default: 0] += 1
        // A generation that is over is a fence that says nothing about our identity.
        let error = StreamError(
            StreamError.Code("SIMULATED_\(kind.rawValue.uppercased())"), "Simulated failure.", domain: .external,
            recovery: .abortEpoch)
        events.append(.failed(TransactionFailure(kind, error)))
        onReady?()
    }
}
