import CommitProtocol
package import StreamCore
import StreamTesting

/// What kind of query runs.
package enum Scenario: String, CaseIterable, Sendable {
    /// Instances share the splits, and keep nothing.
    case stateless
    /// One owner, counts by key.
    case keyed
    /// One owner, fixed batches, panes.
    case windowed
    /// As `keyed`; user output code writes the counts to a table outside Kafka.
    case delivered
}

/// Everything that a run depends on: the same schedule gives the same run.
package struct Schedule: Hashable, Sendable {
    package var seed: UInt64
    package var scenario: Scenario
    package var cluster: ClusterKind
    package var splits: Int
    /// Of each split, in all.
    package var records: Int
    /// So many more come to each split every so many steps.
    package var arrivalRecords: Int
    package var arrivalSteps: Int
    package var instances: Int
    package var hasDisk = false
    /// What goes wrong by itself on the way to a broker.
    package var network = NetworkConditions()
    package var faults: [ScheduledFault] = []

    package init(seed: UInt64, scenario: Scenario, cluster: ClusterKind = .model) {
        var random = StableRandom(seed: seed &* 0x9E37_79B9 &+ 17)
        self.seed = seed
        self.scenario = scenario
        self.cluster = cluster
        splits = 1 + random.below(4)
        records = 20 + random.below(100)
        arrivalRecords = 1 + random.below(5)
        arrivalSteps = 4 + random.below(60)
        instances = 1 + random.below(2)
        hasDisk = scenario != .stateless && random.below(16) == 0
        var step = 0
        // Some queries get through more epochs between two faults than others.
        let gap = 60 + random.below(random.below(3) == 0 ? 1_000 : 300)
        for _ in 0..<random.below(16) {
            step += random.below(gap)
            faults.append(ScheduledFault(step: step, fault: randomFault(&random)))
            // What makes races of it: something is slow at the same time, or the same thing once more.
            while random.below(3) == 0 {
                step += random.below(12)
                faults.append(ScheduledFault(step: step, fault: randomFault(&random)))
            }
        }
        if cluster == .broker { adaptToBroker(&random) }
    }

    /// Requests on their way make some three times the steps of the model's answers.
    private mutating func adaptToBroker(_ random: inout StableRandom) {
        network = NetworkConditions(&random)
        arrivalSteps *= 3
        for index in faults.indices { faults[index].step *= 3 }
    }

    private func randomFault(_ random: inout StableRandom) -> Fault {
        let slot = random.below(instances)
        switch random.below(100) {
        case ..<14:
            return .crash(
                slot: slot, down: random.below(80), losesDisk: random.below(2) == 0,
                requestArrives: random.below(2) == 0)
        case ..<17: return .stop(slot: slot, down: random.below(80))
        case ..<18: return .stopWhileBusy(slot: slot, down: random.below(80))
        case ..<22: return .zombie(slot: slot, sleep: 10 + random.below(300), awake: 10 + random.below(200))
        case ..<27: return .stall(slot: slot, steps: 10 + random.below(300))
        case ..<41:
            let part = Fault.Part.allCases[random.below(Fault.Part.allCases.count)]
            return .slow(slot: slot, part: part, steps: 5 + random.below(250))
        case ..<44: return .wake(slot: slot)
        case ..<48: return .jump(milliseconds: [30, 1_100, 5_500, 11_000][random.below(4)])
        case ..<57: return .expel(slot: slot)
        case ..<67: return .rebalance(slot: slot)
        case ..<88: return .transaction(slot: slot, randomWriterFault(&random))
        case ..<90: return .expire(slot: slot)
        case ..<91: return scenario == .delivered ? .failOutput : .expire(slot: slot)
        case ..<94: return .brokersDown(steps: 10 + random.below(200))
        default: return .arrive(records: 1 + random.below(12))
        }
    }

    private func randomWriterFault(_ random: inout StableRandom) -> SimulatedWriter.Fault {
        switch random.below(10) {
        case 0: .refused(.unavailable)
        case 1: .refused(.abortable)
        case 2: .refused(.expired)
        case 3: .refused(.fatal)
        case 4: .refused(.fenced)
        case 5, 6: .lostRequest
        case 7: .lateRequest
        default: .lostAnswer
        }
    }

    // MARK: - Input

    private static let words = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"]

    /// nil: a transaction marker.
    package func value(_ split: Int, _ number: Int) -> String? {
        if number % 7 == 5 { return nil }
        if scenario == .stateless { return number % 11 == 3 ? "drop-\(split)-\(number)" : "p\(split)-\(number)" }
        return Self.words[(number &* 5 &+ split &* 3 &+ number / 4) % Self.words.count]
    }
}

extension StableRandom {
    /// From 0 to one less.
    package mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(1, count))) }
}
