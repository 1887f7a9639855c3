import StreamCore

/// Decides when the open epoch is cut: short epochs when the query keeps up, long ones under load. Pure.
///
/// Each commit costs some milliseconds whatever is in it. While the input runs dry between epochs, latency counts and
/// the epoch ends as soon as the one before is committed. While it never runs dry, throughput counts: the interval
/// starts at half the latency target and doubles with each saturated epoch.
struct EpochPacer {
    /// Beyond this longer epochs gain nothing (measured: 1000 ms is within 10 % of no transactions at all, 100 ms
    /// within 10 % of 1000 ms) and cost recovery time.
    static let intervalMax = Duration.milliseconds(200)
    /// At-least-once outputs do not wait for the cut, so it only bounds what a crash repeats.
    static let atLeastOnceInterval = Duration.milliseconds(100)

    let latencyTarget: Duration
    let isExactlyOnce: Bool
    /// The writer rests so long between a commit and the next transaction (`QueryOptions.commitPause`).
    let commitPause: Duration
    private var saturatedEpochs = 0

    init(latencyTarget: Duration, isExactlyOnce: Bool, commitPause: Duration = .zero) {
        self.commitPause = commitPause
        self.latencyTarget = latencyTarget
        self.isExactlyOnce = isExactlyOnce
    }

    /// The earliest time to cut an epoch that was opened at `openedAt`.
    ///
    /// What arrives while the writer rests still belongs to this epoch: cut earlier, it would wait for a whole commit
    /// more.
    /// - Parameters:
    ///   - ranDry: the input had nothing more at some point since then.
    ///   - committedAt: when the epoch before was committed.
    func cutTime(openedAt: MonotonicTime, ranDry: Bool, committedAt: MonotonicTime) -> MonotonicTime {
        if !isExactlyOnce { return openedAt + Self.atLeastOnceInterval }
        return ranDry ? max(openedAt, committedAt + commitPause) : openedAt + interval
    }

    private var interval: Duration {
        min(latencyTarget / 2 * (1 << min(saturatedEpochs, 12)), Self.intervalMax)
    }

    mutating func epochCut(ranDry: Bool) {
        saturatedEpochs = ranDry ? 0 : saturatedEpochs + 1
    }
}
