import CommitProtocol
import FoundationEssentials
import StateStore
import StreamCore
import StreamEngine
import StreamTesting

/// Processes start, and end in every way.
extension World {
    func start(_ slot: Int) {
        do { try makeInstance(slot) } catch {
            violate(Violation(invariant: 4, text: "slot \(slot) does not start: \(error)"))
        }
    }

    /// A plan that cannot keep the guarantee is refused: here, one without the owner that it needs.
    func checkRefusal() {
        guard schedule.scenario != .stateless else { return }
        var options = options
        options.isOwned = false
        let nowhere = SimulatedCluster()
        do {
            _ = try StreamQuery(
                options: options, input: SimulatedInput(nowhere, seed: 1), writer: SimulatedWriter(nowhere, seed: 1),
                changelog: SimulatedChangelog(nowhere, seed: 1), stages: stages(1, nil), clock: clock)
            violate(Violation(invariant: 8, text: "a query that needs an owner runs without"))
        } catch {
            guard (error as? StreamError)?.code != "PLAN_NEEDS_OWNER" else { return }
            violate(Violation(invariant: 8, text: "refused for another reason: \(error)"))
        }
    }

    private func makeInstance(_ slot: Int) throws {
        lives += 1
        statistics.lives += 1
        let number = lives
        let ports = cluster.connect(
            ClusterProcess(slot: slot, number: number, seed: schedule.seed &* 1009 &+ UInt64(number)))
        let store = try diskFolder.map { try LocalStore(folder: "\($0)/slot-\(slot)", memoryBytes: 8 << 20) }
        let told = told
        let query = try StreamQuery(
            options: options, input: ports.input, writer: ports.writer, changelog: ports.changelog,
            stages: stages(Int((schedule.seed &+ UInt64(number)) % 3) + 1, store), userOutputs: InlineUserOutput(),
            clock: clock, onProgress: { told.add($0) })
        let instance = Instance(slot: slot, number: number, ports: ports, query: query, store: store)
        for actor in ports.actors { scheduler.add(actor) }
        scheduler.add(query.machines)
        instances[slot] = instance
        note("slot \(slot) starts, process \(number)")
    }

    private var options: QueryOptions {
        var options = QueryOptions(name: Self.query)
        options.breakages = breakages
        options.defaultStart = .earliest
        // So that there are many epochs.
        options.latencyTarget = .milliseconds(4)
        options.isOwned = schedule.scenario != .stateless
        if schedule.scenario == .windowed {
            options.trigger = .interval(.milliseconds(Oracle.intervalMs))
            options.runsEmptyEpochs = true
            options.runsEveryInterval = true
        }
        return options
    }

    private func stages(_ tasks: Int, _ store: LocalStore?) -> [Stage] {
        let (clock, breakages, scenario, outside) = (clock, breakages, schedule.scenario, outside)
        guard scenario != .stateless else {
            return [Stage(taskCount: tasks) { _ in UppercaseProgram(policy: .fail) }]
        }
        return [
            Stage(taskCount: 1 + lives % 2) { _ in SplitProgram(taskCount: tasks) },
            Stage(taskCount: tasks) { task in
                let operators = OperatorState(
                    query: Self.query, operatorID: Self.operatorID, layout: ShardLayout(), task: task,
                    taskCount: tasks, local: store, clock: clock)
                operators.breakages = breakages
                return switch scenario {
                case .windowed: WindowProgram(operators, windowMs: Oracle.windowMs)
                case .delivered: TotalsProgram(operators, outside: outside)
                default: TotalsProgram(operators)
                }
            },
        ]
    }

    /// Nothing of it ever moves again.
    func remove(_ instance: Instance, requestArrives: Bool) {
        for (fault, count) in instance.ports.faultCounts { statistics.count(fault, count) }
        for (kind, count) in instance.ports.failures { statistics.failures[kind.rawValue, default: 0] += count }
        scheduler.remove(instance.query.machines)
        for actor in instance.ports.actors { scheduler.remove(actor) }
        cluster.disconnect(instance.ports, requestArrives: requestArrives)
        instance.store?.close()
    }

