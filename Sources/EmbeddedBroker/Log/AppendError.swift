/// Why a batch was not appended. Each case names the Kafka error that answers it.
package enum AppendError: Error, Hashable, Sendable {
    /// CORRUPT_MESSAGE: the length or the checksum is wrong.
    case corrupt
    /// UNSUPPORTED_FOR_MESSAGE_FORMAT: not of format 2. Kafka 4 itself answers a produce request with INVALID_RECORD.
    case unsupportedMagic(Int8)
    /// INVALID_RECORD: whole, but not what a producer may send.
    case invalidRecord(String)
    /// INVALID_TIMESTAMP where one of the faults is a time, else INVALID_RECORD: single records of an uncompressed
    /// batch (KIP-467).
    case refusedRecords([RecordFault])
    /// MESSAGE_TOO_LARGE
    case tooLarge(bytes: Int, bytesMax: Int)
    /// INVALID_TIMESTAMP
    case invalidTimestamp(Int64)
    /// UNSUPPORTED_COMPRESSION_TYPE
    case unsupportedCompression(Int)
    /// OUT_OF_ORDER_SEQUENCE_NUMBER; also for a duplicate that is older than the five batches that are remembered
    /// (Kafka has not sent DUPLICATE_SEQUENCE_NUMBER from a log since 1.0: newer duplicates succeed).
    case outOfOrderSequence(producerId: Int64, sequence: Int32, last: Int32)
    /// INVALID_PRODUCER_EPOCH
    case invalidProducerEpoch(producerId: Int64, epoch: Int16, current: Int16)
    /// INVALID_TXN_STATE
    case invalidTransactionState(producerId: Int64)
    /// TRANSACTION_COORDINATOR_FENCED
    case coordinatorFenced(producerId: Int64, epoch: Int32, current: Int32)
    /// KAFKA_STORAGE_ERROR
    case storage(StorageError)

    init(_ error: BatchError) {
        self =
            switch error {
            case .truncated, .invalidLength, .checksumMismatch: .corrupt
            case .unsupportedMagic(let magic): .unsupportedMagic(magic)
            case .invalidRecord(let reason): .invalidRecord(reason)
            }
    }
}

extension AppendError {
    /// Whether Kafka names the log's start with it, which it does once it has looked at the records.
    var isOfRecords: Bool {
        switch self {
        case .corrupt, .tooLarge, .storage: false
        default: true
        }
    }

    var recordFaults: [RecordFault] {
        if case .refusedRecords(let faults) = self { faults } else { [] }
    }
}

/// Why a topic does not take a record of a batch.
package struct RecordFault: Hashable, Sendable {
    package enum Reason: Hashable, Sendable, CustomStringConvertible {
        case noKey
        case timestamp(Int64)

        var isTime: Bool { self != .noKey }
        package var description: String {
            switch self {
            case .noKey: "A record of a compacted topic has no key."
            case .timestamp(let timestamp): "The timestamp \(timestamp) is not within the topic's range."
            }
        }
    }

    /// Its place in the batch.
    package var index: Int32
    package var reason: Reason
}

/// Who writes a batch.
package enum AppendOrigin: Sendable {
    /// A producer: everything is checked.
    case client
    /// The broker itself, for its own topics: sequence numbers are not checked.
    case coordinator
}
