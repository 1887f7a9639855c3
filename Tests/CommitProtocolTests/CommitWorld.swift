import CommitProtocol
import StreamCore

/// Everything around a `CommitMachine`, small enough to visit every state: two tasks that compute epochs, a writer
/// whose answers may fail, a broker that keeps what is committed.
///
/// Epoch `e` covers position `e - 1`; each of its two tasks gives one output, named `10 * e` and `10 * e + 1`.
struct CommitWorld: Hashable {
    static let epochs = 3

    var machine: CommitMachine
    let hasUserOutput: Bool

    // The tasks, of this attempt.
    var emitted: Set<Int> = []
    var sealed: Int
    var queued: [Int: Set<Int>] = [:]

    // The writer and the broker.
    var commands: [Command] = [.initialize]
    /// What the open transaction holds. Sets, not lists: order within a partition is the writer's, not decided here,
    /// and fewer states tell the same story.
    var open: Set<Int>?
    /// Visible to read_committed readers.
    var visible: Set<Int> = []
    /// The committed position: epochs 1...position are done.
    var position = 0
    /// The epoch whose plan is durable, if it is not committed yet.
    var planned: Int?
    /// Epochs whose user output ran; a repeat is allowed (at least once), but never without a durable plan.
    var delivered: Set<Int> = []
    var faultsLeft: Int
    var violation: String?

    enum Command: Hashable {
        case initialize
        case begin(Int)
        case produce(Set<Int>)
        case commit(EpochCommit)
        case deliver(Int)
    }

    init(_ guarantee: Guarantee, hasUserOutput: Bool, faults: Int) {
        machine = CommitMachine(guarantee: guarantee, hasProgress: hasUserOutput)
        self.hasUserOutput = hasUserOutput
        faultsLeft = faults
        sealed = 0
    }

    var isDone: Bool { position == Self.epochs && commands.isEmpty }

    // MARK: - What may happen next

    enum Move: Hashable {
        case emit(Int)
        case seal(Int)
        case answer(Answer)
        /// The process dies, or the driver gives the attempt up.
        case restart
    }
    enum Answer: Hashable { case success, failure, lostAnswer }

    var moves: [Move] {
        var moves: [Move] = []
        if machine.phase != .broken {
            // Depth one: n+1 is computed while n commits, and cut when n is committed.
            for epoch in position + 1..<max(position + 1, min(Self.epochs, position + 2) + 1) {
                for output in [10 * epoch, 10 * epoch + 1] where !emitted.contains(output) {
                    moves.append(.emit(output))
                }
            }
            let next = sealed + 1
            if next <= Self.epochs, next <= position + 1, emitted.isSuperset(of: [10 * next, 10 * next + 1]) {
                moves.append(.seal(next))
            }
        }
        if let command = commands.first {
            moves.append(.answer(.success))
            if faultsLeft > 0 {
                moves.append(.answer(.failure))
                if case .commit = command { moves.append(.answer(.lostAnswer)) }
            }
        }
        if faultsLeft > 0 { moves.append(.restart) }
        return moves
    }

    mutating func apply(_ move: Move) {
        switch move {
        case .emit(let output):
            emitted.insert(output)
            queued[output / 10, default: []].insert(output)
            perform(machine.handle(.output(Epoch(Int64(output / 10)))))
        case .seal(let epoch):
            sealed = epoch
            perform(machine.handle(.sealed(plan(epoch), hasUserOutput: hasUserOutput)))
        case .answer(.success): answer(commands.removeFirst())
        case .answer(.failure):
            faultsLeft -= 1
            restart()
        case .answer(.lostAnswer):
            faultsLeft -= 1
            if case .commit(let commit) = commands.removeFirst() { carryOut(commit) }
            restart()
        case .restart:
            faultsLeft -= 1
            restart()
        }
    }

