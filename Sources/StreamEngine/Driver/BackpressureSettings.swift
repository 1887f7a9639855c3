/// The weights of the controller that fits the rate of reading to that of processing, with Spark's names and defaults
/// (`spark.streaming.backpressure.*`).
public struct BackpressureSettings: Sendable, Hashable {
    /// Of the difference between the rate and what the last batch was processed at.
    public var proportional = 1.0
    /// Of the work that waited.
    public var integral = 0.2
    /// Of the growth of the difference.
    public var derivative = 0.0
    /// Records a second that are always allowed.
    public var minRate = 100.0
    /// Records a second of the first batches, before anything is known; nil: no limit.
    public var initialRate: Double?

    public init() {}
}
