import CommitProtocol
import StreamCore

/// Reads: owns the input, the membership and the cutting of epochs. Decisions are `QueryMachine`'s, `EpochPacer`'s and
/// `SplitCursors`'; this class moves messages between them, the port and the channels.
///
/// It keeps polling whatever the rest does (for events only, when memory is full or an epoch waits for its commit), so
/// that group membership never depends on slow work.
final class Driver: StepMachine {
    let name = "driver"
    let signal: Signal
    let options: QueryOptions
    let input: any InputPort
    let clock: any EngineClock
    let log: any LogHandler
    let budget: MemoryBudget
    let status: QueryStatus
    let inbox: Channel<DriverMessage>
    let tasks: [Channel<TaskMessage>]
    let committer: Channel<CommitterMessage>
    private let commitGate: CommitGate
    let changelog: (any ChangelogPort)?
    let statefulTasks: [StatefulTask]
    let changelogTopics: [TopicName]

    var machine: QueryMachine
    var pacer: EpochPacer
    var cursors = SplitCursors()
    var attempt = Attempt(0)
    var nextEpoch = Epoch(1)
    var openEpoch: OpenEpoch?
    /// Cut and not yet known to be committed; at most one with records (depth one).
    var inFlight: EpochPlan?
    var inFlightRecords = 0
    var inFlightBytes = 0
    var inFlightSince = MonotonicTime.zero
    var inFlightOpenedAt = MonotonicTime.zero
    var estimator: PIDRateEstimator?
    /// Records a second, as far as batches have taught.
    var estimatedRate: Double?
    /// Read but behind a limit: the beginning of the next epoch.
    var carried: [RecordBlock] = []
    /// New limits were set since: carried records come before anything that is read.
    var isCarriedDue = false
    /// Small blocks are gathered until then; nil: read what is there.
    var gatherUntil: MonotonicTime?
    var paused: Set<Split> = []
    /// The epoch whose plan is already durable and must be repeated as it is.
    var replay: ProgressRecord?
    /// Available-now: where each split ends for this run; nil until they are known.
    var finalEnds: [Split: Position]?
    var knownEnds: [Split: Position] = [:]
    var endsRequestedAt: MonotonicTime?
    var nextTick: MonotonicTime?
    /// Of the newest batch, and before the first one: known with a fixed trigger.
    var lastBatchTimeMs: Int64?
    var startTimeMs: Int64?
    var drainDeadline = MonotonicTime.distantFuture
    var stopWithin = Duration.seconds(25)
    var lastCommitAt = MonotonicTime.zero
    var expiredRecords = 0
    /// State on its way back from its changelogs.
    var restore: StateRestore?
    /// The last plan that was given up while it may have been committed, until the progress tells.
    var undecided: EpochPlan?
    var restoreBegan = MonotonicTime.zero
    var restoreToldAt = MonotonicTime.zero
    var stableEndsRequestedAt = MonotonicTime.zero
    var isStarted = false
    /// Positions that are believed in, where a test has the engine guess.
    var believed: [Split: Position] = [:]
    var closing: Closing?

    struct OpenEpoch {
        var context: EpochContext
        var openedAt: MonotonicTime
        var records = 0
        var bytes = 0
        var ranDry = false
    }

    enum Closing { case waitingForCommitter, done }

    /// - Throws: `RATE_SETTINGS`.
    init(_ parts: QueryParts, changelog: (any ChangelogPort)?, statefulTasks: [StatefulTask]) throws {
        estimator = try Self.estimator(parts.options)
        estimatedRate = estimator == nil ? nil : parts.options.backpressure?.initialRate
        self.changelog = changelog
        self.statefulTasks = statefulTasks
        changelogTopics = Set(statefulTasks.flatMap { $0.changelogs.map(\.topic) }).sorted()
        signal = parts.driverSignal
        options = parts.options
        input = parts.input
        clock = parts.clock
        log = parts.log
        budget = parts.budget
        status = parts.status
        inbox = parts.driverInbox
        tasks = parts.firstStage
        committer = parts.committerInbox
        commitGate = parts.commitGate
        machine = QueryMachine(
            defaultStart: options.defaultStart, start: options.starts, partitionStart: options.partitionStarts,
            hasState: !statefulTasks.isEmpty)
        machine.breakages = options.breakages
        pacer = EpochPacer(
            latencyTarget: options.latencyTarget, isExactlyOnce: options.guarantee == .exactlyOnce,
            commitPause: options.commitPause)
        for channel in tasks { channel.addSender(signal) }
        for task in statefulTasks { task.inbox.addSender(signal) }
        let signal = signal
        changelog?.onReady = { signal.raise() }
        input.onReady = { signal.raise() }
    }

    // MARK: - Step

