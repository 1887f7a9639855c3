import CommitProtocol
import StreamCore

/// What the exactly-once and the at-least-once port have in common: the producer's life, blocks, progress records,
/// recovery. Confined to the port's thread.
final class EpochWriter {
    private let settings: KafkaSettings
    private let options: CommitOptions
    private var producerOptions: ProducerOptions
    private let log: any LogHandler
    private var producer: Producer?
    /// Blocks produced in this epoch.
    private(set) var blocks = 0
    private var knowsLimits = false
    private let timer = Monitor()

    init(_ settings: KafkaSettings, _ options: CommitOptions, _ producerOptions: ProducerOptions, _ log: any LogHandler)
    {
        self.settings = settings
        self.options = options
        self.producerOptions = producerOptions
        self.log = log
    }

    var topics: [TopicName] { options.outputTopics + (options.progressTopic.map { [$0] } ?? []) }

    /// The one way back from every error: drop the producer with all it holds, make a new one.
    func rebuild() throws(KafkaError) -> Producer {
        close(within: .seconds(5))
        var made = try make()
        if try learnLimits(made) {
            made.close(within: .seconds(5))
            producer = nil
            made = try make()
        }
        return made
    }

    /// As `rebuild`; nobody else writes under our transactional id afterwards.
    func rebuildForTransactions() throws(KafkaError) {
        _ = try Producer.initialized(within: options.callTimeout, pause: pause) { () throws(KafkaError) in
            try rebuild()
        }
    }

    private func make() throws(KafkaError) -> Producer {
        let made = try Producer(settings, producerOptions, log: log)
        producer = made
        try made.prepare(topics, within: options.callTimeout)
        return made
    }

    func current() throws(KafkaError) -> Producer {
        guard let producer else { throw KafkaError(.state, "Nothing can be written before the writer is initialized.") }
        return producer
    }

    /// Sizes batches after the topics' `max.message.bytes`: a broker refuses a request's whole batch, and librdkafka
    /// does not split it, so that the record at fault could not be told from its neighbours.
    /// - Returns: whether the producer must be made anew.
    private func learnLimits(_ producer: Producer) throws(KafkaError) -> Bool {
        guard !knowsLimits else { return false }
        knowsLimits = true
        let admin = Admin(sharing: producer.client)
        var limits: [Int] = []
        for topic in topics {
            // Without the permission to describe, librdkafka's own limits stay.
            guard let config = try? admin.topicConfig(topic, within: .seconds(5)) else { continue }
            if let limit = config["max.message.bytes"].flatMap({ Int($0) }) { limits.append(limit) }
        }
        guard let low = limits.min(), let high = limits.max() else { return false }
        guard low < 1_000_000 || high != Producer.brokerRecordBytesMax else { return false }
        producerOptions.recordBytesMax = high
        producerOptions.batchBytesMax = low
        return true
    }

    // MARK: - Epochs

    func beginEpoch() { blocks = 0 }

    func produce(_ block: RecordBlock) throws(ProduceFailure) {
        guard let producer else {
            throw ProduceFailure(error: KafkaError(.state, "Nothing can be written before the writer is initialized."))
        }
        try producer.produce(block, number: blocks, within: options.callTimeout)
        blocks += 1
    }

    /// The progress record goes the way of the outputs, keyed by the query's name.
    func produce(_ progress: ProgressRecord) throws(KafkaError) {
        guard let topic = options.progressTopic else {
            throw KafkaError(.invalidArgument, "The query has progress to write, and no topic for it.")
        }
        let block = RecordBlock(topics: [topic])
        let key = block.arena.append(options.query.text)
        var signed = progress
        signed.writer = producerOptions.transactionalID
        let value = block.arena.append(contentsOf: try ProgressCoding.encode(signed))
        block.slots.append(RecordSlot(key: key, value: value))
        let producer = try current()
        do throws(ProduceFailure) {
            try producer.produce(block, number: blocks, within: options.callTimeout)
        } catch {
            throw error.error
        }
    }

    func recover(_ splits: Set<Split>, _ membership: any GroupMembership) throws(KafkaError) -> RecoveredProgress {
        let reader = options.progressTopic.map {
            ProgressReader(settings, groupID: membership.groupID, topic: $0, log: log)
        }
        if let reader { endPredecessor(reader, membership) }
        // Also where none are kept: the broker's answer waits out a transaction that is still pending, whose progress
        // record may not even be there yet.
        let asked = options.keepsGroupOffsets ? splits : Set(options.extraPositions.keys)
        let found = try membership.committed(asked, within: options.callTimeout)
        let positions = options.keepsGroupOffsets ? found : [:]
        guard let reader else { return RecoveredProgress(positions: positions) }
        let progress = try reader.newest(of: options.query, within: .seconds(30))
        return RecoveredProgress(positions: positions, progress: progress)
    }

    /// Aborts what the query's last writer has left open, where that was another instance: nothing can be recovered
    /// before it has ended, and the broker would wait out its time-out (10 s, and up to 10 s more until it looks).
    ///
    /// Done only while the group says that the query is ours, so that an owner which slept does not disturb its
    /// successor; and where it fails, the time-out ends it all the same.
    private func endPredecessor(_ reader: ProgressReader, _ membership: any GroupMembership) {
        guard let own = producerOptions.transactionalID, !options.extraPositions.isEmpty else { return }
        do throws(KafkaError) {
            let newest = try reader.newestBeforeOpen(of: options.query, within: options.callTimeout)
            guard let writer = newest?.writer, writer != own else { return }
            // The control split's position never changes: this asks the broker whether our generation holds.
            try membership.commit(options.extraPositions, within: options.callTimeout)
            var predecessor = producerOptions
            predecessor.transactionalID = writer
            var made: Producer?
            defer { made?.close(within: .seconds(1)) }
            _ = try Producer.initialized(within: options.callTimeout, pause: pause) { () throws(KafkaError) in
                made?.close(within: .seconds(1))
                let producer = try Producer(settings, predecessor, log: log)
                made = producer
                return producer
            }
        } catch {
            log.info("What the last owner left open ends by its time-out: \(error.message)")
        }
    }

    // MARK: -

    /// Says why a time-out happened, where the connection knows.
    func explained(_ error: KafkaError) -> KafkaError {
        producer?.serve()
        guard error.code == .timedOut || error.code == .transport else { return error }
        var explained = error
        if let cause = producer?.lastConnectionError, cause.code.isConnectivity, cause.code != .timedOut {
            explained.message +=
                " The connection to \(settings.brokers.joined(separator: ",")) failed: \(cause.message)."
            if !cause.remedy.isEmpty { explained.remedy = cause.remedy }
        } else {
            explained.remedy =
                "The brokers answer, but not the coordinator of '\(options.transactionalID)': see that the broker "
                + "which leads its partition of '__transaction_state' or '__consumer_offsets' is up."
        }
        return explained
    }

    private func pause(_ duration: Duration) { pause(until: SystemClock().now + duration) }

    func pause(until deadline: MonotonicTime) {
        _ = timer.locked { timer.wait(until: deadline) { false } }
    }

    func tick() {
        guard let producer else { return }
        producer.serve()
        for error in producer.takeErrors() { log.warning(error.description) }
    }

    func close(within: Duration) {
        producer?.close(within: within)
        producer = nil
    }
}
