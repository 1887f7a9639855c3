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
        case .offset(let groupId, .pendingRemoved(let producerId, let partition)):
            return [StateRecord(StateKey(.pendingOffset, groupId, partition, producerId: producerId), nil)]
        case .offset(_, .transactionEnded):
            // Whoever ends it says what its offsets are from then on.
            return []
        }
    }

    func record(_ record: TransactionRecord) -> StateRecord {
        StateRecord(
            StateKey(.transaction, record.transactionalId), record.value.map { StateTransaction($0) })
    }
}
