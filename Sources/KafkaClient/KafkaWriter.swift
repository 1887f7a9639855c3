public import CommitProtocol
public import StreamCore

/// At-least-once: outputs are acknowledged first, then the positions are committed through the group. After a crash
/// between the two the records since the last commit are written again.
public final class KafkaWriter: TransactionPort {
    public let gate = CommitGate()
    private let runner: CommandRunner

    public init(
        _ settings: KafkaSettings, _ options: CommitOptions, membership: any GroupMembership,
        log: any LogHandler = NullLog()
    ) {
        runner = CommandRunner(WriterSession(settings, options, membership, gate, log))
    }

    public var onReady: (@Sendable () -> Void)? {
        get { runner.onReady }
        set { runner.onReady = newValue }
    }

    public func submit(_ command: TransactionCommand) { runner.submit(command) }
    public func poll() -> TransactionEvent? { runner.poll() }
    public func close(within: Duration) { runner.close(within: within) }
}

/// The idempotent producer's life, on the port's thread.
final class WriterSession: CommandSession {
    private let writer: EpochWriter
    private let options: CommitOptions
    private let membership: any GroupMembership
    private let gate: CommitGate

    init(
        _ settings: KafkaSettings, _ options: CommitOptions, _ membership: any GroupMembership, _ gate: CommitGate,
        _ log: any LogHandler
    ) {
        self.gate = gate
        self.options = options
        self.membership = membership
        var producer = ProducerOptions(linger: options.linger)
        producer.copiesRecords = options.copiesRecords
        writer = EpochWriter(settings, options, producer, log)
    }

    func execute(_ command: TransactionCommand) -> TransactionEvent {
        var step = CommitStep.initialize
        do throws(KafkaError) {
            switch command {
            case .initialize:
                gate.open()
                _ = try writer.rebuild()
                return .initialized
            case .recover(let splits):
                step = .recover
                return .recovered(try writer.recover(splits, membership))
            case .begin(let epoch):
                writer.beginEpoch()
                return .begun(epoch)
            case .produce(let block):
                return produce(block)
            case .commit(let commit):
                step = .flush
                return try self.commit(commit)
            }
        } catch {
            return .failed(failure(error, at: step))
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

    private func commit(_ commit: EpochCommit) throws(KafkaError) -> TransactionEvent {
        let producer = try writer.current()
        if let progress = commit.progress { try writer.produce(progress) }
        try producer.flush(within: options.callTimeout)
        if let refused = producer.takeDeliveryFailure() {
            let index = refused.error.code.refusesRecord ? Producer.record(ofTag: refused.tag) : nil
            return .failed(
                failure(refused.error, at: .flush, refused: index, block: Producer.block(ofTag: refused.tag)))
        }
        let positions = options.groupPositions(commit)
        guard gate.isOpen else { return .failed(failure(.givenUp, at: .offsets)) }
        do throws(KafkaError) {
            try membership.commit(positions, within: options.callTimeout)
        } catch {
            return .failed(failure(error, at: error.code.isPassing ? .commit : .offsets))
        }
        return .committed(commit.epoch)
    }

    func tick() { writer.tick() }

    func close(within: Duration) { writer.close(within: within) }

    private func failure(
        _ error: KafkaError, at step: CommitStep, refused: Int? = nil, block: Int? = nil
    ) -> TransactionFailure {
        var failure = TransactionFailure(writer.explained(error), at: step, age: .zero, timeout: .seconds(1))
        failure.refusedRecord = refused
        if refused != nil { failure.refusedBlock = block ?? writer.blocks }
        return failure
    }
}
