/// Time as the engine sees it: handed in, so that tests and simulations decide what time it is.
public protocol EngineClock: Sendable {
    /// Never goes back; for deadlines and durations.
    var now: MonotonicTime { get }
    /// Milliseconds since 1970-01-01 UTC; for batch times and progress.
    var wallMilliseconds: Int64 { get }
}

/// An instant of the monotonic clock, in nanoseconds since an arbitrary start.
public struct MonotonicTime: Hashable, Sendable, Comparable {
    public let nanoseconds: Int64
    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let distantFuture = MonotonicTime(nanoseconds: .max)
    public static let zero = MonotonicTime(nanoseconds: 0)

    @inlinable public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }
    /// Stops at the distant future instead of overflowing.
    @inlinable public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return overflow ? .distantFuture : MonotonicTime(nanoseconds: sum)
    }
    @inlinable public static func - (a: MonotonicTime, b: MonotonicTime) -> Duration {
        .nanoseconds(a.nanoseconds &- b.nanoseconds)
    }
}

extension Duration {
    /// Whole nanoseconds, at the ends of the range for what does not fit.
    @inlinable public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }
    /// Milliseconds with their fraction, for metrics and messages.
    @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }
    @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }
}
