/// A batch that a producer wrote, by which it is known again.
package struct ProducerBatch: Hashable, Sendable {
    package var firstSequence: Int32
    package var lastSequence: Int32
    package var firstOffset: Int64
    package var lastOffset: Int64
    package var timestamp: Int64
}

/// What a log knows of one producer id.
package struct ProducerEntry: Hashable, Sendable {
    /// Kafka remembers as many as a producer may have in flight.
    package static let batchesMax = 5

    package internal(set) var epoch = RecordBatchHeader.noProducerEpoch
    package internal(set) var coordinatorEpoch: Int32 = -1
    package internal(set) var lastTimestamp: Int64 = -1
    /// The last batches of this epoch, oldest first.
    package internal(set) var batches: [ProducerBatch] = []
    /// The first offset of the transaction that is open.
    package internal(set) var transactionFirstOffset: Int64?
    /// Known by a marker alone, since its batches may have been deleted: any sequence number may follow.
    package internal(set) var isSequenceLost = false

    package var lastSequence: Int32 { batches.last?.lastSequence ?? RecordBatchHeader.noSequence }

    mutating func setEpoch(_ epoch: Int16) {
        guard epoch != self.epoch else { return }
        self.epoch = epoch
        batches = []
        isSequenceLost = false
    }
}

/// A transaction that ended in a log.
struct CompletedTransaction: Hashable {
    var producerId: Int64
    var firstOffset: Int64
    /// The marker's.
    var lastOffset: Int64
}

/// The idempotent and transactional producers of one log (KIP-98, KIP-360, KIP-890), after the rules of Kafka's
/// `ProducerStateManager` and `ProducerAppendInfo`.
package struct ProducerStates: Sendable {
    package private(set) var entries: [Int64: ProducerEntry] = [:]
    /// Transactions that are open, by their first offset: they begin in the order in which they are added.
    private var open: [(firstOffset: Int64, producerId: Int64)] = []

    package init() {}

    package enum Verdict: Hashable, Sendable {
        case new
        /// Written before, with these offsets.
        case duplicate(ProducerBatch)
    }

    /// The first offset that belongs to an open transaction.
    package var firstOpenOffset: Int64? { open.first?.firstOffset }

    /// Whether no transaction is open to which a batch could belong.
    func beginsTransaction(_ header: RecordBatchHeader) -> Bool {
        guard header.hasProducerId, header.isTransactional else { return false }
        let entry = entries[header.producerId]
        return entry?.transactionFirstOffset == nil || entry?.epoch != header.producerEpoch
    }

    /// Judges a data batch of a producer, before it is appended.
    package func check(_ header: RecordBatchHeader, origin: AppendOrigin) throws(AppendError) -> Verdict {
        let entry = entries[header.producerId]
        if origin == .client, let entry, let known = Self.duplicate(of: header, in: entry) { return .duplicate(known) }
        guard let entry else { return .new }
        guard header.producerEpoch >= entry.epoch else {
            throw .invalidProducerEpoch(
                producerId: header.producerId, epoch: header.producerEpoch, current: entry.epoch)
        }
        if origin == .client, !Self.isInSequence(header, entry) {
            throw .outOfOrderSequence(
                producerId: header.producerId, sequence: header.baseSequence, last: entry.lastSequence)
        }
        if entry.transactionFirstOffset != nil, !header.isTransactional {
            throw .invalidTransactionState(producerId: header.producerId)
        }
        return .new
    }

    /// Takes in a data batch that was appended with the offsets in its header.
    package mutating func add(_ header: RecordBatchHeader) {
        var entry = entries[header.producerId] ?? ProducerEntry()
        entry.setEpoch(header.producerEpoch)
        if entry.batches.count == ProducerEntry.batchesMax { entry.batches.removeFirst() }
        entry.batches.append(
            ProducerBatch(
                firstSequence: header.baseSequence, lastSequence: header.lastSequence, firstOffset: header.baseOffset,
                lastOffset: header.lastOffset, timestamp: header.maxTimestamp))
        entry.isSequenceLost = false
        entry.lastTimestamp = header.maxTimestamp
        if header.isTransactional, entry.transactionFirstOffset == nil {
            entry.transactionFirstOffset = header.baseOffset
            open.append((header.baseOffset, header.producerId))
        }
        entries[header.producerId] = entry
    }

    /// Judges the marker that ends a producer's transaction, before it is appended.
    ///
    /// - Parameter transactionVersion: from 2 on each transaction's marker has a new epoch (KIP-890, KIP-1228), and
    ///   only a marker that is sent again may carry the current one.
    package func checkMarker(
        producerId: Int64, epoch: Int16, coordinatorEpoch: Int32, transactionVersion: Int16
    ) throws(AppendError) {
        guard let entry = entries[producerId] else { return }
        let isAgain = epoch == entry.epoch && (entry.transactionFirstOffset == nil || epoch == Int16.max)
        guard epoch > entry.epoch || (transactionVersion < 2 ? epoch == entry.epoch : isAgain) else {
            throw .invalidProducerEpoch(producerId: producerId, epoch: epoch, current: entry.epoch)
        }
        guard coordinatorEpoch >= entry.coordinatorEpoch else {
            throw .coordinatorFenced(
                producerId: producerId, epoch: coordinatorEpoch, current: entry.coordinatorEpoch)
        }
    }

    /// Takes in a marker that was appended; returns the transaction that it ended, if there was one.
    ///
    /// - Parameter isLogCut: the log's first records were deleted, so that a producer without an entry may have
    ///   written here before. (Kafka keeps snapshots of the producers for that.)
    mutating func addMarker(
        producerId: Int64, epoch: Int16, coordinatorEpoch: Int32, offset: Int64, timestamp: Int64, isLogCut: Bool
    ) -> CompletedTransaction? {
        let known = entries[producerId]
        var entry = known ?? ProducerEntry()
        entry.setEpoch(epoch)
        if known == nil { entry.isSequenceLost = isLogCut }
        entry.coordinatorEpoch = coordinatorEpoch
        entry.lastTimestamp = timestamp
        let first = entry.transactionFirstOffset
        entry.transactionFirstOffset = nil
        entries[producerId] = entry
        open.removeAll { $0.producerId == producerId }
        return first.map { CompletedTransaction(producerId: producerId, firstOffset: $0, lastOffset: offset) }
    }

    /// Forgets producers that were idle for so long and have no open transaction.
    package mutating func expire(now: Int64, expirationMs: Int64) {
        entries = entries.filter { _, entry in
            entry.transactionFirstOffset != nil || now &- entry.lastTimestamp < expirationMs
        }
    }

    // MARK: -

    private static func duplicate(of header: RecordBatchHeader, in entry: ProducerEntry) -> ProducerBatch? {
        guard header.producerEpoch == entry.epoch else { return nil }
        return entry.batches.first {
            $0.firstSequence == header.baseSequence && $0.lastSequence == header.lastSequence
        }
    }

    private static func isInSequence(_ header: RecordBatchHeader, _ entry: ProducerEntry) -> Bool {
        let next = header.baseSequence
        guard header.producerEpoch == entry.epoch else {
            return next == 0 || entry.epoch == RecordBatchHeader.noProducerEpoch
        }
        if entry.isSequenceLost { return true }
        let last = entry.lastSequence
        return Int64(next) == Int64(last) + 1 || (next == 0 && last == Int32.max)
    }
}
