import EmbeddedBroker
import Testing

/// Rules of Kafka's ProducerStateManager, by a log that takes the batches.
@Suite struct ProducerStatesTests {
    private let log: PartitionLog

    init() throws {
        log = try PartitionLog(storage: MemoryStorage())
    }

    @discardableResult
    private func append(
        _ count: Int = 1, epoch: Int16 = 0, sequence: Int32, isTransactional: Bool = false,
        origin: AppendOrigin = .client
    ) throws(AppendError) -> AppendResult {
        var builder = RecordBatchBuilder(
            producerId: 7, producerEpoch: epoch, baseSequence: sequence, isTransactional: isTransactional)
        for _ in 0..<count { builder.add(key: nil, value: [1], timestamp: 1_000) }
        return try log.append(builder.build()[...], at: 1_000, origin: origin)
    }

    private func end(_ epoch: Int16, coordinatorEpoch: Int32 = 0, version: Int16 = 1) throws(AppendError) {
        _ = try log.appendMarker(
            .commit, producerId: 7, producerEpoch: epoch, coordinatorEpoch: coordinatorEpoch, at: 1_000,
            transactionVersion: version)
    }

    @Test func sequencesFollowOneAnother() throws {
        #expect(try append(3, sequence: 0).firstOffset == 0)
        #expect(try append(2, sequence: 3).firstOffset == 3)
        #expect(throws: AppendError.outOfOrderSequence(producerId: 7, sequence: 6, last: 4)) {
            try append(sequence: 6)
        }
        #expect(try append(sequence: 5).lastOffset == 5)
        #expect(log.endOffset == 6)
    }

    @Test func unknownProducerMayBeginAnywhere() throws {
        #expect(try append(sequence: 55).firstOffset == 0)
        #expect(try append(sequence: 56).firstOffset == 1)
    }

    @Test func lastFiveBatchesAreKnownAgain() throws {
        for batch in 0..<6 { try append(2, sequence: Int32(2 * batch)) }
        for batch in 1..<6 {
            let again = try append(2, sequence: Int32(2 * batch))
            #expect(
                again.isDuplicate && again.firstOffset == Int64(2 * batch) && again.lastOffset == again.firstOffset + 1)
        }
        #expect(throws: AppendError.outOfOrderSequence(producerId: 7, sequence: 0, last: 11)) {
            try append(2, sequence: 0)
        }
        // The same start with another number of records is no duplicate.
        #expect(throws: AppendError.outOfOrderSequence(producerId: 7, sequence: 10, last: 11)) {
            try append(1, sequence: 10)
        }
        #expect(log.endOffset == 12)
    }

    @Test func sequencesStartAgainBehindTheGreatest() throws {
        try append(sequence: Int32.max - 1)
        #expect(try append(3, sequence: Int32.max).firstOffset == 1)
        #expect(try append(3, sequence: Int32.max).isDuplicate)
        #expect(log.producers.entries[7]?.lastSequence == 1)
        #expect(try append(sequence: 2).firstOffset == 4)
        let other = try PartitionLog(storage: MemoryStorage())
        _ = try other.append(batch("a", producerId: 1, epoch: 0, sequence: Int32.max)[...], at: 0)
        _ = try other.append(batch("b", producerId: 1, epoch: 0, sequence: 0)[...], at: 0)
        #expect(other.endOffset == 2)
    }

    @Test func epochsFence() throws {
        try append(epoch: 1, sequence: 0)
        #expect(throws: AppendError.invalidProducerEpoch(producerId: 7, epoch: 0, current: 1)) {
            try append(epoch: 0, sequence: 1)
        }
        #expect(throws: AppendError.outOfOrderSequence(producerId: 7, sequence: 1, last: 0)) {
            try append(epoch: 2, sequence: 1)
        }
        #expect(try append(epoch: 2, sequence: 0).firstOffset == 1)
        // A duplicate of the epoch before is a zombie's.
        #expect(throws: AppendError.invalidProducerEpoch(producerId: 7, epoch: 1, current: 2)) {
            try append(epoch: 1, sequence: 0)
        }
    }

    @Test func coordinatorNeedsNoSequence() throws {
        try append(sequence: -1, isTransactional: true, origin: .coordinator)
        try append(sequence: -1, isTransactional: true, origin: .coordinator)
        #expect(log.endOffset == 2 && log.lastStableOffset == 0)
        #expect(throws: AppendError.self) { try append(sequence: -1) }
    }

    @Test func transactionsStayTransactions() throws {
        try append(sequence: 0, isTransactional: true)
        #expect(throws: AppendError.invalidTransactionState(producerId: 7)) { try append(sequence: 1) }
        try end(0)
        #expect(try append(sequence: 1).firstOffset == 2)
    }

    @Test func firstBatchOfATransactionIsVerified() throws {
        let first = batch("a", producerId: 7, epoch: 0, sequence: 0, isTransactional: true)
        #expect(throws: AppendError.invalidTransactionState(producerId: 7)) {
            try log.append(first[...], at: 0) { _, _ in false }
        }
        _ = try log.append(first[...], at: 0) { $0 == 7 && $1 == 0 }
        let second = batch("b", producerId: 7, epoch: 0, sequence: 1, isTransactional: true)
        _ = try log.append(second[...], at: 0) { _, _ in false }
        #expect(try log.append(second[...], at: 0) { _, _ in false }.isDuplicate)
        // After the end a duplicate is asked about, too.
        try end(0)
        #expect(throws: AppendError.invalidTransactionState(producerId: 7)) {
            try log.append(second[...], at: 0) { _, _ in false }
        }
        #expect(log.endOffset == 3)
    }

    @Test func markersAreFenced() throws {
        try append(epoch: 3, sequence: 0, isTransactional: true)
        #expect(throws: AppendError.invalidProducerEpoch(producerId: 7, epoch: 2, current: 3)) { try end(2) }
        try end(3, coordinatorEpoch: 5)
        #expect(throws: AppendError.coordinatorFenced(producerId: 7, epoch: 4, current: 5)) {
            try end(3, coordinatorEpoch: 4)
        }
        #expect(log.lastStableOffset == 2)
    }

    /// KIP-890: each transaction ends with a greater epoch; the marker may come twice.
    @Test func markersOfVersionTwoRaiseTheEpoch() throws {
        try append(epoch: 3, sequence: 0, isTransactional: true)
        #expect(throws: AppendError.invalidProducerEpoch(producerId: 7, epoch: 3, current: 3)) {
            try end(3, version: 2)
        }
        try end(4, version: 2)
        try end(4, version: 2)
        #expect(throws: AppendError.invalidProducerEpoch(producerId: 7, epoch: 3, current: 4)) {
            try append(epoch: 3, sequence: 1, isTransactional: true)
        }
        #expect(throws: AppendError.outOfOrderSequence(producerId: 7, sequence: 1, last: -1)) {
            try append(epoch: 4, sequence: 1, isTransactional: true)
        }
        #expect(try append(epoch: 4, sequence: 0, isTransactional: true).firstOffset == 3)
    }

    @Test func idleProducersAreForgotten() throws {
        log.config.producerIdExpirationMs = 500
        try append(sequence: 0)
        log.expireProducers(now: 1_499)
        #expect(log.producers.entries[7] != nil)
        log.expireProducers(now: 1_500)
        #expect(log.producers.entries.isEmpty)
        try append(sequence: 9, isTransactional: true)
        log.expireProducers(now: 1_000_000)
        #expect(log.producers.entries[7]?.transactionFirstOffset == 1)
    }
}
