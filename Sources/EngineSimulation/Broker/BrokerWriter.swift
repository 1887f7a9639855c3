import CommitProtocol
import EmbeddedBroker
import KafkaWire
import StreamCore
import StreamTesting

/// A transactional producer in Kafka's requests, with the failure classes of `KafkaClient`.
final class BrokerWriter: TransactionPort, WorldActor {
    let name = "writer"
    var onReady: (@Sendable () -> Void)?
    let gate = CommitGate()
    let options: Options
    private(set) var failures: [TransactionFailure.Kind: Int] = [:]
    /// The group's offsets are committed as this member.
    let member: GroupMember
    let network: SimulatedNetwork
    let connection: Connection
    let progress: ProgressLookup?
    private var commands: [TransactionCommand] = []
    private var events: [TransactionEvent] = []
    private var isBusy = false
    private var isBroken = true
    var producer = ProducerIdentity(id: -1, epoch: -1)
    var transaction = OpenTransaction()
    /// The next number of each partition, for this epoch of the producer.
    var sequences: [Split: Int32] = [:]

    struct Options {
        /// The transactional id.
        var identity: String
        var query: QueryName
        /// Topics have a partition for each slot, so that what one instance leaves open hides nothing of another's.
        var outputPartition: Int32
        /// For owned queries.
        var progressTopic: TopicName?
        var extraPositions: [Split: Position] = [:]
        static let transactionTimeout = Duration.seconds(5)
        var callTimeout = Duration.seconds(2)
    }

    struct OpenTransaction {
        var began = MonotonicTime.zero
        var partitions: Set<Split> = []
        var hasGroup = false
        var isEmpty: Bool { partitions.isEmpty && !hasGroup }
    }

    init(_ options: Options, _ network: SimulatedNetwork, _ clientID: ClientID, member: GroupMember, seed: UInt64) {
        self.options = options
        self.network = network
        self.member = member
        connection = Connection(network, clientID)
        progress = options.progressTopic.map { ProgressLookup($0, options.query, network, clientID, seed: seed) }
    }

    func submit(_ command: TransactionCommand) { commands.append(command) }
    func poll() -> TransactionEvent? { events.isEmpty ? nil : events.removeFirst() }
    func close(within: Duration) { die(requestArrives: true) }

    func die(requestArrives: Bool) {
        connection.close(requestArrives: requestArrives)
        progress?.close()
    }

    // MARK: - The world

    var hasWork: Bool { connection.hasWork || progress?.hasWork == true || (!isBusy && !commands.isEmpty) }
    var deadline: MonotonicTime { min(connection.deadline, progress?.deadline ?? .distantFuture) }

    func act() {
        if connection.hasWork {
            connection.act()
        } else if let progress, progress.hasWork {
            progress.act()
        } else {
            beginNext()
        }
        onReady?()
    }

    private func beginNext() {
        if isBroken {
            // Behind a failure only `initialize` is answered.
            guard case .initialize = commands[0] else {
                commands.removeFirst()
                return
            }
        }
        isBusy = true
        switch commands[0] {
        case .initialize: initialize()
        case .recover(let splits): recover(splits)
        case .begin(let epoch):
            transaction = OpenTransaction(began: network.clock.now)
            answer(.begun(epoch))
        case .produce(let block): write(block) { [unowned self] in answer(.produced(block)) }
        case .commit(let commit): self.commit(commit)
        }
    }

    func answer(_ event: TransactionEvent) {
        isBusy = false
        commands.removeFirst()
        events.append(event)
    }

    func fail(_ failure: CallFailure, at step: CommitStep) {
        let hasExpired = network.clock.now - transaction.began >= Options.transactionTimeout
        let kind = failure.kind(at: step, hasExpired: hasExpired)
        isBroken = true
        failures[kind, default: 0] += 1
        // Not named as Kafka's: the engine stops where two processes have one identity for long, and here it is the
        // schedule that ends the second one.
        answer(
            .failed(
                TransactionFailure(
                    kind,
                    StreamError(
                        StreamError.Code("SIMULATED_\(kind.rawValue.uppercased())"), "\(step) failed: \(failure).",
                        domain: .external, recovery: .abortEpoch))))
    }

    // MARK: - Outside a transaction

    /// The one way back from every error.
    private func initialize() {
        gate.open()
        connection.reset()
        sequences = [:]
        connection.call(.initialize(options.identity), within: options.callTimeout) { [unowned self] result in
            switch result {
            case .success(.initProducerID(let answer)):
                producer = ProducerIdentity(id: answer.producerID, epoch: answer.producerEpoch)
                isBroken = false
                self.answer(.initialized)
            case .success: fail(.silence, at: .initialize)
            case .failure(let failure): fail(failure, at: .initialize)
            }
        }
    }
}

/// Where in an epoch's life a call failed.
enum CommitStep { case initialize, recover, produce, offsets, commit }

extension CallFailure {
    /// As `KafkaClient` classifies errors.
    func kind(at step: CommitStep, hasExpired: Bool) -> TransactionFailure.Kind {
        switch (step, self) {
        case (.initialize, .silence), (.recover, .silence): .unavailable
        case (.initialize, .refused(let code, _)), (.recover, .refused(let code, _)):
            code.isPassing ? .unavailable : code.isFencing ? .fenced : .fatal
        case (.commit, .silence): .indefinite
        case (_, .silence): .abortable
        case (_, .refused(.illegalGeneration, _)), (_, .refused(.unknownMemberID, _)),
            (_, .refused(.fencedInstanceID, _)):
            .fenced
        case (_, .refused(let code, _)) where code.isFencing || code == .invalidTxnState:
            hasExpired ? .expired : code.isFencing ? .fenced : .fatal
        // What is refused as "not now" until the time is over was not carried out by any answer that came; one that
        // was lost before may have been.
        case (.commit, .refused(let code, _)) where code.isPassing: .indefinite
        case (_, .refused): .abortable
        }
    }
}

extension ErrorCode {
    /// Somebody else writes under our transactional id, or the broker has ended our transaction.
    fileprivate var isFencing: Bool {
        [.producerFenced, .invalidProducerEpoch, .invalidProducerIDMapping].contains(self)
    }
}
