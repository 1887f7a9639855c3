public import CommitProtocol
public import StreamCore

/// Exactly-once: an epoch's outputs, progress and input positions in one Kafka transaction.
///
/// Commands run on a thread of the port's own, each blocking call under a deadline. Whatever fails, `initialize` is the
/// way back: it drops the producer and makes a new one with the same transactional id.
public final class KafkaTransactions: TransactionPort {
    public let gate = CommitGate()
    private let runner: CommandRunner

    /// - Parameters:
    ///   - membership: under whose group the positions are committed; its generation fences a stale owner.
    public init(
        _ settings: KafkaSettings, _ options: CommitOptions, membership: any GroupMembership,
        log: any LogHandler = NullLog()
    ) {
        runner = CommandRunner(TransactionSession(settings, options, membership, gate, log))
    }

    public var onReady: (@Sendable () -> Void)? {
        get { runner.onReady }
        set { runner.onReady = newValue }
    }

    public func submit(_ command: TransactionCommand) { runner.submit(command) }
    public func poll() -> TransactionEvent? { runner.poll() }
    public func close(within: Duration) { runner.close(within: within) }
}

/// The transactional producer's life, on the port's thread.
final class TransactionSession: CommandSession {
    private let writer: EpochWriter
    private let options: CommitOptions
    private let membership: any GroupMembership
    private let gate: CommitGate
    private var begunAt = MonotonicTime.zero
    private var committedAt: MonotonicTime?

    init(
        _ settings: KafkaSettings, _ options: CommitOptions, _ membership: any GroupMembership, _ gate: CommitGate,
        _ log: any LogHandler
    ) {
        self.gate = gate
        self.options = options
        self.membership = membership
        var producer = ProducerOptions(
            transactionalID: options.transactionalID, transactionTimeout: options.transactionTimeout,
            linger: options.linger)
        producer.copiesRecords = options.copiesRecords
        writer = EpochWriter(settings, options, producer, log)
    }

    func execute(_ command: TransactionCommand) -> TransactionEvent {
        switch command {
        case .initialize:
            gate.open()
            return event(at: .initialize) { () throws(KafkaError) in
                try writer.rebuildForTransactions()
                committedAt = nil
                return .initialized
            }
        case .recover(let splits):
            return event(at: .recover) { () throws(KafkaError) in
                .recovered(try writer.recover(splits, membership))
            }
        case .begin(let epoch):
            return event(at: .begin) { () throws(KafkaError) in
                pace()
                begunAt = SystemClock().now
                try writer.current().begin()
                writer.beginEpoch()
                return .begun(epoch)
            }
        case .produce(let block):
            return produce(block)
        case .commit(let commit):
            return self.commit(commit)
        }
    }

    private func produce(_ block: RecordBlock) -> TransactionEvent {
        do throws(ProduceFailure) {
            try writer.produce(block)
            return .produced(block)
        } catch {
            return .failed(failure(error.error, at: .produce, refused: error.record))
        }
    }

    private func commit(_ commit: EpochCommit) -> TransactionEvent {
        var step = CommitStep.flush
        do throws(KafkaError) {
            let producer = try writer.current()
            if let progress = commit.progress { try writer.produce(progress) }
            // First, because it takes a round trip or two in which the last records are delivered by themselves.
            step = .offsets
            let positions = options.groupPositions(commit)
            try membership.addOffsets(positions, to: producer, through: gate, within: options.callTimeout)
            step = .flush
            try producer.flush(within: options.callTimeout)
            if let refused = producer.takeDeliveryFailure() {
                let index = refused.error.code.refusesRecord ? Producer.record(ofTag: refused.tag) : nil
                return .failed(
                    failure(refused.error, at: .flush, refused: index, block: Producer.block(ofTag: refused.tag)))
            }
            step = .commit
            try producer.commit(within: options.callTimeout)
            committedAt = SystemClock().now
            return .committed(commit.epoch)
        } catch {
            return .failed(failure(error, at: step))
        }
    }

    /// Waits out the rest of the pause behind the last commit (`CommitOptions.commitPause`).
    private func pace() {
        guard let committedAt else { return }
        writer.pause(until: committedAt + options.commitPause)
    }

    func tick() { writer.tick() }

    func close(within: Duration) { writer.close(within: within) }

    // MARK: - Failures

    private func event(
        at step: CommitStep, _ body: () throws(KafkaError) -> TransactionEvent
    ) -> TransactionEvent {
        do throws(KafkaError) {
            return try body()
        } catch {
            return .failed(failure(error, at: step))
        }
    }

    private func failure(
        _ error: KafkaError, at step: CommitStep, refused: Int? = nil, block: Int? = nil
    ) -> TransactionFailure {
        let age = SystemClock().now - begunAt
        var failure = TransactionFailure(
            writer.explained(error), at: step, age: age, timeout: options.transactionTimeout)
        failure.refusedRecord = refused
        if refused != nil { failure.refusedBlock = block ?? writer.blocks }
        return failure
    }
}
