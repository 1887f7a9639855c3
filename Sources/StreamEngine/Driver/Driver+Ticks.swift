import CommitProtocol
import StreamCore

/// When epochs open and which time they have.
extension Driver {
    /// How many missed intervals are caught up at most; what is older is left out, with a warning.
    static let missedIntervalsMax: Int64 = 10_000

    func openIfDue(_ now: MonotonicTime) {
        if replay != nil {
            openNewEpoch(now)
            return
        }
        guard case .interval(let interval) = options.trigger, inFlight == nil else { return }
        // The first epoch comes at once, the others on multiples of the interval since 1970; an overrun is followed at
        // once.
        if let tick = nextTick, now < tick { return }
        nextTick = now + untilNextTick(interval)
        if let next = nextBatchTime(interval), next + interval.wholeMilliseconds <= floorTime(interval) {
            nextTick = now  // more intervals were missed
        } else if let last = lastBatchTimeMs, floorTime(interval) == last {
            // An interval has one batch, which outputs are named after: what comes behind it, after a restart too, is
            // the next one's.
            return
        }
        openNewEpoch(now)
    }

    @discardableResult
    func openNewEpoch(_ now: MonotonicTime) -> EpochContext {
        let batchTime = replay?.batchTimeMs ?? batchTime
        var context = EpochContext(epoch: nextEpoch, batchTimeMs: batchTime)
        if case .interval(let interval) = options.trigger {
            context.previousBatchTimeMs = lastBatchTimeMs
            lastBatchTimeMs = batchTime
            let start = startTimeMs ?? batchTime - interval.wholeMilliseconds
            startTimeMs = start
            context.isFirstBatch = batchTime - interval.wholeMilliseconds == start
        }
        openEpoch = OpenEpoch(context: context, openedAt: now)
        return context
    }

    /// Goes on with the times of the newest known epoch.
    func adoptTimes() {
        guard let record = machine.progress, case .interval(let interval) = options.trigger else { return }
        startTimeMs = record.startTimeMs ?? startTimeMs
        guard record.startTimeMs != nil else { return }
        // A plan that was not committed is still to come.
        let time = record.phase == .planned ? record.batchTimeMs - interval.wholeMilliseconds : record.batchTimeMs
        lastBatchTimeMs = max(lastBatchTimeMs ?? time, time)
    }

    /// The batches that are dropped will run again, with their times; empty ones before them are not missed.
    func dropTimes() {
        guard case .interval(let interval) = options.trigger else { return }
        let dropped = inFlight.flatMap { $0.kind == .data ? $0.batchTimeMs : nil } ?? openEpoch?.context.batchTimeMs
        if let dropped { lastBatchTimeMs = dropped - interval.wholeMilliseconds }
    }

    /// The end of its interval for a fixed trigger (Spark's batch time), else now.
    private var batchTime: Int64 {
        guard case .interval(let interval) = options.trigger else { return clock.wallMilliseconds }
        return nextBatchTime(interval) ?? floorTime(interval)
    }

    /// The interval behind the last one, where none is left out and it is over, or where the clock is behind it: times
    /// of batches rise, whatever the clocks of a query's machines say.
    private func nextBatchTime(_ interval: Duration) -> Int64? {
        guard let last = lastBatchTimeMs else { return nil }
        let floor = floorTime(interval)
        let step = interval.wholeMilliseconds
        if floor < last { return last + step }
        guard options.runsEveryInterval else { return nil }
        let missed = (floor - last) / step - 1
        if missed > Self.missedIntervalsMax {
            log.warning(
                "\(missed - Self.missedIntervalsMax) missed batches are left out; the newest "
                    + "\(Self.missedIntervalsMax) are caught up.", LogField("query", options.name))
            return floor - Self.missedIntervalsMax * step
        }
        return missed >= 0 ? last + step : nil
    }

    private func floorTime(_ interval: Duration) -> Int64 {
        let step = interval.wholeMilliseconds
        return clock.wallMilliseconds / step * step
    }

    private func untilNextTick(_ interval: Duration) -> Duration {
        let nanoseconds = max(1, interval.nanoseconds)
        return .nanoseconds(nanoseconds - clock.wallMilliseconds * 1_000_000 % nanoseconds)
    }
}

extension Duration {
    /// Rounded down, at least one.
    var wholeMilliseconds: Int64 { max(1, nanoseconds / 1_000_000) }
}
