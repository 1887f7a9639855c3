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
        do {
            _ = try StreamQuery(
                options: options, input: SimulatedInput(cluster, seed: 1), writer: SimulatedWriter(cluster, seed: 1),
                changelog: SimulatedChangelog(cluster, seed: 1), stages: stages(1, nil), clock: clock)
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
        let random = schedule.seed &* 1009 &+ UInt64(number)
        let input = SimulatedInput(cluster, seed: random)
        let writer = SimulatedWriter(cluster, seed: random &* 31)
        writer.identity = "slot-\(slot)"
        writer.coordinator = coordinator
        var port: any InputPort = input
        var membership: SimulatedMembership?
        var changelog: SimulatedChangelog?
        if schedule.scenario == .stateless {
            group.join(number, input)
            writer.isMember = { [unowned group] in group.isMember(number) }
        } else {
            let member = SimulatedMembership(ownerGroup)
            membership = member
            input.isGroupless = true
            input.topic = "in"
            writer.isMember = { [unowned member] in member.isOwner }
            port = OwnedInput(membership: member, sources: [input])
            changelog = SimulatedChangelog(cluster, seed: random &* 17)
        }
        let store = try diskFolder.map { try LocalStore(folder: "\($0)/slot-\(slot)", memoryBytes: 8 << 20) }
        let told = told
        let query = try StreamQuery(
            options: options, input: port, writer: writer, changelog: changelog,
            stages: stages(Int((schedule.seed &+ UInt64(number)) % 3) + 1, store), userOutputs: InlineUserOutput(),
            clock: clock, onProgress: { told.add($0) })
        let instance = Instance(
            slot: slot, number: number, input: input, membership: membership, writer: writer, changelog: changelog,
            query: query, store: store)
        for actor in instance.actors { scheduler.add(actor) }
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
        for (fault, count) in instance.writer.faultCounts { statistics.count(fault, count) }
        for (kind, count) in instance.writer.failures { statistics.failures[kind.rawValue, default: 0] += count }
        instance.writer.die(requestArrives: requestArrives)
        scheduler.remove(instance.query.machines)
        for actor in instance.actors { scheduler.remove(actor) }
        instance.changelog?.close(within: .zero)
        instance.input.close(within: .zero)
        if let membership = instance.membership { ownerGroup.remove(membership) }
        group.remove(instance.number)
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
            group.remove(instance.number)
            if let membership = instance.membership { ownerGroup.remove(membership) }
            zombies.append(instance)
            instances[slot] = nil
            start(slot)
            pending.append((step + sleep + awake, .endZombie(number: instance.number)))
        case .stall(_, let steps): hold(instance, steps)
        case .slow(_, let part, let steps): slow(instance, part, steps)
        case .wake: for machine in instance.query.machines { scheduler.wake(machine) }
        case .expel: if instance.membership == nil { group.expel(instance.number) } else { ownerGroup.expelOwner() }
        case .rebalance:
            if instance.membership == nil { group.revoke(instance.number) } else { ownerGroup.wantBack() }
        case .transaction(_, let fault): instance.writer.arm(fault)
        case .expire: coordinator.expire(instance.writer.identity)
        case .jump, .brokersDown, .failOutput, .arrive: break
        }
    }

    private func apply(toCluster fault: Fault) -> Bool {
        switch fault {
        case .jump(let milliseconds): clock.advance(by: .milliseconds(Int64(milliseconds)))
        case .brokersDown(let steps):
            coordinator.isDown = true
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
        for actor in instance.actors { scheduler.hold(actor, steps: steps) }
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
        case .writer: scheduler.hold(instance.writer, steps: steps)
        case .input: scheduler.hold(instance.membership ?? instance.input, steps: steps)
        case .changelog: if let changelog = instance.changelog { scheduler.hold(changelog, steps: steps) }
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
