import CommitProtocol
import StreamCore

/// How much a batch of a fixed trigger may read, by rates.
extension Driver {
    /// The controller for these options; nil where nothing asks for one.
    /// - Throws: `RATE_SETTINGS`.
    static func estimator(_ options: QueryOptions) throws -> PIDRateEstimator? {
        guard let settings = options.backpressure, case .interval(let interval) = options.trigger else { return nil }
        return try PIDRateEstimator(batchInterval: interval, settings: settings)
    }

    /// Learns from a batch that is committed: it was processed from its opening to its commit, and waited from the end
    /// of its interval to its opening.
    func learnRate(_ plan: EpochPlan, _ now: MonotonicTime) {
        guard estimator != nil, plan.kind == .data else { return }
        let processing = now - inFlightOpenedAt
        let doneMs = clock.wallMilliseconds
        let waitedMs = max(0, doneMs - plan.batchTimeMs - processing.nanoseconds / 1_000_000)
        let rate = estimator?.rate(
            after: PIDRateEstimator.Measurement(
                timeMs: doneMs, recordCount: inFlightRecords, processingTime: processing,
                schedulingDelay: .milliseconds(waitedMs)))
        if let rate { estimatedRate = rate }
    }

    /// What all splits may give to one batch; nil: no limit.
    var offsetsPerBatchMax: Int64? {
        let estimated = estimatedRate.flatMap { rate in seconds.map { Self.offsets(rate, $0) } }
        return [options.offsetsPerTriggerMax, estimated].compactMap { $0 }.min()
    }

    /// What one split may give to one batch; nil: no limit.
    var offsetsPerSplitMax: Int64? {
        options.ratePerSplitMax.flatMap { rate in seconds.map { Self.offsets(rate, $0) } }
    }

    private var seconds: Double? {
        if case .interval(let interval) = options.trigger { Double(interval.nanoseconds) / 1e9 } else { nil }
    }

    /// One at least, so that no rate stops a split for good (Spark's `minRatePerPartition`).
    private static func offsets(_ rate: Double, _ seconds: Double) -> Int64 {
        Int64(max(1, min(rate * seconds, 1e15)))
    }
}
