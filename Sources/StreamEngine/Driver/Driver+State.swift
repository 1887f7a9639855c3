import CommitProtocol
import StreamCore

/// Bringing state back: asks the tasks what they need, reads it from the changelogs, hands it to them.
extension Driver {
    /// A task that keeps state, as the driver sees it.
    struct StatefulTask {
        var inbox: Channel<TaskMessage>
        var changelogs: Set<Split>
    }

    /// How often the ends of changelogs are asked for, from which a restore would begin: what was written since is read
    /// again, also where the disk has it.
    private static let stableEndsInterval = Duration.seconds(1)

    // MARK: - Beginning

    func restoreState(to epoch: Epoch?, _ now: MonotonicTime) {
        changelog?.stop()
        let isOurs = undecided.map { $0.isCovered(by: machine.found?.progress) } ?? true
        undecided = nil
        begin(.owner(epoch), .recover(to: epoch, keepsSealed: isOurs), now)
    }

    /// A standby keeps its state warm.
    func followIfStandby(_ now: MonotonicTime) {
        guard machine.phase == .standby, restore == nil, changelog != nil, !statefulTasks.isEmpty else { return }
        undecided = nil
        begin(.standby, .follow, now)
    }

    private func begin(_ purpose: StateRestore.Purpose, _ question: StateMessage, _ now: MonotonicTime) {
        restore = StateRestore(purpose, tasks: statefulTasks.count, options.breakages)
        restoreBegan = now
        restoreToldAt = now
        sendToAll(question)
    }

    func receiveNeeds(_ needs: [Split: Position], task: Int, _ now: MonotonicTime) {
        guard restore?.tell(needs, task: task) == true, let restore else { return }
        guard !restore.positions.isEmpty else { return finishIfComplete(now) }
        guard let changelog else {
            let error = StreamError(
                "NO_CHANGELOG", "State must be restored, and the query has no changelog to restore it from.")
            return perform(machine.handle(.stopNow(error)), now)
        }
        changelog.read(restore.positions, restore.purpose == .standby ? .follow : .toEnd)
    }

    /// The attempt is over: what is being read is of no use any more.
    func dropRestore() {
        guard restore != nil else { return }
        restore = nil
        status.restoring(nil)
        changelog?.stop()
    }

    // MARK: - Events

    /// - Returns: whether there was something.
    func pollChangelog(_ now: MonotonicTime) -> Bool {
        guard let changelog else { return false }
        var didSomething = false
        for _ in 0..<16 {
            let isHeldUp = statefulTasks.contains { $0.inbox.isFull }
            guard let event = changelog.poll(bytesMax: isHeldUp ? 0 : min(budget.available, 1 << 20)) else { break }
            didSomething = true
            receive(event, now)
            if closing != nil { break }
        }
        requestStableEndsIfDue(now)
        tellProgress(now)
        return didSomething
    }

    private func receive(_ event: ChangelogEvent, _ now: MonotonicTime) {
        switch event {
        case .began(let ends): restore?.began(ends)
        case .records(let block):
            for task in restore?.takes(block) ?? [] {
                budget.take(block.byteSize)
                statefulTasks[task].inbox.send(.state(.changes(block), attempt))
            }
        case .reachedEnd(let split, let position):
            restore?.reachedEnd(split, position)
            finishIfComplete(now)
        case .stableEnds(let ends):
            // Whatever is below was committed by the epoch that is in flight now at the latest.
            sendToAll(.stableEnds(ends, from: inFlight?.epoch ?? Epoch(nextEpoch.number - 1)))
        case .positionLost(let split): lost(split, now)
        case .trouble(let error): trouble(error, now)
        }
    }

    private func lost(_ split: Split, _ now: MonotonicTime) {
        guard let restore else { return }
        if case .owner = restore.purpose, !options.continuesOnDataLoss {
            let error = StreamError(
                "CHANGELOG_LOST", "Changes of \(split) are gone before they were read: state would be incomplete.",
                remedy:
                    "The topic was made anew or cleaned by something else. Restore it, or reset the query: delete its "
                    + "progress and changelog topics, its group's offsets and its state folder.",
                domain: .external, place: StreamError.Place(split: split))
            return perform(machine.handle(.stopNow(error)), now)
        }
        readAgain(split)
    }

    private func readAgain(_ split: Split) {
        guard let takers = restore?.lost(split), let restore else { return }
        log.warning("Changes of \(split) are gone; what is left of it is read anew.", LogField("query", options.name))
        for task in takers { statefulTasks[task].inbox.send(.state(.lost(split), attempt)) }
        let isStandby = restore.purpose == .standby
        changelog?.read(isStandby ? restore.positions : restore.unreached, isStandby ? .follow : .toEnd)
    }

    private func finishIfComplete(_ now: MonotonicTime) {
        guard let done = restore, case .owner(let epoch) = done.purpose, done.isComplete else { return }
        restore = nil
        status.restoring(nil)
        sendToAll(.restored(done.reached, to: epoch))
        if done.recordCount > 0 {
            log.info(
                "Restored state from \(done.recordCount) changes in \(now - restoreBegan).",
                LogField("query", options.name))
        }
        perform(machine.handle(.restored), now)
    }

    // MARK: -

    private func sendToAll(_ message: StateMessage) {
        for task in statefulTasks { task.inbox.send(.state(message, attempt)) }
    }

    private func requestStableEndsIfDue(_ now: MonotonicTime) {
        guard machine.phase == .running, now - stableEndsRequestedAt >= Self.stableEndsInterval else { return }
        stableEndsRequestedAt = now
        changelog?.requestStableEnds(statefulTasks.reduce(into: []) { $0.formUnion($1.changelogs) })
    }

    private func tellProgress(_ now: MonotonicTime) {
        guard let restore, case .owner = restore.purpose else { return }
        let progress = RestoreProgress(
            records: restore.recordCount, remainingOffsets: restore.remaining, share: restore.share,
            elapsed: now - restoreBegan)
        status.restoring(progress)
        guard now - restoreToldAt >= .seconds(2) else { return }
        restoreToldAt = now
        log.info("Restoring state: \(progress).", LogField("query", options.name))
    }
}
