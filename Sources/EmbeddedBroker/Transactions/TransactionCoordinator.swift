package struct TransactionSettings: Sendable {
    package var maxTimeoutMs: Int32 = 900_000
    package var expirationMs: Int64 = 7 * 24 * 3_600_000

    package init() {}
}

/// All transactional ids of a broker, and the producer ids it gives out.
package struct TransactionCoordinator: Sendable {
    package let settings: TransactionSettings
    /// Above every id that was ever given out: the caller keeps it, or learns it from the logs.
    package private(set) var nextProducerId: Int64
    private var machines: [String: TransactionMachine] = [:]

    package init(settings: TransactionSettings = TransactionSettings(), nextProducerId: Int64 = 0) {
        self.settings = settings
        self.nextProducerId = max(0, nextProducerId)
    }

    package var transactionalIds: [String] { machines.keys.sorted() }
    /// DescribeTransactions and ListTransactions read it.
    package func machine(_ transactionalId: String) -> TransactionMachine? { machines[transactionalId] }

    package var nextDeadline: Int64? {
        machines.values.compactMap { $0.nextDeadline(expirationMs: settings.expirationMs) }.min()
    }

    /// The markers of all transactions whose end is decided; after a restart they are written again.
    package var pendingMarkers: [MarkerOrder] { transactionalIds.compactMap { machines[$0]?.pendingMarkers } }

    /// A producer id of its own, as an idempotent producer without a transactional id gets with epoch 0.
    package mutating func allocateProducerId() -> Int64 {
        defer { nextProducerId = time(nextProducerId, plus: 1) }
        return nextProducerId
    }

    package mutating func initialize(
        _ transactionalId: String, expected: ProducerIdentity? = nil, timeoutMs: Int32, now: Int64
    ) -> (producer: ProducerIdentity?, outcome: TransactionOutcome) {
        guard !transactionalId.isEmpty else { return (nil, TransactionOutcome(error: .invalidRequest)) }
        guard timeoutMs > 0 && timeoutMs <= settings.maxTimeoutMs else {
            return (nil, TransactionOutcome(error: .invalidTransactionTimeout))
        }
        var machine =
            machines[transactionalId]
            ?? TransactionMachine(
                transactionalId: transactionalId, producerId: allocateProducerId(), timeoutMs: timeoutMs, now: now)
        let fresh = nextProducerId
        let outcome = machine.initialize(
            expected: expected, timeoutMs: timeoutMs, freshProducerId: fresh, now: now)
        if machine.producer.id == fresh { _ = allocateProducerId() }
        machines[transactionalId] = machine
        return (outcome.error == nil ? machine.producer : nil, outcome)
    }

    package mutating func add(
        _ transactionalId: String, partitions: [TopicPartition], producer: ProducerIdentity, now: Int64
    ) -> TransactionOutcome {
        with(transactionalId) { $0.add(partitions: partitions, producer: producer, now: now) }
    }

    package mutating func add(
        _ transactionalId: String, groupId: String, producer: ProducerIdentity, now: Int64
    ) -> TransactionOutcome {
        with(transactionalId) { $0.add(groupId: groupId, producer: producer, now: now) }
    }

    package mutating func end(
        _ transactionalId: String, isCommit: Bool, producer: ProducerIdentity, now: Int64
    ) -> TransactionOutcome {
        with(transactionalId) { $0.end(isCommit: isCommit, producer: producer, now: now) }
    }

    package mutating func markersWritten(_ transactionalId: String, now: Int64) -> TransactionOutcome {
        with(transactionalId) { $0.markersWritten(now: now) }
    }

    private mutating func with(
        _ transactionalId: String, _ body: (inout TransactionMachine) -> TransactionOutcome
    ) -> TransactionOutcome {
        guard !transactionalId.isEmpty else { return TransactionOutcome(error: .invalidRequest) }
        // Taken out, so that it is changed in its place and not copied.
        guard var machine = machines.removeValue(forKey: transactionalId) else {
            return TransactionOutcome(error: .invalidProducerIdMapping)
        }
        let outcome = body(&machine)
        machines[transactionalId] = machine
        return outcome
    }

    /// Aborts transactions that take too long and forgets ids that nobody uses.
    package mutating func advance(now: Int64) -> [TransactionOutcome] {
        transactionalIds.compactMap { transactionalId in
            let outcome = machines[transactionalId]?.advance(now: now, expirationMs: settings.expirationMs)
            if machines[transactionalId]?.state == .dead { machines[transactionalId] = nil }
            return outcome
        }
    }

    /// Applies a record that was kept.
    package mutating func restore(_ record: TransactionRecord) {
        machines[record.transactionalId] = record.value.map {
            TransactionMachine(transactionalId: record.transactionalId, restoring: $0)
        }
        if let value = record.value { nextProducerId = max(nextProducerId, time(value.producer.id, plus: 1)) }
    }
}
