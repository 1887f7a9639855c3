import CommitProtocol
import EngineSimulation
import StateStore
import StreamCore
import StreamEngine
import StreamTesting

/// A stateful query over one cluster, with as many instances as a test starts, each with the tasks that it says.
final class StatefulSimulation {
    static let query = QueryName("stateful")

    private struct Instance {
        var membership: SimulatedMembership
        var input: SimulatedInput
        var writer: SimulatedWriter
        var changelog: SimulatedChangelog
        var query: StreamQuery
    }

    let cluster = SimulatedCluster()
    let group = SimulatedGroup()
    let clock = ManualClock()
    let scheduler: SimulatedScheduler
    private var instances: [Instance] = []
    private let seed: UInt64
    private var lives: UInt64 = 0

    init(seed: UInt64) {
        self.seed = seed
        scheduler = SimulatedScheduler(seed: seed, clock: clock)
        for partition in 0..<3 {
            let words = (0..<60).map { ["ant", "bee", "cat", "dog", "eel"][($0 * 7 + partition) % 5] }
            cluster.input[Split("in", PartitionID(Int32(partition)))] = words
        }
    }

    func start(faultRate: UInt64 = 0, slot: Int = 0, tasks: Int) throws {
        lives += 1
        let random = seed &* 1009 &+ lives
        let membership = SimulatedMembership(group)
        let input = SimulatedInput(cluster, seed: random)
        input.isGroupless = true
        input.topic = "in"
        let writer = SimulatedWriter(cluster, seed: random &* 31, faultRate: faultRate)
        writer.identity = "slot-\(slot)"
        writer.isMember = { membership.isOwner }
        let changelog = SimulatedChangelog(cluster, seed: random &* 17)
        var options = QueryOptions(name: Self.query)
        options.defaultStart = .earliest
        options.isOwned = true
        let clock = clock
        let query = try StreamQuery(
            options: options, input: OwnedInput(membership: membership, sources: [input]), writer: writer,
            changelog: changelog,
            stages: [
                Stage(taskCount: 1 + tasks % 2) { _ in SplitProgram(taskCount: tasks) },
                Stage(taskCount: tasks) { task in
                    TotalsProgram(
                        OperatorState(
                            query: Self.query, operatorID: OperatorID("totals"), layout: ShardLayout(), task: task,
                            taskCount: tasks, clock: clock))
                },
            ], userOutputs: InlineUserOutput(), clock: clock)
        scheduler.add(membership)
        scheduler.add(input)
        scheduler.add(writer)
        scheduler.add(changelog)
        scheduler.add(query.machines)
        instances.append(
            Instance(membership: membership, input: input, writer: writer, changelog: changelog, query: query))
    }

    /// SIGKILL: nothing of it ever moves again; the group hears of it at once.
    func kill(_ index: Int) {
        let dead = instances.remove(at: index)
        scheduler.remove(dead.query.machines)
        dead.writer.close(within: .zero)
        dead.changelog.close(within: .zero)
        group.remove(dead.membership)
        dead.input.close(within: .zero)
    }

    /// What the first instance asks its brokers for takes so long.
    func holdWriter(steps: Int) {
        if let first = instances.first { scheduler.hold(first.writer, steps: steps) }
    }

    var snapshots: [QueryStatus.Snapshot] { instances.map(\.query.status.snapshot) }

    var isCaughtUp: Bool {
        cluster.input.allSatisfy { split, values in cluster.positions[split] == Position(Int64(values.count)) }
    }

    /// What is wrong with the counts that were written: each must be the number of its word in all that was committed
    /// up to its epoch; or with the changelogs: restored, they must hold the same.
    func complaint() throws -> String? {
        var positions: [Epoch: [SplitPosition]] = [:]
        for record in cluster.progressHistory { positions[record.epoch] = record.positions }
        for output in cluster.outputs {
            let expected = count(of: output.value.prefix { $0 != "=" }, in: positions[output.epoch] ?? [])
            if !output.value.hasSuffix("=\(expected)") {
                return "epoch \(output.epoch) wrote \(output.value), it has \(expected)"
            }
        }
        let restored = OperatorState(
            query: Self.query, operatorID: OperatorID("totals"), layout: ShardLayout(), task: 0, taskCount: 1,
            clock: clock)
        let table: StateTable<String, Int> = restored.table(id: 1)
        for (split, changes) in cluster.changelogs {
            let block = RecordBlock(topics: [split.topic])
            for (offset, change) in changes.enumerated() {
                guard let change else { continue }
                block.slots.append(
                    RecordSlot(
                        key: block.arena.append(contentsOf: change.key),
                        value: change.value.map { block.arena.append(contentsOf: $0) } ?? .null,
                        offset: Int64(offset), partition: split.partition.number))
            }
            try restored.apply(block)
        }
        let last = cluster.progress?.positions ?? []
        for word in ["ant", "bee", "cat", "dog", "eel"] {
            let (stored, expected) = (try table.value(for: word) ?? 0, count(of: word, in: last))
            if stored != expected { return "the changelog has \(stored) of \(word), expected \(expected)" }
        }
        return nil
    }

    private func count(of word: some StringProtocol, in positions: [SplitPosition]) -> Int {
        positions.reduce(0) { sum, entry in
            let read = cluster.input[entry.split]?.prefix(Int(entry.position.number)) ?? []
            return sum + read.count { $0 == String(word) }
        }
    }
}
