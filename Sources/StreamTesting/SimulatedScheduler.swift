public import StreamCore
public import StreamEngine

/// Something outside the query that moves by itself: a broker, a network, a fault.
public protocol WorldActor: AnyObject {
    var name: String { get }
    /// Whether `act` would do something now.
    var hasWork: Bool { get }
    /// When there will be work again without anybody's doing.
    var deadline: MonotonicTime { get }
    func act()
}

extension WorldActor {
    /// Never.
    public var deadline: MonotonicTime { .distantFuture }
}

/// Runs step machines and the world around them in one thread, in an order that a seed decides: same seed, same trace.
public final class SimulatedScheduler {
    public let clock: ManualClock
    public private(set) var stepCount = 0
    /// The names of what ran, in order, when `keepsTrace` is set.
    public private(set) var trace: [String] = []
    public var keepsTrace = false
    /// Of everything that ran, in order.
    public private(set) var traceHash: UInt64 = 0xcbf2_9ce4_8422_2325
    /// What is held does not run before this step: a process that sleeps, a machine that is slow.
    private var holds: [ObjectIdentifier: Int] = [:]
    private var random: StableRandom
    private var machines: [any StepMachine] = []
    private var deadlines: [MonotonicTime] = []
    private var actors: [any WorldActor] = []

    public init(seed: UInt64, clock: ManualClock) {
        random = StableRandom(seed: seed)
        self.clock = clock
    }

    /// Adds machines; each gets its first step without waiting for a signal.
    public func add(_ machines: [any StepMachine]) {
        self.machines += machines
        deadlines += machines.map { _ in MonotonicTime.zero }
    }

    /// Adds a part of the world around the machines.
    public func add(_ actor: any WorldActor) { actors.append(actor) }

    /// Takes a part of the world away.
    public func remove(_ actor: any WorldActor) {
        actors.removeAll { $0 === actor }
        release(actor)
    }

    /// Keeps a machine or a part of the world from running for so many steps.
    public func hold(_ object: AnyObject, steps: Int) { holds[ObjectIdentifier(object)] = stepCount + steps }

    /// Has a machine run once more, though nothing is there for it.
    public func wake(_ machine: any StepMachine) { machine.signal.raise() }

    private func isHeld(_ object: AnyObject) -> Bool {
        guard !holds.isEmpty, let end = holds[ObjectIdentifier(object)] else { return false }
        if end > stepCount { return true }
        holds[ObjectIdentifier(object)] = nil
        return false
    }

    /// Adds to the hash of the run.
    public func mix(_ value: UInt64) { traceHash = (traceHash ^ value) &* 0x100_0000_01b3 }

    /// One of several processes dies: these machines never step again.
    public func remove(_ dead: [any StepMachine]) {
        for index in machines.indices.reversed() where dead.contains(where: { $0 === machines[index] }) {
            release(machines.remove(at: index))
            deadlines.remove(at: index)
        }
    }

    /// Its successor may come to lie at the same address.
    private func release(_ object: AnyObject) { holds[ObjectIdentifier(object)] = nil }

    /// The process dies: its machines never step again.
    public func removeMachines() {
        machines.removeAll()
        deadlines.removeAll()
        holds.removeAll()
    }

    /// Why a run ended.
    public enum Outcome: Sendable { case finished, conditionMet, outOfSteps, stuck }

    /// Runs until all machines are finished, the condition holds, or the steps are used up.
    public func run(steps: Int, until condition: () -> Bool = { false }) -> Outcome {
        for _ in 0..<steps {
            if machines.isEmpty { return .finished }
            if condition() { return .conditionMet }
            if !runOne() { return .stuck }
        }
        return condition() ? .conditionMet : .outOfSteps
    }

    /// - Returns: false when nothing can ever happen again.
    public func runOne() -> Bool {
        stepCount += 1
        let now = clock.now
        let ready = machines.indices.filter {
            (machines[$0].signal.isUp || deadlines[$0] <= now) && !isHeld(machines[$0])
        }
        let active = actors.filter { $0.hasWork && !isHeld($0) }
        let choices = ready.count + active.count
        guard choices > 0 else {
            holds = holds.filter { $0.value > stepCount }
            if !holds.isEmpty { return true }
            let next = min(deadlines.min() ?? .distantFuture, actors.map(\.deadline).min() ?? .distantFuture)
            guard next < .distantFuture else { return false }
            clock.advance(to: next)
            return true
        }
        let choice = Int(random.next() % UInt64(choices))
        mix(UInt64(choices << 8 | choice))
        // A little time passes with everything that happens.
        clock.advance(by: .microseconds(Int64(random.next() % 500)))
        if choice < ready.count {
            step(ready[choice])
        } else {
            let actor = active[choice - ready.count]
            note(actor.name)
            actor.act()
        }
        return true
    }

    private func step(_ index: Int) {
        let machine = machines[index]
        note(machine.name)
        machine.signal.consume()
        switch machine.step(now: clock.now) {
        case .ran: deadlines[index] = .zero
        case .waiting(let until): deadlines[index] = until
        case .finished:
            release(machines.remove(at: index))
            deadlines.remove(at: index)
        }
    }

    private func note(_ name: String) {
        if keepsTrace { trace.append(name) }
    }
}