    // MARK: - Faults

    func apply(_ fault: Fault) {
        if apply(toCluster: fault) {
            note("\(fault)")
            return statistics.count(fault, hasDisk: false)
        }
        guard let slot = fault.slot, let instance = instances[slot] else { return }
        note("\(fault)")
        statistics.count(fault, hasDisk: diskFolder != nil)
        let step = scheduler.stepCount
        switch fault {
        case .crash(_, let down, let losesDisk, let requestArrives):
            remove(instance, requestArrives: requestArrives)
            instances[slot] = nil
            if losesDisk, let diskFolder { try? FileManager.default.removeItem(atPath: "\(diskFolder)/slot-\(slot)") }
            pending.append((step + down, .start(slot: slot)))
        case .stop(_, let down):
            instance.restartAfter = down
            instance.query.control.stop(within: Self.stopWithin)
        case .stopWhileBusy(_, let down):
            for task in instance.query.machines.dropFirst().dropLast() {
                scheduler.hold(task, steps: 2 * Self.stepsToEnd)
            }
            instance.restartAfter = down
            instance.query.control.stop(within: Self.stopWithin)
            pending.append((step + 10, .deadline(number: instance.number)))
        case .zombie(_, let sleep, let awake):
            // Two processes cannot use one folder.
            guard diskFolder == nil else { return }
            hold(instance, sleep)
            cluster.suspend(instance.ports)
            zombies.append(instance)
            instances[slot] = nil
            start(slot)
            pending.append((step + sleep + awake, .endZombie(number: instance.number)))
        case .stall(_, let steps): hold(instance, steps)
        case .slow(_, let part, let steps): slow(instance, part, steps)
        case .wake: for machine in instance.query.machines { scheduler.wake(machine) }
        case .expel, .rebalance, .transaction, .expire: cluster.apply(fault, to: instance.ports)
        case .jump, .brokersDown, .failOutput, .arrive: break
        }
    }

    private func apply(toCluster fault: Fault) -> Bool {
        switch fault {
        case .jump(let milliseconds): clock.advance(by: .milliseconds(Int64(milliseconds)))
        case .brokersDown(let steps):
            cluster.stopBrokers()
            areBrokersDown = true
            pending.append((scheduler.stepCount + steps, .brokersUp))
        case .failOutput: outside.armFailure()
        case .arrive(let records): arrive(records)
        default: return false
        }
        return true
    }

    private func hold(_ instance: Instance, _ steps: Int) {
        impede(instance, steps)
        for machine in instance.query.machines { scheduler.hold(machine, steps: steps) }
        for actor in instance.ports.actors { scheduler.hold(actor, steps: steps) }
    }

    private func impede(_ instance: Instance, _ steps: Int) {
        instance.impededUntil = max(instance.impededUntil, scheduler.stepCount + steps)
    }

    private func slow(_ instance: Instance, _ part: Fault.Part, _ steps: Int) {
        let machines = instance.query.machines
        impede(instance, steps)
        switch part {
        case .driver: scheduler.hold(machines[0], steps: steps)
        case .task: scheduler.hold(machines[1 + steps % max(1, machines.count - 2)], steps: steps)
        case .committer: scheduler.hold(machines[machines.count - 1], steps: steps)
        case .writer, .input, .changelog:
            if let actor = instance.ports.parts[part] { scheduler.hold(actor, steps: steps) }
        }
    }
}

extension Fault {
    var slot: Int? {
        switch self {
        case .crash(let slot, _, _, _), .stop(let slot, _), .stopWhileBusy(let slot, _), .zombie(let slot, _, _),
            .stall(let slot, _),
            .slow(let slot, _, _), .wake(let slot), .expel(let slot), .rebalance(let slot),
            .transaction(let slot, _), .expire(let slot):
            slot
        case .jump, .brokersDown, .failOutput, .arrive: nil
        }
    }
}