    func step(now: MonotonicTime) -> StepResult {
        if closing == .done { return .finished }
        if !isStarted {
            isStarted = true
            input.start()
            perform(machine.handle(.start), now)
        }
        var didSomething = false
        for message in inbox.takeAll() {
            didSomething = true
            receive(message, now)
            if closing == .done { return .finished }
        }
        guard closing == nil else { return .waiting(until: .distantFuture) }
        didSomething = pollInput(now) || didSomething
        if closing != nil { return .ran }
        followIfStandby(now)
        didSomething = pollChangelog(now) || didSomething
        if closing != nil { return .ran }
        didSomething = advanceEpoch(now) || didSomething
        checkDrain(now)
        status.update(phase: machine.phase, attempt: attempt, ends: knownEnds)
        return didSomething ? .ran : .waiting(until: nextDeadline(now))
    }

    private func receive(_ message: DriverMessage, _ now: MonotonicTime) {
        switch message {
        case .writerInitialized: perform(machine.handle(.writerInitialized), now)
        case .recovered(let progress, let attempt) where attempt == self.attempt:
            perform(machine.handle(.recovered(progress)), now)
        case .committed(let plan, let sealedAt) where plan.attempt == attempt: epochCommitted(plan, sealedAt, now)
        case .failed(let failure, let attempt) where attempt == self.attempt: failed(failure, now)
        case .stateNeeds(let needs, let task, let attempt) where attempt == self.attempt:
            receiveNeeds(needs, task: task, now)
        case .stopQuery(let error): perform(machine.handle(.stopNow(error)), now)
        case .stop(let within):
            stopWithin = within
            drainDeadline = now + within
            perform(machine.handle(.stop), now)
        case .stopNow: perform(machine.handle(.stopNow(nil)), now)
        case .committerClosed:
            input.close(within: .seconds(5))
            changelog?.close(within: .seconds(5))
            closing = .done
            status.finish()
        case .recovered, .committed, .failed, .stateNeeds: break  // of an attempt that was given up
        }
    }

    private func failed(_ failure: TransactionFailure, _ now: MonotonicTime) {
        if !options.breakages.isEmpty { guess(failure.kind) }
        if failure.kind == .expired, machine.failures.halvings == 0 {
            expiredRecords = max(inFlightRecords, openEpoch?.records ?? 0)
        }
        if failure.kind != .unavailable { status.epochDropped(failure.kind.rawValue) }
        let isNormal = failure.kind == .unavailable || failure.kind == .fenced
        log.log(
            isNormal ? .notice : .warning,
            "\(failure.error) The open work is dropped and repeated from the last commit.",
            [LogField("query", options.name), LogField("kind", failure.kind.rawValue)])
        status.lastError = failure.error
        perform(machine.handle(.failed(failure, now: now)), now)
    }

    private func epochCommitted(_ plan: EpochPlan, _ sealedAt: MonotonicTime, _ now: MonotonicTime) {
        if plan.kind == .data {
            pacer.epochCommitted(bytes: inFlightBytes, took: now - inFlightSince)
            pacer.epochSealed(took: sealedAt - inFlightSince)
        }
        learnRate(plan, now)
        inFlight = nil
        inFlightRecords = 0
        inFlightBytes = 0
        lastCommitAt = now
        // What was learned counts for the next batch, whose limits were set when this one was cut.
        if estimator != nil, openEpoch == nil, machine.phase == .running { applyLimits(now) }
        perform(machine.handle(.committed), now)
        if plan.kind == .anchor { perform(machine.handle(.anchored), now) }
    }

    // MARK: - Input events

    /// - Returns: whether there was something.
    private func pollInput(_ now: MonotonicTime) -> Bool {
        var didSomething = false
        // Bounded, so that messages and deadlines are looked at in between.
        for _ in 0..<16 {
            let bytes = gatherEnd(now) == nil ? readableBytes : 0
            guard let event = input.poll(bytesMax: bytes) else {
                if bytes > 0 { openEpoch?.ranDry = true }
                return didSomething
            }
            didSomething = true
            receive(event, now)
            if closing != nil { return true }
        }
        return didSomething
    }

    /// Until when records are left where they are, because the open epoch cannot be cut before; nil: read on.
    func gatherEnd(_ now: MonotonicTime) -> MonotonicTime? {
        guard case .asap = options.trigger, var end = gatherUntil, let open = openEpoch, replay == nil else {
            return nil
        }
        if inFlight == nil {
            end = min(end, pacer.dryCutTime(openedAt: open.openedAt, committedAt: lastCommitAt))
        }
        return now < end ? end : nil
    }

    /// How much may be read now; 0 where only membership is kept.
    private var readableBytes: Int {
        guard machine.phase == .running, !isCarriedDue, isReadingTime, !tasks.contains(where: { $0.isFull }) else {
            return 0
        }
        return min(budget.available, Self.blockBytesMax)
    }

