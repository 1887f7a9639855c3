/// One transactional id: its producer, and the transaction that is open or about to end.
///
/// It follows Kafka's `TransactionCoordinator` with transactions of version 1 (KIP-98, with KIP-360 and KIP-588). The
/// caller keeps `record` before it answers or writes markers. Whoever comes with an epoch that is not the present one
/// changes nothing. There Kafka is laxer in one case: a producer that was fenced and calls InitProducerId with its
/// old epoch aborts the open transaction of its successor before it is told.
package struct TransactionMachine: Sendable, Equatable {
    package let transactionalId: String
    package internal(set) var value: TransactionSnapshot

    /// A new id: its producer has no epoch yet, and nothing of it is kept before it is initialized.
    package init(transactionalId: String, producerId: Int64, timeoutMs: Int32, now: Int64) {
        self.transactionalId = transactionalId
        value = TransactionSnapshot(
            producer: ProducerIdentity(id: producerId, epoch: -1), timeoutMs: timeoutMs, lastUpdateTimestampMs: now)
    }

    package init(transactionalId: String, restoring value: TransactionSnapshot) {
        self.transactionalId = transactionalId
        self.value = value
    }

    package var state: TransactionState { value.state }
    package var producer: ProducerIdentity { value.producer }

    /// The markers of a transaction whose end is decided, also after a restart.
    package var pendingMarkers: MarkerOrder? {
        guard state.isPrepared else { return nil }
        return MarkerOrder(
            transactionalId: transactionalId, producer: producer, isCommit: state == .prepareCommit,
            partitions: value.partitions.sorted(), groups: value.groups.sorted())
    }

    /// Whether the producer may write to the partition in its transaction.
    package func isOpen(for producer: ProducerIdentity, _ partition: TopicPartition) -> Bool {
        state == .ongoing && producer == self.producer && value.partitions.contains(partition)
    }

    /// Whether the producer may commit the group's offsets in its transaction.
    package func isOpen(for producer: ProducerIdentity, groupId: String) -> Bool {
        state == .ongoing && producer == self.producer && value.groups.contains(groupId)
    }

    // MARK: - InitProducerId

    /// An epoch that is the last but one: the last is left for fencing, and no client gets it.
    static func isExhausted(_ epoch: Int16) -> Bool { epoch >= Int16.max - 1 }

    /// A producer begins, or goes on after an error (with what it was, `expected`, KIP-360). On success the producer
    /// is who `producer` says. `freshProducerId` is used only when the epochs of the present one are used up.
    package mutating func initialize(
        expected: ProducerIdentity? = nil, timeoutMs: Int32, freshProducerId: Int64, now: Int64
    ) -> TransactionOutcome {
        if state == .dead { return TransactionOutcome(error: .coordinatorNotAvailable) }
        if let expected, !mayBe(expected) { return TransactionOutcome(error: .producerFenced) }
        if state.isPrepared { return TransactionOutcome(error: .concurrentTransactions) }
        let isRepeated = expected.map(isRepetition) ?? false
        if let expected, producer.epoch >= 0, expected != producer, !isRepeated {
            return TransactionOutcome(error: .producerFenced)
        }
        if state == .ongoing {
            // The epoch that fences is nobody's: the client comes again and gets the next one.
            var outcome = fence(now: now)
            outcome.error = .concurrentTransactions
            return outcome
        }
        if !isRepeated { bump(expected: expected, freshProducerId) }
        value.timeoutMs = timeoutMs
        return change(to: .empty, now: now)
    }

    private func mayBe(_ expected: ProducerIdentity) -> Bool {
        producer.epoch < 0 || expected.id == producer.id
            || (expected.id == value.previous.id && Self.isExhausted(expected.epoch))
    }

    /// The answer to the same request was lost: what it got then holds.
    private func isRepetition(_ expected: ProducerIdentity) -> Bool {
        producer.epoch >= 0 && expected.epoch >= 0 && expected == value.previous
    }

    private mutating func bump(expected: ProducerIdentity?, _ freshProducerId: Int64) {
        let last = producer
        value.producer =
            Self.isExhausted(last.epoch)
            ? ProducerIdentity(id: freshProducerId, epoch: 0)
            : ProducerIdentity(id: last.id, epoch: last.epoch + 1)
        value.previous = ProducerIdentity(id: last.id, epoch: expected == nil ? -1 : last.epoch)
    }

    // MARK: - The transaction

    private func check(_ client: ProducerIdentity) throws(CoordinationError) {
        if state == .dead || client.id != producer.id { throw .invalidProducerIdMapping }
        if client.epoch != producer.epoch { throw .producerFenced }
    }

    /// AddPartitionsToTxn; the first one begins the transaction.
    package mutating func add(
        partitions: [TopicPartition], producer client: ProducerIdentity, now: Int64
    ) -> TransactionOutcome {
        add(partitions: Set(partitions), groups: [], client, now)
    }

    /// AddOffsetsToTxn: the group's offsets are in the transaction.
    package mutating func add(
        groupId: String, producer client: ProducerIdentity, now: Int64
    ) -> TransactionOutcome {
        add(partitions: [], groups: [groupId], client, now)
    }

    private mutating func add(
        partitions: Set<TopicPartition>, groups: Set<String>, _ client: ProducerIdentity, _ now: Int64
    ) -> TransactionOutcome {
        do throws(CoordinationError) {
            try check(client)
        } catch {
            return TransactionOutcome(error: error)
        }
        if state.isPrepared { return TransactionOutcome(error: .concurrentTransactions) }
        if state == .ongoing && partitions.isSubset(of: value.partitions) && groups.isSubset(of: value.groups) {
            return TransactionOutcome()
        }
        if state != .ongoing { value.startTimestampMs = now }
        value.partitions.formUnion(partitions)
        value.groups.formUnion(groups)
        return change(to: .ongoing, now: now)
    }

    /// EndTxn. The markers are written after the answer; the same request again is told to wait until they are, and
    /// then that all is well.
    package mutating func end(
        isCommit: Bool, producer client: ProducerIdentity, now: Int64
    ) -> TransactionOutcome {
        do throws(CoordinationError) {
            try check(client)
        } catch {
            return TransactionOutcome(error: error)
        }
        switch (state, isCommit) {
        case (.ongoing, _): return change(to: isCommit ? .prepareCommit : .prepareAbort, now: now)
        case (.completeCommit, true), (.completeAbort, false): return TransactionOutcome()
        case (.prepareCommit, true), (.prepareAbort, false):
            return TransactionOutcome(error: .concurrentTransactions)
        default: return TransactionOutcome(error: .invalidTxnState)
        }
    }

    /// All markers of `pendingMarkers` are in their logs.
    package mutating func markersWritten(now: Int64) -> TransactionOutcome {
        guard state.isPrepared else { return TransactionOutcome(error: .invalidTxnState) }
        value.partitions = []
        value.groups = []
        return change(to: state == .prepareCommit ? .completeCommit : .completeAbort, now: now)
    }

    /// Aborts under the next epoch, so that the present producer can write no more.
    private mutating func fence(now: Int64) -> TransactionOutcome {
        if producer.epoch < .max { value.producer.epoch += 1 }
        value.previous.epoch = -1
        return change(to: .prepareAbort, now: now)
    }

    private mutating func change(to state: TransactionState, now: Int64) -> TransactionOutcome {
        value.state = state
        if state == .empty { value.startTimestampMs = -1 }
        value.lastUpdateTimestampMs = max(value.lastUpdateTimestampMs, now)
        return TransactionOutcome(
            record: TransactionRecord(transactionalId: transactionalId, value: value), markers: pendingMarkers)
    }

    // MARK: - Time

    /// When `advance` is next due: the open transaction takes longer than its producer said, or the id is unused for
    /// `transactional.id.expiration.ms`.
    package func nextDeadline(expirationMs: Int64) -> Int64? {
        switch state {
        case .ongoing: time(time(value.startTimestampMs, plus: Int64(value.timeoutMs)), plus: 1)
        case .empty, .completeCommit, .completeAbort: time(value.lastUpdateTimestampMs, plus: expirationMs)
        case .prepareCommit, .prepareAbort, .dead: nil
        }
    }

    /// Aborts a transaction that takes too long, or forgets an id that nobody uses; nil when nothing is due.
    package mutating func advance(now: Int64, expirationMs: Int64) -> TransactionOutcome? {
        guard let deadline = nextDeadline(expirationMs: expirationMs), deadline <= now else { return nil }
        if state == .ongoing { return fence(now: now) }
        value.state = .dead
        return TransactionOutcome(record: TransactionRecord(transactionalId: transactionalId, value: nil))
    }
}