    private func plan(_ epoch: Int) -> EpochPlan {
        let split = Split("in", 0)
        return EpochPlan(
            kind: .data, epoch: Epoch(Int64(epoch)), attempt: 0,
            ranges: [SplitRange(split, from: Position(Int64(epoch - 1)), to: Position(Int64(epoch)))],
            positions: [split: Position(Int64(epoch))], batchTimeMs: 0, isReplay: planned == epoch)
    }

    // MARK: - The engine's part

    private mutating func perform(_ actions: [CommitMachine.Action]) {
        for action in actions {
            switch action {
            case .begin(let epoch): commands.append(.begin(Int(epoch.number)))
            case .produceQueued(let epoch):
                commands.append(.produce(queued.removeValue(forKey: Int(epoch.number)) ?? []))
            case .commit(let commit): commands.append(.commit(commit))
            case .deliver(let epoch): commands.append(.deliver(Int(epoch.number)))
            case .notifyCommitted(let plan):
                if Int(plan.epoch.number) != position { violation = "told of \(plan.epoch), committed is \(position)" }
            }
        }
    }

    /// The one way back: a new writer aborts what is open, and the work begins behind the committed position.
    private mutating func restart() {
        perform(machine.handle(.broken))
        commands = [.initialize]
        open = nil
        queued.removeAll()
        emitted.removeAll()
        sealed = position
    }

    // MARK: - The writer's and the broker's part

    private mutating func answer(_ command: Command) {
        switch command {
        case .initialize:
            open = nil
            emitted.removeAll()
            queued.removeAll()
            sealed = position
            perform(machine.handle(.initialized))
        case .begin:
            if open != nil { violation = "begin inside a transaction" }
            open = []
        case .produce(let outputs):
            if machine.guarantee == .atLeastOnce {
                visible.formUnion(outputs)
            } else {
                if open == nil { violation = "produce outside a transaction" }
                if let wrong = outputs.first(where: { $0 / 10 != position + 1 }) {
                    violation = "output \(wrong) produced while position \(position) is committed"
                }
                if let twice = open?.intersection(outputs).first { violation = "output \(twice) produced twice" }
                open?.formUnion(outputs)
            }
        case .commit(let commit):
            carryOut(commit)
            perform(machine.handle(.committed(commit.epoch)))
        case .deliver(let epoch):
            if planned != epoch { violation = "user output of \(epoch) ran without a durable plan" }
            delivered.insert(epoch)
            perform(machine.handle(.delivered(Epoch(Int64(epoch)))))
        }
    }

    private mutating func carryOut(_ commit: EpochCommit) {
        let epoch = Int(commit.epoch.number)
        let newPosition = Int(commit.positions.values.first?.number ?? -1)
        if machine.guarantee == .exactlyOnce {
            if let twice = visible.intersection(open ?? []).first { violation = "output \(twice) is visible twice" }
            visible.formUnion(open ?? [])
        }
        if commit.progress?.phase == .planned {
            if !(open ?? []).isEmpty { violation = "a plan was committed with outputs" }
            if newPosition != epoch - 1 { violation = "a plan moved the position" }
            planned = epoch
        } else {
            if newPosition != position + 1 { violation = "position \(position) -> \(newPosition)" }
            if hasUserOutput, !delivered.contains(epoch) {
                violation = "epoch \(epoch) committed before its user output ran"
            }
            position = newPosition
            planned = nil
        }
        open = nil
        checkVisible()
    }

    /// Invariants 1 and 2: exactly the outputs of the committed epochs are visible.
    private mutating func checkVisible() {
        let committed = (0..<position).flatMap { [10 * ($0 + 1), 10 * ($0 + 1) + 1] }
        switch machine.guarantee {
        case .exactlyOnce where visible != Set(committed): violation = "visible \(visible) at position \(position)"
        case .atLeastOnce where !visible.isSuperset(of: committed): violation = "lost: \(visible) at \(position)"
        default: break
        }
    }
}
