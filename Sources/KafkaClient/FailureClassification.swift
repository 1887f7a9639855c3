import CommitProtocol
import StreamCore

/// Where in an epoch's life a call failed: what an error means depends on it.
enum CommitStep: CaseIterable {
    case initialize, recover, begin, produce, flush, offsets, commit
}

extension TransactionFailure.Kind {
    /// The class of an error. A pure function, tested as a table.
    /// - Parameters:
    ///   - age: how long the transaction has been open.
    ///   - timeout: after which the broker aborts it.
    static func classify(_ error: KafkaError, at step: CommitStep, age: Duration, timeout: Duration) -> Self {
        switch step {
        case .initialize, .recover: classifyOutside(error)
        case .begin, .produce, .flush, .offsets, .commit: classifyInside(error, at: step, hasExpired: age >= timeout)
        }
    }

    /// No transaction of ours is open: nothing can be lost by asking again.
    private static func classifyOutside(_ error: KafkaError) -> Self {
        if isFenced(error.code) { return .fenced }
        if error.code.needsPerson { return .hopeless }
        if error.isFatal { return .fatal }
        if error.isRetriable || error.code.isPassing || error.code == .closed { return .unavailable }
        return .fatal
    }

    private static func classifyInside(_ error: KafkaError, at step: CommitStep, hasExpired: Bool) -> Self {
        let code = error.code
        if code.isGroupOver { return .fenced }
        // The broker bumps the producer's epoch when it aborts an expired transaction: it looks like a fencing.
        let looksExpired =
            isFenced(code) || code == .invalidTransactionState || code == .invalidProducerIDMapping || code == .state
        if looksExpired, hasExpired { return .expired }
        if isFenced(code) { return .fenced }
        if code.needsPerson { return .hopeless }
        if error.isFatal { return .fatal }
        // librdkafka says so only where the commit was not sent or was refused.
        if error.requiresAbort { return .abortable }
        // Of all calls only the commit's own lost answer leaves it open what happened.
        if step == .commit { return code == .queueFull ? .abortable : .indefinite }
        return .abortable
    }

    private static func isFenced(_ code: KafkaError.Code) -> Bool {
        [.producerFenced, .invalidProducerEpoch, .fenced].contains(code)
    }
}

extension TransactionFailure {
    init(_ error: KafkaError, at step: CommitStep, age: Duration, timeout: Duration) {
        let kind = Kind.classify(error, at: step, age: age, timeout: timeout)
        var shown = error.streamError
        switch kind {
        case .abortable, .fenced, .indefinite, .expired, .fatal: shown.recovery = .abortEpoch
        case .unavailable: shown.recovery = .retry
        case .hopeless: shown.recovery = .stop
        }
        if kind == .expired {
            shown.message += " The transaction was open for \(age), longer than its time-out of \(timeout)."
        }
        self.init(kind, shown)
    }
}
