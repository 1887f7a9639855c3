import StreamCore

/// Estimates how many records a second a query can take, from how its batches went: the controller of Spark's
/// backpressure (`pid`), with Spark's names, defaults and results. Pure; keeps the last batch it learned from.
///
///     rate = max(minRate, rate - proportional * error - integral * history - derivative * change)
///
/// *error* is by how much the rate was above what the batch was processed at; *history* is the work that waited while
/// the batch did, as a rate; *change* is how fast the error grew since the last batch.
package struct PIDRateEstimator: Sendable {
    /// What one batch says.
    package struct Measurement: Sendable, Hashable {
        /// When the batch was done: milliseconds, of any clock that all measurements share.
        package var timeMs: Int64
        package var recordCount: Int
        package var processingTime: Duration
        /// How long the batch waited before it was processed.
        package var schedulingDelay: Duration

        package init(timeMs: Int64, recordCount: Int, processingTime: Duration, schedulingDelay: Duration) {
            self.timeMs = timeMs
            self.recordCount = recordCount
            self.processingTime = processingTime
            self.schedulingDelay = schedulingDelay
        }
    }

    private let batchInterval: Duration
    private let settings: BackpressureSettings
    /// Of the last measurement that was learned from.
    private var last: (timeMs: Int64, rate: Double, error: Double)?

    /// - Throws: `RATE_SETTINGS` where the interval or the least rate is not above 0, or a weight is below 0.
    package init(batchInterval: Duration, settings: BackpressureSettings = BackpressureSettings()) throws {
        func require(_ holds: Bool, _ what: String, _ remedy: String) throws {
            guard holds else {
                throw StreamError(
                    "RATE_SETTINGS", "The rate of a query cannot be estimated: \(what).", remedy: remedy, domain: .user)
            }
        }
        try require(batchInterval > .zero, "the batch interval is \(batchInterval)", "Give it a millisecond at least.")
        let weights = [
            ("proportional", settings.proportional), ("integral", settings.integral),
            ("derivative", settings.derivative),
        ]
        for (name, weight) in weights {
            try require(weight >= 0, "the \(name) weight is \(weight)", "Give it 0 or more.")
        }
        try require(settings.minRate > 0, "the least rate is \(settings.minRate)", "Give it more than 0.")
        self.batchInterval = batchInterval
        self.settings = settings
    }

    /// Learns from a batch. One that had no records, took no time or is not newer than the last teaches nothing.
    /// - Returns: the new rate in records a second; nil where there is none: nothing was learned, or it was the first
    ///   measurement, which only tells where to begin.
    package mutating func rate(after batch: Measurement) -> Double? {
        let processingSeconds = batch.processingTime.inSeconds
        guard batch.timeMs > last?.timeMs ?? -1, batch.recordCount > 0, processingSeconds > 0 else { return nil }
        let processingRate = Double(batch.recordCount) / processingSeconds
        guard let last else {
            last = (batch.timeMs, processingRate, 0)
            return nil
        }
        let error = last.rate - processingRate
        let history = batch.schedulingDelay.inSeconds * processingRate / batchInterval.inSeconds
        let change = (error - last.error) / (Double(batch.timeMs - last.timeMs) / 1000)
        let newRate = max(
            settings.minRate,
            last.rate - settings.proportional * error - settings.integral * history - settings.derivative * change)
        self.last = (batch.timeMs, newRate, error)
        return newRate
    }
}

extension Duration {
    fileprivate var inSeconds: Double { self / .seconds(1) }
}
