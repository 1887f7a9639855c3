import CommitProtocol
import StreamCore

/// Computes: runs one stage's program over the messages of its channel, and hands what comes out to the next stage or
/// to the committer. Sees no transaction.
final class TaskMachine: StepMachine {
    let name: String
    let signal: Signal
    private let program: any TaskProgram
    /// Its number among the tasks that keep state.
    private let stateNumber: Int?
    private let driver: Channel<DriverMessage>
    private let inbox: Channel<TaskMessage>
    /// Tasks of the next stage; empty in the last one.
    private let next: [Channel<TaskMessage>]
    private let committer: Channel<CommitterMessage>
    private let budget: MemoryBudget
    private let clock: any EngineClock
    /// How many tasks send to this one: the epoch ends when all have said so.
    private let senderCount: Int
    private var attempt = Attempt(0)
    /// How many senders are through with the epoch that is ending.
    private var endsSeen = 0
    private var endingEpoch: Epoch?
    /// From senders that are already in the next epoch, while others are not: kept until the program has ended this
    /// one.
    private var pending: [TaskMessage] = []
    private var lastCommitted: Epoch?
    private var isClosed = false
    private let breakages: ProtocolBreakage

    init(
        name: String, program: any TaskProgram, inbox: Channel<TaskMessage>, next: [Channel<TaskMessage>],
        senderCount: Int, stateNumber: Int?, _ parts: QueryParts, signal: Signal
    ) {
        self.name = name
        self.signal = signal
        self.program = program
        self.inbox = inbox
        self.next = next
        self.senderCount = senderCount
        self.stateNumber = stateNumber
        committer = parts.committerInbox
        driver = parts.driverInbox
        budget = parts.budget
        clock = parts.clock
        breakages = parts.options.breakages
        committer.addSender(signal)
        for channel in next { channel.addSender(signal) }
    }

    func step(now: MonotonicTime) -> StepResult {
        if isClosed { return .finished }
        if isBlocked { return .waiting(until: .distantFuture) }
        guard let message = inbox.takeFirst() else { return .waiting(until: .distantFuture) }
        receive(message)
        return isClosed ? .finished : .ran
    }

    private var isBlocked: Bool { committer.isFull || next.contains { $0.isFull } }

    private func receive(_ message: TaskMessage) {
        switch message {
        case .records(let block, let attempt, let context):
            if attempt == self.attempt { run(.records(block, context), context) }
            budget.give(block.byteSize)
        case .exchange(_, let attempt, let context, _) where attempt == self.attempt && isAhead(context.epoch):
            pending.append(message)
        case .exchange(let batch, let attempt, let context, let bytes):
            if isCurrent(attempt) { run(.exchange(batch, context), context) }
            budget.give(bytes)
        case .endEpoch(let plan) where plan.attempt == attempt: endEpoch(plan)
        case .endEpoch: break  // of an attempt that was given up
        case .committed(let epoch):
            // Each task of the stage before tells.
            guard epoch != lastCommitted else { return }
            lastCommitted = epoch
            attemptState { try program.committed(epoch) }
            for channel in next { channel.send(.committed(epoch)) }
        case .abandon(let attempt): abandon(attempt)
        case .state(let message, let attempt):
            // It comes from the driver itself, maybe before the stage in between has told of the new attempt.
            abandon(attempt)
            receive(message, attempt)
        case .close:
            for channel in next { channel.send(.close) }
            isClosed = true
        }
    }

    private func isCurrent(_ attempt: Attempt) -> Bool {
        attempt == self.attempt || breakages.contains(.staleAttemptUsed)
    }

    private func abandon(_ attempt: Attempt) {
        guard attempt > self.attempt else { return }
        self.attempt = attempt
        endsSeen = 0
        endingEpoch = nil
        dropPending()
        attemptState { try program.reset() }
        for channel in next { channel.send(.abandon(attempt)) }
    }

    // MARK: - State

    private func receive(_ message: StateMessage, _ attempt: Attempt) {
        guard let state = program.state else { return }
        attemptState {
            switch message {
            case .recover(let epoch, let keepsSealed):
                if !keepsSealed { try state.dropSealed() }
                try tellNeeds(state.recover(to: epoch), attempt)
            case .follow: try tellNeeds(state.followPositions(), attempt)
            case .changes(let block):
                defer { budget.give(block.byteSize) }
                if attempt == self.attempt { try state.apply(block) }
            case .lost(let split): if attempt == self.attempt { try state.clear(split) }
            case .restored(let ends, let epoch): if attempt == self.attempt { try state.restored(ends, to: epoch) }
            case .stableEnds(let ends, let epoch): try state.noteStableEnds(ends, from: epoch)
            }
        }
    }

    /// State that fails stops the query: what it holds is not known any more.
    private func attemptState(_ body: () throws -> Void) {
        do { try body() } catch { driver.send(.stopQuery(Self.stateFailed(error))) }
    }

    private func tellNeeds(_ needs: [Split: Position], _ attempt: Attempt) {
        guard let stateNumber else { return }
        driver.send(.stateNeeds(needs, task: stateNumber, attempt))
    }

    private static func stateFailed(_ error: any Error) -> StreamError {
        error as? StreamError
            ?? StreamError("STATE_FAILED", "State could not be kept: \(error).", domain: .internal, cause: error)
    }

    // MARK: - Work

    private func run(_ input: TaskInput, _ context: EpochContext) {
        let began = clock.now
        var output = TaskOutput()
        program.process(input, into: &output)
        hand(output, context, clock.now - began)
    }

    private func endEpoch(_ plan: EpochPlan) {
        endsSeen += 1
        endingEpoch = plan.epoch
        guard endsSeen == senderCount else { return }
        endsSeen = 0
        endingEpoch = nil
        let began = clock.now
        var output = TaskOutput()
        program.endEpoch(plan, into: &output)
        let context = EpochContext(
            epoch: plan.epoch, batchTimeMs: plan.batchTimeMs, isFirstBatch: plan.isFirstBatch)
        hand(output, context, clock.now - began)
        for channel in next { channel.send(.endEpoch(plan)) }
        if next.isEmpty { committer.send(.endEpoch(plan)) }
        let held = pending
        pending.removeAll()
        for message in held { receive(message) }
    }

    private func isAhead(_ epoch: Epoch) -> Bool { endingEpoch.map { epoch > $0 } ?? false }

    private func dropPending() {
        for case .exchange(_, _, _, let bytes) in pending { budget.give(bytes) }
        pending.removeAll()
    }

    private func hand(_ output: TaskOutput, _ context: EpochContext, _ computeTime: Duration) {
        var output = output
        for exchange in output.exchanges {
            next[exchange.task].send(.exchange(exchange.batch, attempt, context, bytes: 0))
        }
        output.exchanges.removeAll()
        budget.take(output.byteSize)
        committer.send(.output(output, attempt, context.epoch, computeTime: computeTime))
    }
}
