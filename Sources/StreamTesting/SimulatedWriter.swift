public import CommitProtocol
import StreamCore

/// A transactional writer over a `SimulatedCluster`: answers in its own time, and fails as a seed decides.
public final class SimulatedWriter: TransactionPort, WorldActor {
    public let name = "writer"
    public var onReady: (@Sendable () -> Void)?
    /// One command in so many fails; 0: none does.
    public var faultRate: UInt64
    private let cluster: SimulatedCluster
    private var random: StableRandom
    private var commands: [TransactionCommand] = []
    private var events: [TransactionEvent] = []
    private var producerEpoch = 0
    private var generation = 0
    private var isBroken = true
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
            producerEpoch = cluster.initialize()
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
            cluster.transaction = SimulatedCluster.Transaction(epoch: epoch)
            events.append(.begun(epoch))
        case .produce(let block):
            guard !isFenced else { return fail(.fenced) }
            let epoch = cluster.transaction?.epoch ?? 0
            for index in block.slots.indices {
                let slot = block.slots[index]
                cluster.transaction?.outputs.append(
                    SimulatedCluster.Output(
                        topic: block.topics[Int(slot.topic)], value: String(decoding: block.value(index) ?? [], as: UTF8.self),
                        epoch: epoch))
            }
            events.append(.produced(block))
        case .commit(let commit):
            guard !isFenced else { return fail(.fenced) }
            cluster.commit(commit)
            events.append(.committed(commit.epoch))
        }
    }

    private var isFenced: Bool { producerEpoch != cluster.producerEpoch }

    /// - Returns: false if this command cannot fail that way.
    private func injectFault(into command: TransactionCommand) -> Bool {
        switch command {
        case .initialize, .recover:
            fail(.unavailable)
        case .begin, .produce:
            fail([.abortable, .expired, .fatal, .fenced][Int(random.next() % 4)])
        case .commit(let commit):
            guard !isFenced else { return false }
            // The answer is lost; the commit itself may have happened.
            if random.next() % 2 == 0 {
                cluster.commit(commit)
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
