import KafkaWire

/// The coordinators' time, and their records in the broker's own log.
extension BrokerCore {
    var nextCoordinatorDeadline: Int64? {
        if let known = coordinatorDeadline { return known }
        let next = [groups.nextDeadline, transactions.nextDeadline].compactMap(\.self).min()
        coordinatorDeadline = .some(next)
        return next
    }

    func advanceCoordinators(now: Int64) {
        guard let deadline = nextCoordinatorDeadline, deadline <= now else { return }
        coordinatorDeadline = nil
        perform(groups.advance(now: now), now: now)
        for outcome in transactions.advance(now: now) { finish(outcome, now: now) }
    }

    func records(_ record: CoordinatorRecord) -> [StateRecord] {
        switch record {
        case .group(let group):
            return [StateRecord(StateKey(.group, group.groupId), group.value.map { StateGroup($0) })]
        case .offset(let groupId, .committed(let partition, let value)):
            return [StateRecord(StateKey(.offset, groupId, partition), StateOffset(value))]
        case .offset(let groupId, .removed(let partition)):
            return [StateRecord(StateKey(.offset, groupId, partition), nil)]
        case .offset(let groupId, .pending(let producerId, let partition, let value)):
            let key = StateKey(.pendingOffset, groupId, partition, producerId: producerId)
            return [StateRecord(key, StateOffset(value))]
        case .offset(_, .transactionEnded):
            // Whoever ends it says what its offsets are from then on.
            return []
        }
    }

    func record(_ record: TransactionRecord) -> StateRecord {
        StateRecord(
            StateKey(.transaction, record.transactionalId), record.value.map { StateTransaction($0) })
    }

    // MARK: - Restoring

    /// Puts the coordinators together from their newest records, and ends the transactions whose end was decided.
    func restoreCoordinators(_ entries: [StateLog.Entry], now: Int64) throws(StorageError) {
        if let entry = entries.first(where: { $0.key.kind == .producerIds }) {
            let next: StateNumber = try entry.read()
            transactions = TransactionCoordinator(
                settings: settings.transactions, nextProducerId: Int64(clamping: next.low))
        }
        for entry in entries {
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
                let record = OffsetRecord.pending(
                    producerId: key.producerId, key.topicPartition, value.committed)
                groups.restore(.offset(groupId: key.name, record), now: now)
            case .transaction:
                let value: StateTransaction = try entry.read()
                transactions.restore(TransactionRecord(transactionalId: key.name, value: value.snapshot))
            case .cluster, .producerIds, .topic, nil: break
            }
        }
        for order in transactions.pendingMarkers { complete(order, now: now) }
    }
}
