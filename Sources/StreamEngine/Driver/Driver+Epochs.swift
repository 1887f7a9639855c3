import CommitProtocol
import StreamCore

/// Opening, filling and cutting epochs.
extension Driver {
    // MARK: - Positions

    func open(_ positions: [Split: Position], _ replay: ProgressRecord?, _ now: MonotonicTime) {
        cursors.open(positions)
        drainDeadline = .distantFuture
        adoptEpoch(replay)
        self.replay = replay
        input.open(positions)
        // Not every port takes an `open` for a `resume`, and what was given back while it was paused is not in
        // `paused`.
        input.resume(paused.union(positions.keys))
        paused.removeAll()
        endsRequestedAt = nil
        finalEnds = nil
        nextTick = nil
        applyLimits(now)
        log.info("Reading \(positions.count) splits.", LogField("query", options.name))
    }

    /// Goes on behind the newest epoch that is known, so that no number is used for other data.
    private func adoptEpoch(_ replay: ProgressRecord?) {
        adoptTimes()
        guard let record = machine.progress, nextEpoch <= record.epoch || replay != nil else { return }
        nextEpoch = record.phase == .planned ? record.epoch : record.epoch.next
    }

    func anchor(_ positions: [Split: Position], _ replay: ProgressRecord?) {
        adoptEpoch(replay)
        var all = cursors.positions.merging(positions) { _, new in new }
        for range in replay?.ranges ?? [] { all[range.split] = range.to }
        var plan = makePlan(.anchor, ranges: replay?.ranges ?? [], positions: all)
        if let replay {
            plan.isReplay = true
            plan.batchTimeMs = replay.batchTimeMs
            nextEpoch = replay.epoch
        }
        inFlight = plan
        committer.send(.commitPositions(plan))
    }

    private func makePlan(_ kind: EpochPlan.Kind, ranges: [SplitRange], positions: [Split: Position]) -> EpochPlan {
        defer { nextEpoch = nextEpoch.next }
        var plan = EpochPlan(
            kind: kind, epoch: nextEpoch, attempt: attempt, ranges: ranges, positions: positions,
            batchTimeMs: openEpoch?.context.batchTimeMs ?? lastBatchTimeMs ?? clock.wallMilliseconds,
            isReplay: replay != nil)
        plan.startTimeMs = startTimeMs
        plan.changelogs = changelogTopics
        plan.isFirstBatch = openEpoch?.context.isFirstBatch ?? false
        plan.previousBatchTimeMs = openEpoch?.context.previousBatchTimeMs
        if let record = machine.progress {
            plan.idlePositions = record.resumePositions.filter { positions[$0.key] == nil }
        }
        return plan
    }

    // MARK: - Records

    func accept(_ block: RecordBlock, _ now: MonotonicTime) {
        budget.take(block.byteSize)
        admit(block, now)
    }

    private func admit(_ block: RecordBlock, _ now: MonotonicTime) {
        guard machine.phase == .running else { return budget.give(block.byteSize) }
        let admission = cursors.admit(block)
        status.stale(admission.staleCount)
        if let later = admission.later {
            budget.take(later.byteSize)
            carried.append(later)
            pauseFinished()
        }
        guard let accepted = admission.accepted else { return budget.give(block.byteSize) }
        if accepted !== block {
            budget.take(accepted.byteSize)
            budget.give(block.byteSize)
        }
        let context = openEpoch?.context ?? openNewEpoch(now)
        openEpoch?.records += accepted.count
        openEpoch?.bytes += accepted.byteSize
        if tasks.count == 1 {
            tasks[0].send(.records(accepted, attempt, context))
        } else {
            spread(accepted, context)
        }
    }

    /// Every split has its task, so that the order within it is kept.
    private func spread(_ block: RecordBlock, _ context: EpochContext) {
        defer { budget.give(block.byteSize) }
        for (number, channel) in tasks.enumerated() {
            let part = block.copy { index in
                let slot = block.slots[index]
                return (Int(slot.partition) + Int(slot.topic)) % tasks.count == number
            }
            guard let part else { continue }
            budget.take(part.byteSize)
            channel.send(.records(part, attempt, context))
        }
    }

    // MARK: - Cutting

    /// Opens, carries over, cuts. - Returns: whether something was done.
    func advanceEpoch(_ now: MonotonicTime) -> Bool {
        guard machine.phase == .running else { return false }
        requestEndsIfDue(now)
        let couldRead = isReadingTime && !isCarriedDue
        if openEpoch == nil { openIfDue(now) }
        if isCarriedDue, mayReadCarried { takeCarried(now) }
        if shouldCut(now) {
            cut(now)
            return true
        }
        if shouldCommitPositions(now) {
            commitPositions(now)
            return true
        }
        if finishIfDone(now) { return true }
        // What waited for this epoch can be read at once.
        return !couldRead && isReadingTime && !isCarriedDue
    }

    /// Whether records may be read now: a fixed trigger reads only inside its epoch, a limited one not before its ends
    /// are known.
    var isReadingTime: Bool {
        if needsEnds && finalEnds == nil && replay == nil { return false }
        if areLimitsReachedOrCapped { return false }
        switch options.trigger {
        case .interval: return openEpoch != nil
        case .asap, .once, .availableNow: return true
        }
    }

    private var areLimitsReachedOrCapped: Bool {
        guard !cursors.areLimitsReached else { return true }
        guard let openEpoch else { return false }
        return openEpoch.records >= recordsMax ?? .max || openEpoch.bytes >= bytesMax ?? .max
    }

    /// After an epoch outlived its transaction: half of its records, then a quarter… (invariant 11)
    private var recordsMax: Int? {
        // A repeated plan is as big as it is.
        machine.failures.halvings == 0 || replay != nil ? nil : max(1, expiredRecords >> machine.failures.halvings)
    }

