import StreamCore

/// Decides when the open epoch is cut: short epochs when the query keeps up, long ones under load. Pure.
///
/// Each commit costs some milliseconds whatever is in it. While the input runs dry between epochs, latency counts and
/// the epoch ends as soon as the one before is committed. While it never runs dry, throughput counts: the interval
/// starts at half the latency target and doubles with each saturated epoch.
///
/// While an epoch commits, the next one fills. Where the sinks are slower than the source (a broker's quota, a full
/// network), each epoch would be larger than the one before until it fills the memory and outlives its transaction. So
/// an epoch that waits grows to a multiple of the one before at most, and a commit that took long limits what the next
/// epochs may hold.
struct EpochPacer {
    /// Beyond this longer epochs gain nothing (measured: 1000 ms is within 10 % of no transactions at all, 100 ms
    /// within 10 % of 1000 ms) and cost recovery time.
    static let intervalMax = Duration.milliseconds(200)
    /// At-least-once outputs do not wait for the cut, so it only bounds what a crash repeats.
    static let atLeastOnceInterval = Duration.milliseconds(100)

    /// An epoch that took longer than this from its cut to its commit was too large.
    static let commitTimeMax = Duration.seconds(1)
    /// What the limit aims at then, far below any transaction time-out.
    static let commitTimeAim = Duration.milliseconds(500)
    /// How many times the epoch before an epoch may grow to while it waits for that one's commit…
    static let growthMax = 4
    /// …and what it may always hold. A source that bursts is not held up.
    static let freeBytes = 8 << 20
    /// While nothing can be written anyway, small blocks are gathered for so long: each costs a turn of every thread on
    /// its way…
    static let gatherTime = Duration.milliseconds(4)
    /// …and a block of this size is worth its own.
    static let gatheredBytes = 64 << 10
    /// No limit is below this: a commit that an outage has held up says nothing about sizes.
    static let bytesMin = 64 << 10

    let latencyTarget: Duration
    let isExactlyOnce: Bool
    /// The writer rests so long between a commit and the next transaction (`QueryOptions.commitPause`).
    let commitPause: Duration
    private var saturatedEpochs = 0
    /// A running mean of the time from an epoch's cut until all of it is computed.
    private var sealTime = Duration.zero
    /// What an epoch may hold, as far as slow commits have taught; nil: no limit.
    private var bytesMax: Int?

    init(latencyTarget: Duration, isExactlyOnce: Bool, commitPause: Duration = .zero) {
        self.commitPause = commitPause
        self.latencyTarget = latencyTarget
        self.isExactlyOnce = isExactlyOnce
    }

    /// The earliest time to cut an epoch that was opened at `openedAt`.
    ///
    /// What arrives while the writer rests still belongs to this epoch: cut earlier, it would wait for a whole commit
    /// more. But the writer should not wait either: the cut comes as much before the end of its rest as the epoch takes
    /// to be computed.
    /// - Parameters:
    ///   - ranDry: the input had nothing more at some point since then.
    ///   - committedAt: when the epoch before was committed.
    func cutTime(openedAt: MonotonicTime, ranDry: Bool, committedAt: MonotonicTime) -> MonotonicTime {
        if !isExactlyOnce { return openedAt + Self.atLeastOnceInterval }
        return ranDry ? dryCutTime(openedAt: openedAt, committedAt: committedAt) : openedAt + interval
    }

    /// The earliest time to cut an exactly-once epoch whose input has run dry: before that, reading gains nothing.
    func dryCutTime(openedAt: MonotonicTime, committedAt: MonotonicTime) -> MonotonicTime {
        max(openedAt, committedAt + max(.zero, commitPause - sealTime))
    }

    private var interval: Duration {
        min(latencyTarget / 2 * (1 << min(saturatedEpochs, 12)), Self.intervalMax)
    }

    mutating func epochCut(ranDry: Bool) {
        saturatedEpochs = ranDry ? 0 : saturatedEpochs + 1
    }

    /// - Parameter took: from the epoch's cut until all of it was computed.
    mutating func epochSealed(took: Duration) {
        sealTime = (sealTime * 7 + max(.zero, took)) / 8
    }

    /// Until when the input may be left alone after a block that small: nothing of what arrives is written before.
    /// - Returns: nil: go on reading.
    func gatherTime(bytes: Int, readAt: MonotonicTime) -> MonotonicTime? {
        isExactlyOnce && bytes < Self.gatheredBytes ? readAt + min(Self.gatherTime, latencyTarget / 4) : nil
    }

    // MARK: - How much an epoch may hold

    /// - Parameter waitingFor: the size of the epoch whose commit the open one waits for; nil: of none.
    /// - Returns: bytes of input that the open epoch may hold; nil: no limit but the memory.
    func bytesMax(waitingFor: Int?) -> Int? {
        guard let waitingFor else { return bytesMax }
        let growth = max(Self.freeBytes, waitingFor > .max / Self.growthMax ? .max : waitingFor * Self.growthMax)
        return min(growth, bytesMax ?? .max)
    }

    /// Learns how much the sinks can take.
    /// - Parameter took: from the epoch's cut to its commit.
    mutating func epochCommitted(bytes: Int, took: Duration) {
        if took > Self.commitTimeMax {
            let share = Double(Self.commitTimeAim.nanoseconds) / Double(took.nanoseconds)
            bytesMax = max(Self.bytesMin, Int(Double(bytes) * share))
        } else if let limit = bytesMax, bytes >= limit {
            // The limit was what held it: look whether more is possible by now.
            bytesMax = limit > .max / 4 ? nil : limit * 2
        }
    }
}
