/// Counts durations in fixed buckets, for Prometheus and for quantiles.
package struct DurationHistogram: Sendable, Hashable {
    /// Upper bounds in seconds, from a millisecond to a minute; what is longer has a bucket of its own.
    package static let bounds: [Double] = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
    ]

    /// One count a bucket, the last for what is above every bound.
    package private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    package private(set) var sumSeconds = 0.0

    package init() {}

    package var count: UInt64 { counts.reduce(0, &+) }

    package mutating func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let value = max(0, Double(seconds) + Double(attoseconds) / 1e18)
        counts[Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count] &+= 1
        sumSeconds += value
    }

    /// What was recorded here and not yet there.
    package func since(_ earlier: DurationHistogram) -> DurationHistogram {
        var difference = self
        for index in counts.indices {
            let before = earlier.counts[index]
            difference.counts[index] = counts[index] >= before ? counts[index] - before : counts[index]
        }
        difference.sumSeconds = max(0, sumSeconds - earlier.sumSeconds)
        return difference
    }

    /// About the value below which this share lies, in seconds: linear inside its bucket, as Prometheus computes it.
    /// - Parameter share: 0.5 for the median.
    /// - Returns: nil when nothing was recorded; the highest bound for what is above all.
    package func quantile(_ share: Double) -> Double? {
        let total = count
        guard total > 0 else { return nil }
        let rank = min(max(share, 0), 1) * Double(total)
        var below = 0.0
        for (index, bound) in Self.bounds.enumerated() {
            let here = Double(counts[index])
            if here > 0, below + here >= rank {
                let lower = index == 0 ? 0 : Self.bounds[index - 1]
                return lower + (bound - lower) * (rank - below) / here
            }
            below += here
        }
        return Self.bounds.last
    }
}
