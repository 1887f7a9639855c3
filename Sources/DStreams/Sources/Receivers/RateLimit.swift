import StreamCore

/// Spaces records out evenly: so many a second, no burst for idle times beyond a tenth of a second. Pure.
struct RateLimit {
    let perSecond: Int
    /// When the next record is due.
    private var due = MonotonicTime.zero

    init(perSecond: Int) { self.perSecond = max(1, perSecond) }

    /// - Returns: when so many records may go. Later ones wait for them.
    mutating func reserve(_ count: Int, _ now: MonotonicTime) -> MonotonicTime {
        let start = max(due, now + .milliseconds(-100))
        due = start + .nanoseconds(Int64(Double(count) / Double(perSecond) * 1e9))
        return max(start, now)
    }
}
