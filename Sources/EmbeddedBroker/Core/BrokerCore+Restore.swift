import KafkaWire

/// Opening a broker on what is there of it.
extension BrokerCore {
    func restore(_ entries: [StateLog.Entry], names: [TopicPartition], now: Int64) throws(StorageError) {
        var left = Set(names)
        left.remove(StateLog.name)
        for entry in entries where entry.key.kind == .topic {
            let value: StateTopic = try entry.read()
            guard (0...settings.partitionsMax).contains(value.partitions) else {
                throw .failed("a topic of the broker's own log has \(value.partitions) partitions")
            }
            let partitions = (0..<value.partitions).map { TopicPartition(entry.key.name, $0) }
            if value.isDeleted == 0 {
                insert(try restoredTopic(entry.key.name, value, partitions, there: left))
            } else {
                for name in partitions where left.contains(name) { try storage.delete(name) }
                keep([StateRecord(entry.key, nil)], now: now)
            }
            left.subtract(partitions)
        }
        // Of topics or partitions whose creation was not finished. Others are left alone: nothing says what they are.
        for name in left.sorted() {
            let bytes = try storage.open(name)
            if bytes.startPosition == bytes.endPosition { try storage.delete(name) }
        }
        try restoreCoordinators(entries, now: now)
        abortHangingTransactions(now: now)
    }

    private func restoredTopic(
        _ name: String, _ value: StateTopic, _ partitions: [TopicPartition], there: Set<TopicPartition>
    ) throws(StorageError) -> Topic {
        let config = TopicConfig(own: Dictionary(value.configs.map { ($0.name, $0.value) }) { $1 })
        var logs: [PartitionLog] = []
        for partition in partitions {
            let bytes = there.contains(partition) ? try storage.open(partition) : try storage.make(partition)
            logs.append(try PartitionLog(storage: bytes, config: config.logConfig(settings)))
        }
        return Topic(name: name, id: WireUUID(high: value.id.high, low: value.id.low), config: config, logs: logs)
    }

    // MARK: - Coordinators

    /// Puts the coordinators together from their newest records, and ends the transactions whose end was decided.
    private func restoreCoordinators(_ entries: [StateLog.Entry], now: Int64) throws(StorageError) {
        var nextProducerId: Int64 = 0
        if let entry = entries.first(where: { $0.key.kind == .producerIds }) {
            let next: StateNumber = try entry.read()
            nextProducerId = Int64(clamping: next.low)
        }
        for topic in topics.values {
            for log in topic.logs {
                nextProducerId = max(nextProducerId, time(log.producers.entries.keys.max() ?? -1, plus: 1))
            }
        }
        transactions = TransactionCoordinator(settings: settings.transactions, nextProducerId: nextProducerId)
        for entry in entries { try restoreCoordinator(entry, now: now) }
        for order in transactions.pendingMarkers { complete(order, now: now) }
    }

    private func restoreCoordinator(_ entry: StateLog.Entry, now: Int64) throws(StorageError) {
        let key = entry.key
        switch key.kind {
        case .group:
            let value: StateGroup = try entry.read()
            groups.restore(.group(GroupRecord(groupId: key.name, value: value.snapshot)), now: now)
        case .offset:
            let value: StateOffset = try entry.read()
            groups.restore(.offset(groupId: key.name, .committed(key.topicPartition, value.committed)), now: now)
        case .pendingOffset:
            let value: StateOffset = try entry.read()
            let record = OffsetRecord.pending(producerId: key.producerId, key.topicPartition, value.committed)
            groups.restore(.offset(groupId: key.name, record), now: now)
        case .transaction:
            let value: StateTransaction = try entry.read()
            transactions.restore(TransactionRecord(transactionalId: key.name, value: value.snapshot))
        case .cluster, .producerIds, .topic, nil: break
        }
    }

    /// Transactions in logs that the coordinator knows nothing of would hold back their readers for ever. There are
    /// none but after a loss of power in which the storage lost the end of the broker's own log.
    private func abortHangingTransactions(now: Int64) {
        let known = transactions.transactionalIds.compactMap { transactions.machine($0) }
        let owners = Dictionary(known.map { ($0.producer.id, $0) }) { $1 }
        for topic in topics.values.sorted(by: { $0.name < $1.name }) {
            for (partition, log) in topic.logs.enumerated() where log.producers.firstOpenOffset != nil {
                let name = TopicPartition(topic.name, Int32(clamping: partition))
                for (id, entry) in log.producers.entries.sorted(by: { $0.key < $1.key }) {
                    guard entry.transactionFirstOffset != nil, owners[id]?.value.partitions.contains(name) != true
                    else { continue }
                    _ = try? log.appendMarker(
                        .abort, producerId: id, producerEpoch: entry.epoch,
                        coordinatorEpoch: max(0, entry.coordinatorEpoch), at: now)
                }
            }
        }
    }
}
