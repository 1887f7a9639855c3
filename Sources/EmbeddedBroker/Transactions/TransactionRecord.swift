/// The states of a transactional id, with the names that administrators read.
package enum TransactionState: String, Sendable, CaseIterable {
    case empty = "Empty"
    case ongoing = "Ongoing"
    case prepareCommit = "PrepareCommit"
    case prepareAbort = "PrepareAbort"
    case completeCommit = "CompleteCommit"
    case completeAbort = "CompleteAbort"
    case dead = "Dead"

    package var isPrepared: Bool { self == .prepareCommit || self == .prepareAbort }
}

/// All that is known of a transactional id, as it is kept with every change.
package struct TransactionSnapshot: Sendable, Hashable {
    package var state = TransactionState.empty
    package var producer: ProducerIdentity
    /// Whom the present producer was before its last bump (KIP-360), for a request that is sent again; -1 is nobody.
    package var previous = ProducerIdentity(id: -1, epoch: -1)
    package var timeoutMs: Int32
    /// -1 while there is no transaction.
    package var startTimestampMs: Int64 = -1
    package var lastUpdateTimestampMs: Int64
    package var partitions: Set<TopicPartition> = []
    /// Groups whose offsets are in the transaction.
    package var groups: Set<String> = []

    package init(producer: ProducerIdentity, timeoutMs: Int32, lastUpdateTimestampMs: Int64) {
        self.producer = producer
        self.timeoutMs = timeoutMs
        self.lastUpdateTimestampMs = lastUpdateTimestampMs
    }
}

/// A change of a transactional id that has to outlive the process; `nil` says that it is forgotten.
package struct TransactionRecord: Sendable, Hashable {
    package var transactionalId: String
    package var value: TransactionSnapshot?

    package init(transactionalId: String, value: TransactionSnapshot?) {
        self.transactionalId = transactionalId
        self.value = value
    }
}

/// Which end markers are to be written. They may be written twice, as after a crash, but all of them before
/// `markersWritten`.
package struct MarkerOrder: Sendable, Hashable {
    package var transactionalId: String
    package var producer: ProducerIdentity
    package var isCommit: Bool
    package var partitions: [TopicPartition]
    package var groups: [String]
}

/// What came of a step: keep the record, answer, then write the markers.
package struct TransactionOutcome: Sendable, Hashable {
    package var error: CoordinationError?
    package var record: TransactionRecord?
    package var markers: MarkerOrder?
}
