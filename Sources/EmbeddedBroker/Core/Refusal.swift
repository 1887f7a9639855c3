import KafkaWire

/// Why a part of a request was refused, as its answer says it.
struct Refusal: Error {
    var code: ErrorCode
    var message: String?

    init(_ code: ErrorCode, _ message: String? = nil) {
        self.code = code
        self.message = message
    }
}

extension ErrorCode {
    init(_ error: CoordinationError?) {
        self = error.map { ErrorCode(rawValue: $0.rawValue) ?? .unknownServerError } ?? .none
    }
}

extension Refusal {
    init(_ error: AppendError) {
        self =
            switch error {
            case .corrupt: Refusal(.corruptMessage)
            case .unsupportedMagic(let magic): Refusal(.invalidRecord, "The batch has the old format \(magic).")
            case .invalidRecord(let reason): Refusal(.invalidRecord, reason)
            case .refusedRecords(let faults):
                Refusal(
                    faults.contains { $0.reason.isTime } ? .invalidTimestamp : .invalidRecord,
                    "\(faults.count) records are refused, and with them the batch.")
            case .tooLarge(let bytes, let bytesMax):
                Refusal(.messageTooLarge, "The batch has \(bytes) bytes, and the topic takes \(bytesMax).")
            case .invalidTimestamp(let timestamp):
                Refusal(.invalidTimestamp, "The timestamp \(timestamp) is not within the topic's range.")
            case .unsupportedCompression: Refusal(.unsupportedCompressionType)
            case .outOfOrderSequence(let producerId, let sequence, let last):
                Refusal(
                    .outOfOrderSequenceNumber,
                    "Producer \(producerId) sent the sequence number \(sequence) after \(last).")
            case .invalidProducerEpoch(let producerId, let epoch, let current):
                Refusal(.invalidProducerEpoch, "Producer \(producerId) has epoch \(current), not \(epoch).")
            case .invalidTransactionState: Refusal(.invalidTxnState)
            case .coordinatorFenced: Refusal(.transactionCoordinatorFenced)
            case .storage(let error): Refusal(error)
            }
    }

    init(_ error: StorageError) {
        self = Refusal(.kafkaStorageError, "\(error)")
    }

    init(_ error: ReadError) {
        self =
            switch error {
            case .offsetOutOfRange: Refusal(.offsetOutOfRange)
            case .storage(let error): Refusal(error)
            }
    }
}