    /// What the sinks can take in time.
    private var bytesMax: Int? {
        guard replay == nil else { return nil }
        // An interval's batch is what came in it (Spark's rule), and none is filled while another one commits.
        if case .interval = options.trigger { return nil }
        return pacer.bytesMax(waitingFor: inFlight == nil ? nil : inFlightBytes)
    }

    private var mayReadCarried: Bool {
        switch options.trigger {
        case .interval: openEpoch != nil
        default: true
        }
    }

    private func takeCarried(_ now: MonotonicTime) {
        let blocks = carried
        carried.removeAll()
        isCarriedDue = false
        for block in blocks { admit(block, now) }
        cursors.resumeEnds()
    }

    private func shouldCut(_ now: MonotonicTime) -> Bool {
        guard let open = openEpoch, inFlight == nil else { return false }
        if let replay {
            // Complete or not at all: splits of other sources may still be on their way.
            return cursors.areLimitsReached && replay.ranges.allSatisfy { cursors[$0.split] != nil }
        }
        let isComplete = areLimitsReachedOrCapped
        switch options.trigger {
        case .interval(let interval):
            // A source that has nothing at hand may only be slower than its reader.
            let hasAll = open.ranDry && !cursors.isBehind { input.givesOneByOne($0) ? nil : knownEnds[$0] }
            if isComplete || hasAll || now >= open.openedAt + interval || budget.isFull {
                return open.records > 0 || options.runsEmptyEpochs || cursors.hasMoved || discardEmptyEpoch()
            }
            return false
        case .asap, .once, .availableNow:
            return open.records > 0
                && (isComplete || budget.isFull || now >= cutTime(of: open))
        }
    }

    func cutTime(of open: OpenEpoch) -> MonotonicTime {
        pacer.cutTime(openedAt: open.openedAt, ranDry: open.ranDry, committedAt: lastCommitAt)
    }

    /// A tick without data runs no epoch (Spark's rule). - Returns: false.
    private func discardEmptyEpoch() -> Bool {
        openEpoch = nil
        return false
    }

    func cut(_ now: MonotonicTime) {
        guard let open = openEpoch else { return }
        let plan = makePlan(.data, ranges: cursors.ranges, positions: cursors.positions)
        pacer.epochCut(ranDry: open.ranDry)
        inFlight = plan
        inFlightRecords = open.records
        inFlightBytes = open.bytes
        inFlightSince = now
        inFlightOpenedAt = open.openedAt
        openEpoch = nil
        replay = nil
        cursors.epochCut()
        status.epochCut(plan, openedAt: open.openedAt, cutAt: now)
        for channel in tasks { channel.send(.endEpoch(plan)) }
        applyLimits(now)
    }

    // MARK: - Positions without records

    /// Positions that moved past markers are committed too, so that lag reaches zero; and all of them hourly, so that
    /// they do not expire.
    private func shouldCommitPositions(_ now: MonotonicTime) -> Bool {
        guard openEpoch == nil, inFlight == nil, replay == nil, !cursors.cursors.isEmpty else { return false }
        let since = now - lastCommitAt
        return cursors.hasMoved ? since >= .seconds(1) || isBounded : since >= .seconds(3600)
    }

    private func commitPositions(_ now: MonotonicTime) {
        let plan = makePlan(.positions, ranges: cursors.ranges, positions: cursors.positions)
        cursors.epochCut()
        inFlight = plan
        committer.send(.commitPositions(plan))
        applyLimits(now)
    }

    // MARK: - Draining

    func beginDrain(_ now: MonotonicTime) {
        drainDeadline = min(drainDeadline, now + stopWithin)
        for block in carried { budget.give(block.byteSize) }
        let isCarrying = !carried.isEmpty
        carried.removeAll()
        isCarriedDue = false
        if replay != nil {
            // A repeated plan is complete or not at all.
            if openEpoch != nil { return perform(machine.handle(.drainExpired), now) }
        } else if openEpoch != nil, inFlight == nil {
            cutForDrain(now)
        }
        if isCarrying { reopen(cursors.positions) }
        checkDrain(now)
    }

    private func cutForDrain(_ now: MonotonicTime) {
        guard let open = openEpoch else { return }
        if open.records == 0 && !options.runsEmptyEpochs { openEpoch = nil } else { cut(now) }
    }

    func checkDrain(_ now: MonotonicTime) {
        guard machine.phase == .draining else { return }
        if inFlight == nil, openEpoch != nil { cutForDrain(now) }
        if inFlight == nil, openEpoch == nil {
            drainDeadline = .distantFuture
            perform(machine.handle(.drained), now)
        } else if now >= drainDeadline, !options.breakages.contains(.drainUnbounded) {
            log.warning(
                "The open epoch did not commit in time; it is dropped and will be repeated.",
                LogField("query", options.name))
            perform(machine.handle(.drainExpired), now)
        }
    }

    // MARK: - Deadlines

    func nextDeadline(_ now: MonotonicTime) -> MonotonicTime {
        if machine.phase == .draining { return drainDeadline }
        if machine.phase == .restoring { return now + .seconds(2) }
        guard machine.phase == .running else { return .distantFuture }
        var deadline = now + .seconds(1)
        if let open = openEpoch, inFlight == nil {
            let end: MonotonicTime
            if case .interval(let interval) = options.trigger {
                end = open.openedAt + interval
            } else {
                end = max(now, cutTime(of: open))
            }
            deadline = min(deadline, end)
        }
        if let end = gatherEnd(now) { deadline = min(deadline, end) }
        if let tick = nextTick { deadline = min(deadline, tick) }
        // A deadline that has passed means that something else is waited for; its signal will come.
        return deadline > now ? deadline : now + .milliseconds(10)
    }
}
