import CommitProtocol
import StreamCore

/// Everything around a `QueryMachine`, small enough to visit every state: a group that gives and takes two splits, an
/// input that turns start positions into positions, a writer whose answers may fail, other instances that commit
/// meanwhile.
struct QueryWorld: Hashable {
    static let splits = [Split("in", 0), Split("in", 1)]

    var machine: QueryMachine
    var violation: String?

    // The group: what is ours for it, and what it wants back.
    var held: Set<Split> = []
    var wantedBack: Set<Split> = []
    /// What the broker has; a position by split.
    var committed: [Split: Position]
    /// Owned queries: the progress record is read with the positions.
    var record: ProgressRecord?

    // The driver.
    var opened: [Split: Position] = [:]
    var replay: ProgressRecord?
    var inFlight: Work?
    var isDraining = false
    /// State is being restored; it was, for what is read in this attempt.
    var isRestoring = false
    var isRestored = false
    let hasState: Bool
    var attempt = 0
    var asked: [Set<Split>] = []

    // The writer.
    var commands: [Command] = []

    // How much may still happen.
    var rebalancesLeft: Int
    var faultsLeft: Int
    var epochsLeft = 1
    var foreignCommitsLeft: Int
    var mayStop = true

    struct Work: Hashable {
        var positions: [Split: Position]
        var isAnchor: Bool
        var record: ProgressRecord?
    }

    struct Command: Hashable {
        var kind: Kind
        var attempt: Int
        enum Kind: Hashable {
            case initialize
            case recover(Set<Split>)
            case commit(Work)
        }
    }

    enum Move: Hashable {
        case assign(Split)
        case revoke(Split)
        case lose(Split)
        case answer(Answer)
        case resolve
        case restored
        case epoch
        case drained, drainExpired
        case foreignCommit(Split)
        case stop
    }
    enum Answer: Hashable { case success, failure, lostAnswer }

    init(
        committed: [Split: Position], record: ProgressRecord? = nil, hasState: Bool = false, rebalances: Int,
        faults: Int
    ) {
        machine = QueryMachine(defaultStart: .latest, hasState: hasState)
        self.hasState = hasState
        self.committed = committed
        self.record = record
        rebalancesLeft = rebalances
        faultsLeft = faults
        foreignCommitsLeft = record == nil ? 1 : 0
        perform(machine.handle(.start))
    }

    // MARK: - What may happen next

    var moves: [Move] {
        guard machine.phase != .closed else { return [] }
        var moves = quietMoves
        if rebalancesLeft > 0 {
            for split in Self.splits {
                if !held.contains(split) {
                    moves.append(.assign(split))
                } else {
                    moves.append(.lose(split))
                    if !wantedBack.contains(split) { moves.append(.revoke(split)) }
                }
            }
        }
        if faultsLeft > 0, let command = commands.first {
            moves.append(.answer(.failure))
            if case .commit = command.kind { moves.append(.answer(.lostAnswer)) }
        }
        if foreignCommitsLeft > 0 {
            for split in Self.splits where !held.contains(split) { moves.append(.foreignCommit(split)) }
        }
        if epochsLeft > 0, machine.phase == .running, inFlight == nil, !opened.isEmpty, isPlanReadable {
            moves.append(.epoch)
        }
        if isDraining, inFlight != nil, faultsLeft > 0 { moves.append(.drainExpired) }
        if mayStop { moves.append(.stop) }
        return moves
    }

    /// A plan is repeated as a whole or not at all.
    private var isPlanReadable: Bool { replay?.ranges.allSatisfy { opened[$0.split] != nil } ?? true }

    /// What happens by itself when nobody disturbs: every answer comes, and is good.
    var quietMoves: [Move] {
        guard machine.phase != .closed else { return [] }
        let restoring = isRestoring ? [Move.restored] : []
        if !commands.isEmpty { return [.answer(.success)] + (asked.isEmpty ? [] : [.resolve]) + restoring }
        if !asked.isEmpty { return [.resolve] + restoring }
        if isRestoring { return restoring }
        if isDraining, inFlight == nil { return [.drained] }
        return []
    }

    /// Nothing happens by itself any more: the query must be where it belongs.
    var isSettled: Bool {
        switch machine.phase {
        case .closed: true
        case .running: Set(opened.keys) == held && wantedBack.isEmpty && machine.owned == held
        case .standby: held.isEmpty && machine.owned.isEmpty
        default: false
        }
    }

    mutating func apply(_ move: Move) {
        switch move {
        case .assign(let split):
            rebalancesLeft -= 1
            held.insert(split)
            perform(machine.handle(.assigned([split])))
        case .revoke(let split):
            rebalancesLeft -= 1
            wantedBack.insert(split)
            perform(machine.handle(.revoking([split])))
        case .lose(let split):
            rebalancesLeft -= 1
            held.remove(split)
            wantedBack.remove(split)
            perform(machine.handle(.lost([split])))
        case .answer(.success): answer(commands.removeFirst())
        case .answer(.failure):
            faultsLeft -= 1
            fail(commands.removeFirst())
        case .answer(.lostAnswer):
            faultsLeft -= 1
            let command = commands.removeFirst()
            if case .commit(let work) = command.kind, held.isSuperset(of: work.positions.keys) { carryOut(work) }
            fail(command)
        case .resolve:
            // A port forgets what was asked about splits that it has given back.
            var answer: [Split: Position] = [:]
            for split in asked.removeFirst().intersection(held) { answer[split] = 7 }
            if !answer.isEmpty { perform(machine.handle(.resolved(answer))) }
        case .restored:
            (isRestoring, isRestored) = (false, true)
            perform(machine.handle(.restored))
        case .epoch: runEpoch()
        case .drained:
            isDraining = false
            perform(machine.handle(.drained))
        case .drainExpired:
            faultsLeft -= 1
            perform(machine.handle(.drainExpired))
        case .foreignCommit(let split):
            foreignCommitsLeft -= 1
            committed[split] = Position((committed[split]?.number ?? 0) + 1)
        case .stop:
            mayStop = false
            perform(machine.handle(.stop))
        }
    }