    /// A block this size stays in the processor's cache while it is decoded, and costs little per record.
    private static let blockBytesMax = 1 << 20

    private func receive(_ event: InputEvent, _ now: MonotonicTime) {
        switch event {
        case .assigned(let splits): perform(machine.handle(.assigned(splits)), now)
        case .revoking(let splits):
            drainDeadline = min(drainDeadline, now + options.rebalanceDrain)
            perform(machine.handle(.revoking(splits)), now)
        case .lost(let splits):
            if !options.breakages.isEmpty { guess(.fenced) }
            perform(machine.handle(.lost(splits)), now)
        case .records(let block):
            gatherUntil = pacer.gatherTime(bytes: block.byteSize, readAt: now)
            accept(block, now)
        case .reachedEnd(let split, let position): cursors.reachedEnd(split, position)
        case .finished(let split, let position): cursors.reachedEnd(split, position, isFinished: true)
        case .resolved(let positions): perform(machine.handle(.resolved(positions)), now)
        case .ends(let ends): receiveEnds(ends)
        case .dataLoss(let split, let position, let next): dataLost(split, position, next, now)
        case .trouble(let error): trouble(error, now)
        }
    }

    func trouble(_ error: StreamError, _ now: MonotonicTime) {
        status.lastError = error
        switch error.recovery {
        case .retry: log.warning("\(error)", LogField("query", options.name))
        case .stop: perform(machine.handle(.stopNow(error)), now)
        case .abortEpoch, .rejoin: failed(TransactionFailure(.fenced, error), now)
        }
    }

    private func dataLost(_ split: Split, _ position: Position, _ next: Position, _ now: MonotonicTime) {
        let error = StreamError(
            "DATA_LOSS", "Position \(position) of \(split) is gone; the first that exists is \(next).",
            remedy:
                "Records were deleted before they were read. Set 'on-data-loss: continue' to go on with what is left.",
            domain: .external, place: StreamError.Place(split: split))
        // An answer about a split that was given back meanwhile.
        guard cursors[split] != nil else { return }
        guard options.continuesOnDataLoss else { return perform(machine.handle(.stopNow(error)), now) }
        log.warning("\(error) Going on at \(next).", LogField("query", options.name))
        status.dataLost(position.distance(to: next))
        cursors.skip(split, to: next)
        reopen([split: next])
    }

    /// Reads on from here, and leaves paused what has reached its limit.
    func reopen(_ positions: [Split: Position]) {
        input.open(positions)
        input.resume(Set(positions.keys))
        paused.subtract(positions.keys)
        pauseFinished()
    }

    // MARK: - Actions of the query machine

    func perform(_ actions: [QueryMachine.Action], _ now: MonotonicTime) {
        for action in actions {
            switch action {
            case .initializeWriter(let pause): committer.send(.initialize(after: pause))
            case .recover(let splits): committer.send(.recover(splits, attempt))
            case .restore(let epoch): restoreState(to: epoch, now)
            case .resolve(let starts): input.resolve(starts)
            case .anchor(let positions, let replay): anchor(positions, replay)
            case .open(let positions, let replay): open(guessed(positions), remembered(replay), now)
            case .release(let splits): release(splits)
            case .drain: beginDrain(now)
            case .abandon: abandon()
            case .close(let error): close(error, now)
            }
        }
    }

    private func release(_ splits: Set<Split>) {
        cursors.close(splits)
        paused.subtract(splits)
        for split in splits { knownEnds[split] = nil }
        // Nothing is carried here: a drain or an abandoned attempt has given it up before.
        assert(carried.isEmpty)
        input.release(splits)
        log.info("Gave back \(splits.count) splits.", LogField("query", options.name))
    }

    private func abandon() {
        // First: whatever follows may give splits to others.
        if !options.breakages.contains(.gateNotShut) { commitGate.shut() }
        attempt = attempt.next
        dropRestore()
        dropTimes()
        openEpoch = nil
        undecided = inFlight ?? undecided
        inFlight = nil
        inFlightRecords = 0
        inFlightBytes = 0
        drainDeadline = machine.phase == .closed ? drainDeadline : .distantFuture
        for block in carried { budget.give(block.byteSize) }
        carried.removeAll()
        isCarriedDue = false
        replay = nil
        for channel in tasks { channel.send(.abandon(attempt)) }
        committer.send(.abandon(attempt))
    }

    private func close(_ error: StreamError?, _ now: MonotonicTime) {
        closing = .waitingForCommitter
        status.fail(error)
        for channel in tasks { channel.send(.close) }
        committer.send(.close(within: .seconds(5)))
    }
}
