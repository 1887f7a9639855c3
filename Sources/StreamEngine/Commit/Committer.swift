import CommitProtocol
import StreamCore

/// Writes: owns the transactional writer. What to do next is `CommitMachine`'s decision; outputs wait here, inside the
/// query's memory budget, until their epoch's turn has come.
final class Committer: StepMachine {
    let name = "committer"
    let signal: Signal
    private let writer: any TransactionPort
    private let userOutputs: any UserOutputPort
    private let inbox: Channel<CommitterMessage>
    private let driver: Channel<DriverMessage>
    private let firstStage: [Channel<TaskMessage>]
    private let budget: MemoryBudget
    private let options: QueryOptions
    private let status: QueryStatus
    private let clock: any EngineClock
    private let lastStageTasks: Int
    private var machine: CommitMachine
    private var attempt = Attempt(0)
    private var epochs: [Epoch: EpochWork] = [:]
    private var initializeAt: MonotonicTime?
    /// Commands that the writer has not answered, oldest first.
    private var outstanding: [Outstanding] = []
    private var faultsTotal = 0
    private var isClosed = false

    private struct Outstanding {
        var isInitialize: Bool
        /// The attempt it belongs to: answers to older ones are dropped.
        var attempt: Attempt
        /// Of the block that the writer holds.
        var bytes: Int
    }

    /// What has arrived for one epoch.
    private struct EpochWork {
        var blocks: [RecordBlock] = []
        var userOutputs: [UserOutput] = []
        var counts = RowCounts()
        var endsSeen = 0
        var computeTime = Duration.zero
        var sealedAt = MonotonicTime.zero

        /// Of what waits here; blocks that the writer has are counted as `outstanding`.
        var byteSize: Int { blocks.reduce(0) { $0 + $1.byteSize } + userOutputs.reduce(0) { $0 + $1.bytes } }
    }

    init(_ parts: QueryParts, writer: any TransactionPort, userOutputs: any UserOutputPort, lastStageTasks: Int) {
        signal = parts.committerSignal
        self.writer = writer
        self.userOutputs = userOutputs
        self.lastStageTasks = lastStageTasks
        inbox = parts.committerInbox
        driver = parts.driverInbox
        firstStage = parts.firstStage
        budget = parts.budget
        options = parts.options
        status = parts.status
        clock = parts.clock
        machine = CommitMachine(guarantee: options.guarantee, hasProgress: options.isOwned)
        machine.breakages = options.breakages
        let signal = signal
        writer.onReady = { signal.raise() }
        userOutputs.onReady = { signal.raise() }
    }

    func step(now: MonotonicTime) -> StepResult {
        if isClosed { return .finished }
        var didSomething = false
        for message in inbox.takeAll() {
            didSomething = true
            receive(message, now)
            if isClosed { return .finished }
        }
        while let event = writer.poll() {
            didSomething = true
            receive(event, now)
        }
        while let result = userOutputs.poll() {
            didSomething = true
            receive(result)
        }
        if let time = initializeAt, now >= time {
            initializeAt = nil
            submit(.initialize)
            didSomething = true
        }
        return didSomething ? .ran : .waiting(until: initializeAt ?? .distantFuture)
    }

    // MARK: - Messages

    private func receive(_ message: CommitterMessage, _ now: MonotonicTime) {
        switch message {
        case .output(let output, let attempt, let epoch, let computeTime):
            accept(output, attempt, epoch, computeTime)
        case .endEpoch(let plan) where isCurrent(plan.attempt): endEpoch(plan, now)
        case .commitPositions(let plan) where plan.attempt == attempt:
            epochs[plan.epoch, default: EpochWork()].sealedAt = now
            perform(machine.handle(.sealed(plan, hasUserOutput: false)), now)
        case .abandon(let attempt):
            self.attempt = attempt
            dropEpochs()
            perform(machine.handle(.broken), now)
        case .initialize(let pause): initializeAt = now + pause
        case .recover(let splits, let attempt) where attempt == self.attempt: submit(.recover(splits))
        case .close(let within):
            dropEpochs()
            writer.close(within: within)
            userOutputs.close()
            driver.send(.committerClosed)
            isClosed = true
        case .endEpoch, .commitPositions, .recover: break  // of an attempt that was given up
        }
    }

    private func accept(_ output: TaskOutput, _ attempt: Attempt, _ epoch: Epoch, _ computeTime: Duration) {
        guard isCurrent(attempt) else { return budget.give(output.byteSize) }
        if let failure = output.failure { return stopQuery(failure, output) }
        var work = epochs[epoch] ?? EpochWork()
        work.counts += output.counts
        work.computeTime += computeTime
        work.userOutputs += output.userOutputs
        for block in output.blocks where block.isEmpty { budget.give(block.byteSize) }
        let blocks = output.blocks.filter { !$0.isEmpty }
        work.blocks += blocks
        epochs[epoch] = work
        if !blocks.isEmpty { perform(machine.handle(.output(epoch)), clock.now) }
    }

    /// Whether a message of this attempt counts.
    private func isCurrent(_ attempt: Attempt) -> Bool {
        attempt == self.attempt || options.breakages.contains(.staleAttemptUsed)
    }

    /// Nothing of this attempt may be committed any more: what is missing from the failed epoch would be skipped for
    /// good.
    private func stopQuery(_ error: StreamError, _ output: TaskOutput = TaskOutput()) {
        budget.give(output.byteSize)
        dropEpochs()
        perform(machine.handle(.broken), clock.now)
        driver.send(.stopQuery(error))
    }