    // MARK: - The driver's part

    private mutating func perform(_ actions: [QueryMachine.Action]) {
        for action in actions {
            switch action {
            case .initializeWriter: submit(.initialize)
            case .recover(let splits): submit(.recover(splits))
            case .restore(let epoch):
                let isKnown = record?.phase == .committed
                if epoch != (isKnown ? record?.epoch : nil) { violation = "state is restored to another epoch" }
                isRestoring = true
            case .resolve(let starts): asked.append(Set(starts.keys))
            case .anchor(let positions, let replay): anchor(positions, replay)
            case .open(let positions, let replay): open(positions, replay)
            case .release(let splits): release(splits)
            case .drain: isDraining = true
            case .abandon:
                attempt += 1
                opened = [:]
                inFlight = nil
                replay = nil
                isDraining = false
                (isRestoring, isRestored) = (false, false)
            case .close: commands = []
            }
        }
    }

    private mutating func submit(_ kind: Command.Kind) { commands.append(Command(kind: kind, attempt: attempt)) }

    private mutating func anchor(_ positions: [Split: Position], _ replay: ProgressRecord?) {
        for (split, position) in positions {
            if let known = committed[split], known != position {
                violation = "\(split) is anchored at \(position), but \(known) is committed"
            }
        }
        if let record, record.phase == .planned, replay?.ranges != record.ranges {
            violation = "a plan that waits for its repeat is forgotten"
        }
        var next = record
        for (split, position) in positions where next?.resumePositions[split] == nil {
            next?.positions.append(SplitPosition(split, position))
        }
        let work = Work(
            positions: opened.merging(positions) { _, new in new }, isAnchor: true, record: next)
        inFlight = work
        submit(.commit(work))
    }

    private mutating func open(_ positions: [Split: Position], _ replay: ProgressRecord?) {
        for (split, position) in positions {
            if !held.contains(split) { violation = "\(split) is opened but is not ours" }
            if committed[split] != position {
                violation = "\(split) is opened at \(position), committed is \(String(describing: committed[split]))"
            }
        }
        if inFlight != nil { violation = "opened while a commit is in flight" }
        if hasState, isRestoring || !isRestored { violation = "opened before state is restored" }
        opened.merge(positions) { _, new in new }
        self.replay = replay
        if let record, record.phase == .planned, replay?.ranges != record.ranges {
            violation = "opened without the plan to repeat"
        }
    }

    private mutating func release(_ splits: Set<Split>) {
        if let inFlight, !splits.isDisjoint(with: inFlight.positions.keys) {
            violation = "released \(splits) with \(inFlight) in flight"
        }
        held.subtract(splits)
        wantedBack.subtract(splits)
        for split in splits { opened[split] = nil }
    }

    private mutating func runEpoch() {
        epochsLeft -= 1
        var next = opened.mapValues { Position($0.number + 1) }
        for range in replay?.ranges ?? [] where next[range.split] != nil { next[range.split] = range.to }
        var newRecord = record
        newRecord?.phase = .committed
        // Splits that are not open keep their progress.
        let all = next.merging(record?.resumePositions ?? [:]) { own, _ in own }
        newRecord?.positions = all.map { SplitPosition($0.key, $0.value) }.sorted { $0.split < $1.split }
        replay = nil
        let work = Work(positions: next, isAnchor: false, record: newRecord)
        inFlight = work
        submit(.commit(work))
    }

    // MARK: - The writer's and the broker's part

    private mutating func answer(_ command: Command) {
        if case .commit(let work) = command.kind {
            // A member without its splits is fenced.
            guard held.isSuperset(of: work.positions.keys) else { return fail(command) }
            carryOut(work)
        }
        guard command.attempt == attempt else { return }
        switch command.kind {
        case .initialize: perform(machine.handle(.writerInitialized))
        case .recover(let splits):
            let found = committed.filter { splits.contains($0.key) }
            perform(machine.handle(.recovered(RecoveredProgress(positions: found, progress: record))))
        case .commit(let work):
            inFlight = nil
            if !work.isAnchor { opened = work.positions }
            perform(machine.handle(.committed))
            if work.isAnchor { perform(machine.handle(.anchored)) }
        }
    }

    private mutating func carryOut(_ work: Work) {
        committed.merge(work.positions) { _, new in new }
        record = work.record
    }

    private mutating func fail(_ command: Command) {
        while let next = commands.first, next.kind != .initialize { commands.removeFirst() }
        guard command.attempt == attempt else { return }
        let failure = TransactionFailure(.indefinite, StreamError("LOST", "x", recovery: .abortEpoch))
        perform(machine.handle(.failed(failure, now: .zero)))
    }
}
