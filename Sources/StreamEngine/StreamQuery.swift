public import CommitProtocol
public import StreamCore

/// One stage of a query: as many tasks as `taskCount`, each with a program of its own.
public struct Stage {
    public var taskCount: Int
    /// Called once per task, with the task's number.
    public var makeProgram: (Int) throws -> any TaskProgram

    public init(taskCount: Int, makeProgram: @escaping (Int) throws -> any TaskProgram) {
        self.taskCount = taskCount
        self.makeProgram = makeProgram
    }
}

/// A running computation: driver, tasks and committer over an input and a writer.
///
/// ```
///   input ─▶ driver ─▶ tasks (stage 1) ─▶ tasks (stage 2) ─▶ committer ─▶ writer
///               ▲                                               │
///               └────────────── committed, failed ◀─────────────┘
/// ```
/// Give `machines` to one scheduler, which runs them until they are finished.
public final class StreamQuery {
    public let status: QueryStatus
    /// Every step machine of the query, for a scheduler.
    public let machines: [any StepMachine]
    public let control: QueryControl

    /// - Parameters:
    ///   - changelog: needed where a program keeps state.
    ///   - stages: at least one; the tasks of one stage may send to the next by task number.
    ///   - onProgress: called on the committer's thread for each committed epoch.
    /// - Throws: what a stage throws; `PLAN_NEEDS_OWNER` where exactly once cannot be kept (invariant 8).
    public init(
        options: QueryOptions, input: any InputPort, writer: any TransactionPort,
        changelog: (any ChangelogPort)? = nil, stages: [Stage],
        userOutputs: any UserOutputPort = ThreadedUserOutput(), clock: any EngineClock = SystemClock(),
        log: any LogHandler = NullLog(), onProgress: @escaping @Sendable (EpochProgress) -> Void = { _ in }
    ) throws {
        precondition(!stages.isEmpty, "a query has at least one stage")
        status = QueryStatus(query: options.name, onProgress: onProgress)
        let signals = stages.map { stage in (0..<stage.taskCount).map { _ in Signal() } }
        let channels = signals.map { $0.map { Channel<TaskMessage>(capacity: 64, receiver: $0) } }
        let parts = QueryParts(
            options: options, input: input, clock: clock, log: log, status: status, firstStage: channels[0],
            commitGate: writer.gate)
        status.watch(parts.budget)
        var tasks: [any StepMachine] = []
        var stateful: [Driver.StatefulTask] = []
        for (number, stage) in stages.enumerated() {
            let senders = number == 0 ? 1 : stages[number - 1].taskCount
            for task in 0..<stage.taskCount {
                let program = try stage.makeProgram(task)
                let inbox = channels[number][task]
                tasks.append(
                    TaskMachine(
                        name: "task-\(number)-\(task)", program: program, inbox: inbox,
                        next: number + 1 < stages.count ? channels[number + 1] : [], senderCount: senders,
                        stateNumber: program.state == nil ? nil : stateful.count, parts,
                        signal: signals[number][task]))
                if let state = program.state {
                    stateful.append(Driver.StatefulTask(inbox: inbox, changelogs: state.changelogs))
                }
            }
        }
        try Self.checkOwner(options, stageCount: stages.count, hasState: !stateful.isEmpty)
        var machines: [any StepMachine] = try [Driver(parts, changelog: changelog, statefulTasks: stateful)] + tasks
        machines.append(
            Committer(
                parts, writer: writer, userOutputs: userOutputs, lastStageTasks: stages[stages.count - 1].taskCount))
        self.machines = machines
        control = QueryControl(inbox: parts.driverInbox, status: status)
    }

    /// Instances that share the splits commit each for themselves: what goes from task to task, and what is kept over
    /// epochs, needs one that commits all of it.
    private static func checkOwner(_ options: QueryOptions, stageCount: Int, hasState: Bool) throws(StreamError) {
        guard options.guarantee == .exactlyOnce, !options.isOwned, stageCount > 1 || hasState else { return }
        throw StreamError(
            "PLAN_NEEDS_OWNER",
            "The query '\(options.name)' has \(hasState ? "state" : "several stages") and no owner: exactly once "
                + "cannot be kept.",
            remedy: "Set QueryOptions.isOwned, or ask for at-least-once.", domain: .user)
    }

    /// The tasks that a stage has by default: all cores but one, which reads.
    public static func defaultTaskCount(cores: Int) -> Int { max(1, cores - 1) }
}

/// Stops a query from any thread.
public struct QueryControl: Sendable {
    let inbox: Channel<DriverMessage>
    public let status: QueryStatus

    /// Finishes or drops the open epoch within the deadline, commits, closes (invariant 9).
    public func stop(within: Duration) { inbox.send(.stop(within: within)) }

    /// Drops what is open and closes.
    public func stopNow() { inbox.send(.stopNow) }
}

/// What the machines of one query share.
struct QueryParts {
    let options: QueryOptions
    let input: any InputPort
    let clock: any EngineClock
    let log: any LogHandler
    let status: QueryStatus
    let budget: MemoryBudget
    let driverSignal = Signal()
    let committerSignal = Signal()
    let driverInbox: Channel<DriverMessage>
    let committerInbox: Channel<CommitterMessage>
    let firstStage: [Channel<TaskMessage>]
    let commitGate: CommitGate

    init(
        options: QueryOptions, input: any InputPort, clock: any EngineClock, log: any LogHandler, status: QueryStatus,
        firstStage: [Channel<TaskMessage>], commitGate: CommitGate
    ) {
        self.commitGate = commitGate
        self.options = options
        self.input = input
        self.clock = clock
        self.log = log
        self.status = status
        self.firstStage = firstStage
        budget = MemoryBudget(limit: MemoryShares(total: options.memoryBytes).engineBytes, waiter: driverSignal)
        driverInbox = Channel(capacity: 1024, receiver: driverSignal)
        committerInbox = Channel(capacity: 256, receiver: committerSignal)
    }
}