    private func endEpoch(_ plan: EpochPlan, _ now: MonotonicTime) {
        var work = epochs[plan.epoch] ?? EpochWork()
        work.endsSeen += 1
        work.sealedAt = now
        epochs[plan.epoch] = work
        guard work.endsSeen == lastStageTasks else { return }
        guard work.counts.isBalanced else {
            return stopQuery(Self.unbalanced(plan.epoch, work.counts))
        }
        if let ceiling = options.faultCeiling, faultsTotal + work.counts.deadLettered + work.counts.skipped > ceiling {
            return stopQuery(Self.ceilingReached(ceiling))
        }
        if options.breakages.contains(.deliveredUnplanned) { userOutputs.submit(plan, work.userOutputs) }
        let needsPlan = options.breakages.isDisjoint(with: [.deliveredUnplanned, .deliveredLate])
        perform(machine.handle(.sealed(plan, hasUserOutput: needsPlan && !work.userOutputs.isEmpty)), now)
    }

    private func submit(_ command: TransactionCommand) {
        var entry = Outstanding(isInitialize: false, attempt: attempt, bytes: 0)
        if case .produce(let block) = command { entry.bytes = block.byteSize }
        if case .initialize = command { entry.isInitialize = true }
        outstanding.append(entry)
        writer.submit(command)
    }

    private func receive(_ event: TransactionEvent, _ now: MonotonicTime) {
        guard !outstanding.isEmpty else { return }
        let answered = outstanding.removeFirst()
        budget.give(answered.bytes)
        if case .failed(let failure) = event { return failed(failure, answered, now) }
        guard answered.attempt == attempt else { return }
        switch event {
        case .initialized:
            perform(machine.handle(.initialized), now)
            driver.send(.writerInitialized)
        case .recovered(let progress): driver.send(.recovered(progress, attempt))
        case .committed(let epoch): perform(machine.handle(.committed(epoch)), now)
        case .begun, .produced, .failed: break
        }
    }

    /// The writer discards what was submitted behind the failed command, up to the next `initialize`.
    private func failed(_ failure: TransactionFailure, _ answered: Outstanding, _ now: MonotonicTime) {
        while let next = outstanding.first, !next.isInitialize {
            budget.give(next.bytes)
            outstanding.removeFirst()
        }
        guard answered.attempt == attempt else { return }
        perform(machine.handle(.broken), now)
        driver.send(.failed(failure, attempt))
    }

    private func receive(_ result: UserOutputResult) {
        switch result {
        case .delivered(let epoch, let attempt) where attempt == self.attempt:
            perform(machine.handle(.delivered(epoch)), clock.now)
        case .failed(_, let attempt, let error) where attempt == self.attempt: stopQuery(error)
        case .delivered, .failed: break  // of an attempt that was given up
        }
    }

    // MARK: - Actions

    private func perform(_ actions: [CommitMachine.Action], _ now: MonotonicTime) {
        for action in actions {
            switch action {
            case .begin(let epoch): submit(.begin(epoch))
            case .produceQueued(let epoch):
                for block in epochs[epoch]?.blocks ?? [] { submit(.produce(block)) }
                epochs[epoch]?.blocks.removeAll()
            case .commit(let commit):
                submit(.commit(commit))
                if options.breakages.contains(.commitAnsweredEarly) {
                    perform(machine.handle(.committed(commit.epoch)), now)
                }
            case .deliver(let epoch): deliver(epoch)
            case .notifyCommitted(let plan): committed(plan, now)
            }
        }
    }

    private func deliver(_ epoch: Epoch) {
        guard let plan = machine.plan(of: epoch) else { return }
        userOutputs.submit(plan, epochs[epoch]?.userOutputs ?? [])
    }

    private func committed(_ plan: EpochPlan, _ now: MonotonicTime) {
        let work = epochs.removeValue(forKey: plan.epoch) ?? EpochWork()
        if options.breakages.contains(.deliveredLate) { userOutputs.submit(plan, work.userOutputs) }
        budget.give(work.byteSize)
        faultsTotal += work.counts.deadLettered + work.counts.skipped
        status.epochCommitted(
            plan, counts: work.counts, computeTime: work.computeTime, sealedAt: work.sealedAt, committedAt: now)
        // State goes with the number of the progress, also where an epoch brought nothing but positions.
        if plan.kind != .anchor {
            for channel in firstStage { channel.send(.committed(plan.epoch)) }
        }
        driver.send(.committed(plan, sealedAt: work.sealedAt))
    }

    private func dropEpochs() {
        for work in epochs.values { budget.give(work.byteSize) }
        epochs.removeAll()
    }

    // MARK: - Errors

    private static func unbalanced(_ epoch: Epoch, _ counts: RowCounts) -> StreamError {
        StreamError(
            "RECORDS_UNACCOUNTED",
            "Epoch \(epoch) read \(counts.read) records but accounts for \(counts.emittedFrom) emitted from, "
                + "\(counts.filtered) filtered, \(counts.late) late, \(counts.deadLettered) dead-lettered and "
                + "\(counts.skipped) skipped.",
            remedy: "This is a defect of the engine; nothing of the epoch was committed.")
    }

    private static func ceilingReached(_ ceiling: Int) -> StreamError {
        StreamError(
            "FAULT_CEILING", "More than \(ceiling) records were faulty, which is the ceiling that was set.",
            remedy: "Look at the dead letters, mend their producer, or raise 'errors.ceiling'.", domain: .user)
    }
}
