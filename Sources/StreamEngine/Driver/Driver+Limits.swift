import CommitProtocol
import StreamCore

/// How far an epoch may read: the ends of a bounded run, the cap of a trigger, the ranges of a repeated plan.
extension Driver {
    /// The run ends at the ends that were there when it began.
    var isBounded: Bool { options.trigger == .once || options.trigger == .availableNow }

    /// Whether the ends of the splits must be known before anything is read.
    var needsEnds: Bool { isBounded || options.offsetsPerTriggerMax != nil || estimator != nil }

    private var endsInterval: Duration { needsEnds && finalEnds == nil ? .milliseconds(500) : .seconds(5) }

    func requestEndsIfDue(_ now: MonotonicTime) {
        guard !cursors.splits.isEmpty, endsRequestedAt.map({ now >= $0 + endsInterval }) ?? true else { return }
        endsRequestedAt = now
        input.requestEnds(cursors.splits)
    }

    func receiveEnds(_ ends: [Split: Position]) {
        knownEnds.merge(ends) { _, new in new }
        guard needsEnds, cursors.splits.allSatisfy({ knownEnds[$0] != nil }) else { return }
        if finalEnds == nil || !isBounded {
            finalEnds = knownEnds.filter { cursors[$0.key] != nil }
            if openEpoch == nil { applyLimits(clock.now) }
        }
    }

    /// Sets the limits of the epoch that begins now.
    func applyLimits(_ now: MonotonicTime) {
        cursors.clearLimits()
        if let replay {
            for (split, cursor) in cursors.cursors { cursors.setLimit(cursor.next, of: split) }
            for range in replay.ranges { cursors.setLimit(range.to, of: range.split) }
        } else {
            if isBounded, let finalEnds {
                for (split, end) in finalEnds { cursors.setLimit(end, of: split) }
            }
            if options.trigger != .once, let cap = offsetsPerBatchMax, let finalEnds {
                let limits = Self.shares(of: cap, cursors.positions, ends: finalEnds, stopsAtEnds: isBounded)
                for (split, limit) in limits { cursors.setLimit(limit, of: split) }
            }
            if let most = offsetsPerSplitMax {
                for (split, cursor) in cursors.cursors {
                    let limit = Position(cursor.next.number &+ most)
                    cursors.setLimit(min(limit, cursor.limit ?? limit), of: split)
                }
            }
        }
        isCarriedDue = !carried.isEmpty
        if !isCarriedDue { cursors.resumeEnds() }
        pauseFinished()
    }

    /// Spark's rule for `maxOffsetsPerTrigger`: in proportion to the backlog, rounded down, but up to one where it is
    /// less.
    ///
    /// Ends that are known are some seconds old. Where they leave room under the cap and the run has no end, the splits
    /// share the rest evenly, so that what was written since need not wait for newer ends.
    static func shares(
        of cap: Int64, _ positions: [Split: Position], ends: [Split: Position], stopsAtEnds: Bool = true
    ) -> [Split: Position] {
        // So that no product or rounding of it leaves the range of an offset.
        let cap = min(cap, 1 << 60)
        let backlogs = positions.reduce(into: [Split: Int64]()) { result, entry in
            result[entry.key] = ends[entry.key].map { entry.value.distance(to: $0) } ?? 0
        }
        // What the ends add up to is the brokers' word; as a fraction it cannot overflow.
        let total = backlogs.values.reduce(0.0) { $0 + Double($1) }
        guard total <= Double(cap) else {
            return backlogs.reduce(into: [:]) { result, entry in
                let share = Double(cap) * Double(entry.value) / total
                let count = entry.value == 0 ? 0 : share < 1 ? 1 : min(entry.value, Int64(share))
                result[entry.key] = Position((positions[entry.key]?.number ?? 0) + count)
            }
        }
        guard !stopsAtEnds, !positions.isEmpty else { return ends }
        let more = max(1, (cap - Int64(total)) / Int64(positions.count))
        return positions.reduce(into: [:]) { result, entry in
            let end = max(entry.value, ends[entry.key] ?? entry.value).number
            result[entry.key] = Position(end > .max - more ? .max : end + more)
        }
    }

    /// Splits that are at their limit need not be fetched.
    func pauseFinished() {
        let finished = cursors.splits.filter { cursors.isLimitReached($0) }
        let resumed = paused.subtracting(finished)
        let newlyPaused = finished.subtracting(paused)
        if !resumed.isEmpty { input.resume(resumed) }
        if !newlyPaused.isEmpty { input.pause(newlyPaused) }
        paused = finished
    }

    /// A bounded run ends when everything up to its ends is committed; so does one whose splits are all over.
    func finishIfDone(_ now: MonotonicTime) -> Bool {
        guard openEpoch == nil, inFlight == nil, !cursors.cursors.isEmpty, !cursors.hasMoved else { return false }
        // What is carried in a bounded run that has come to its ends was written after it began.
        guard carried.isEmpty || isBounded else { return false }
        let isDone =
            isBounded
            ? finalEnds.map { ends in
                cursors.cursors.allSatisfy { split, cursor in
                    cursor.isFinished || ends[split].map { cursor.next >= $0 } ?? false
                }
            } ?? false
            : cursors.cursors.values.allSatisfy(\.isFinished)
        guard isDone else { return false }
        perform(machine.handle(.stop), now)
        return true
    }
}
