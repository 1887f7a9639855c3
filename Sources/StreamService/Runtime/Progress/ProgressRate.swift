private import StreamCore

/// What happened between two snapshots: records and epochs a second, and the median epoch.
package struct ProgressRate: Sendable, Hashable {
    package var seconds: Double
    package var recordsIn: Double
    package var recordsOut: Double
    package var bytesIn: Double
    package var epochs: Double
    /// Median epoch duration of the period; nil without an epoch.
    package var epochP50: Duration?

    package init(from earlier: ServiceSnapshot, to later: ServiceSnapshot, over duration: Duration) {
        seconds = max(duration.seconds, 0)
        // A counter that went back belongs to another run of the query: all of it is new.
        func perSecond(_ before: UInt64, _ after: UInt64) -> Double {
            let difference = after >= before ? after - before : after
            return duration > .zero ? Double(difference) / duration.seconds : 0
        }
        recordsIn = perSecond(earlier.records.read, later.records.read)
        recordsOut = perSecond(earlier.records.output, later.records.output)
        bytesIn = perSecond(earlier.records.bytesIn, later.records.bytesIn)
        epochs = perSecond(earlier.epochs.committed, later.epochs.committed)
        epochP50 = later.epochDurations.since(earlier.epochDurations).quantile(0.5).map { .seconds($0) }
    }
}
