import StreamCore
import StreamEngine
import Testing

/// Expected rates are those of Spark's `PIDRateEstimator` with its default weights.
@Suite struct RateEstimatorTests {
    private func batch(_ timeMs: Int64, _ records: Int, _ processingMs: Int, _ delayMs: Int)
        -> PIDRateEstimator.Measurement
    {
        PIDRateEstimator.Measurement(
            timeMs: timeMs, recordCount: records, processingTime: .milliseconds(processingMs),
            schedulingDelay: .milliseconds(delayMs))
    }

    private func isNear(_ rate: Double?, _ expected: Double?) -> Bool {
        guard let rate, let expected else { return rate == nil && expected == nil }
        return abs(rate - expected) < 1e-6 * expected
    }

    @Test func followsSpark() throws {
        var estimator = try PIDRateEstimator(batchInterval: .seconds(1))
        let steps: [(batch: PIDRateEstimator.Measurement, rate: Double?)] = [
            (batch(1000, 10_000, 500, 0), nil), (batch(2000, 10_000, 2000, 0), 5000),
            (batch(3000, 5000, 1000, 1000), 4000), (batch(4000, 5000, 900, 500), 5000),
            (batch(5000, 0, 100, 0), nil), (batch(6000, 5000, 10, 0), 500_000), (batch(5500, 5000, 10, 0), nil),
            (batch(7000, 100, 5000, 30_000), 100),
        ]
        for step in steps {
            let rate = estimator.rate(after: step.batch)
            #expect(isNear(rate, step.rate), "\(step.batch) gave \(rate.map { "\($0)" } ?? "nothing")")
        }
    }

    /// By hand: 2000/s at first. Then 1000/s, an error of 1000 that grew by 500 in each of two seconds, so with a
    /// weight of 0.5: 2000 - 1000 - 0.5 * 500.
    @Test func theDerivativeLooksAtTheTimeBetween() throws {
        var settings = BackpressureSettings()
        settings.derivative = 0.5
        var estimator = try PIDRateEstimator(batchInterval: .seconds(1), settings: settings)
        #expect(estimator.rate(after: batch(1000, 2000, 1000, 0)) == nil)
        #expect(isNear(estimator.rate(after: batch(3000, 1000, 1000, 0)), 750))
    }

    @Test func aBatchThatTookNoTimeTeachesNothing() throws {
        var estimator = try PIDRateEstimator(batchInterval: .seconds(1))
        #expect(estimator.rate(after: batch(1000, 10, 0, 0)) == nil)
        #expect(estimator.rate(after: batch(2000, 1000, 1000, 0)) == nil, "this one is the first")
        #expect(isNear(estimator.rate(after: batch(3000, 500, 1000, 0)), 500))
    }

    @Test func settingsThatCannotWorkAreRefused() {
        var negative = BackpressureSettings()
        negative.proportional = -1
        var noRate = BackpressureSettings()
        noRate.minRate = 0
        var notANumber = BackpressureSettings()
        notANumber.integral = .nan
        for settings in [negative, noRate, notANumber] {
            let error = #expect(throws: StreamError.self) {
                try PIDRateEstimator(batchInterval: .seconds(1), settings: settings)
            }
            #expect(error?.code == "RATE_SETTINGS")
        }
        #expect(throws: StreamError.self) { try PIDRateEstimator(batchInterval: .milliseconds(-1)) }
    }
}
