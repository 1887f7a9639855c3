import CommitProtocol
import EmbeddedBroker
import KafkaWire
import StreamCore
import StreamTesting

/// Records and offsets on their way into a transaction, and its end.
extension BrokerWriter {
    /// Adds the partitions that are new to the transaction, and produces: in order, one request after the other.
    func write(_ block: RecordBlock, then done: @escaping () -> Void) {
        var rows: [Split: [Int]] = [:]
        for index in block.slots.indices { rows[partition(of: block, index), default: []].append(index) }
        guard !rows.isEmpty else { return done() }
        let splits = rows.keys.sorted()
        add(splits.filter { !transaction.partitions.contains($0) }) { [unowned self] in
            let batches = splits.map { ($0, batch(block, rows[$0] ?? [], to: $0)) }
            connection.call(.produce(batches, options.identity), within: options.callTimeout) { [unowned self] result in
                switch result {
                case .success: done()
                case .failure(let failure): fail(failure, at: .produce)
                }
            }
        }
    }

    private func partition(of block: RecordBlock, _ index: Int) -> Split {
        let split = block.split(index)
        return split.partition.number >= 0 ? split : Split(split.topic, PartitionID(options.outputPartition))
    }

    private func add(_ splits: [Split], then done: @escaping () -> Void) {
        guard !splits.isEmpty else { return done() }
        transaction.partitions.formUnion(splits)
        let request = AddPartitionsToTxnRequest { request in
            request.transactionalID = options.identity
            request.producerID = producer.id
            request.producerEpoch = producer.epoch
            request.topics = Set(splits.map(\.topic)).sorted().map { topic in
                AddPartitionsToTxnRequest.Topic {
                    $0.name = topic.text
                    $0.partitions = splits.filter { $0.topic == topic }.map(\.partition.number)
                }
            }
        }
        connection.call(.addPartitionsToTxn(request), within: options.callTimeout) { [unowned self] result in
            switch result {
            case .success: done()
            case .failure(let failure): fail(failure, at: .produce)
            }
        }
    }

    private func batch(_ block: RecordBlock, _ rows: [Int], to split: Split) -> [UInt8] {
        let sequence = sequences[split, default: 0]
        var builder = RecordBatchBuilder(
            producerId: producer.id, producerEpoch: producer.epoch, baseSequence: sequence, isTransactional: true)
        for row in rows {
            builder.add(
                key: block.key(row), value: block.value(row), timestamp: network.clock.wallMilliseconds)
        }
        sequences[split] = RecordBatchHeader.sequence(sequence, adding: Int32(rows.count))
        return builder.build()
    }

    // MARK: - Commit

    func commit(_ commit: EpochCommit) {
        guard let record = commit.progress, let topic = options.progressTopic else { return addOffsets(commit) }
        write(ProgressLookup.block(record, topic, options.query, writer: options.identity)) { [unowned self] in
            addOffsets(commit)
        }
    }

    private func addOffsets(_ commit: EpochCommit) {
        let positions = commit.positions.merging(options.extraPositions) { given, _ in given }
        // A broken engine may send none; librdkafka then sends nothing at all.
        guard !commit.positions.isEmpty, !positions.isEmpty else { return end(commit) }
        // In this order: with the gate open, the generation is one that was known before the attempt was dropped.
        guard let identity = member.identity, gate.isOpen else {
            return fail(.refused(.illegalGeneration, nil), at: .offsets)
        }
        transaction.hasGroup = true
        let request = AddOffsetsToTxnRequest {
            $0.transactionalID = options.identity
            $0.producerID = producer.id
            $0.producerEpoch = producer.epoch
            $0.groupID = identity.groupID
        }
        connection.call(.addOffsetsToTxn(request), within: options.callTimeout) { [unowned self] result in
            switch result {
            case .success: sendOffsets(positions, identity) { [unowned self] in end(commit) }
            case .failure(let failure): fail(failure, at: .offsets)
            }
        }
    }

    private func sendOffsets(
        _ positions: [Split: Position], _ identity: GroupIdentity, then done: @escaping () -> Void
    ) {
        let request = Request.commit(positions, as: identity, in: producer, options.identity)
        connection.call(request, within: options.callTimeout) { [unowned self] result in
            switch result {
            case .success: done()
            case .failure(let failure): fail(failure, at: .offsets)
            }
        }
    }

    private func end(_ commit: EpochCommit) {
        // The broker has not heard of it.
        guard !transaction.isEmpty else { return answer(.committed(commit.epoch)) }
        let request = EndTxnRequest {
            $0.transactionalID = options.identity
            $0.producerID = producer.id
            $0.producerEpoch = producer.epoch
            $0.committed = true
        }
        connection.call(.endTxn(request), within: options.callTimeout) { [unowned self] result in
            switch result {
            case .success: answer(.committed(commit.epoch))
            case .failure(let failure): fail(failure, at: .commit)
            }
        }
    }
}
