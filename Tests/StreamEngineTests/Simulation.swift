import CommitProtocol
import EngineSimulation
import StreamCore
import StreamEngine
import StreamTesting

/// One cluster, and processes on it that live and die.
final class Simulation {
    let cluster = SimulatedCluster()
    let clock = ManualClock()
    let scheduler: SimulatedScheduler
    var input: SimulatedInput
    var writer: SimulatedWriter
    var query: StreamQuery?
    /// What the writer of each life is like.
    var prepare: (SimulatedWriter) -> Void = { _ in }
    let progress = ProgressJournal()
    private let seed: UInt64
    private var lives: UInt64 = 0

    init(seed: UInt64) {
        self.seed = seed
        scheduler = SimulatedScheduler(seed: seed, clock: clock)
        input = SimulatedInput(cluster, seed: seed)
        writer = SimulatedWriter(cluster, seed: seed)
    }

    func fill(splits: Int, records: Int) {
        for split in 0..<splits {
            cluster.input[Split("in", PartitionID(Int32(split)))] = (0..<records).map { number in
                number % 7 == 5 ? nil : number % 11 == 3 ? "drop-\(split)-\(number)" : "p\(split)-\(number)"
            }
        }
    }

    /// What exactly once means here: each kept record's upper-cased value, by split, in order.
    var expected: [[String]] {
        cluster.input.keys.sorted().map { split in
            (cluster.input[split] ?? []).compactMap { $0 }.filter { !$0.hasPrefix("drop") && !$0.hasPrefix("bad") }
                .map { $0.uppercased() }
        }
    }

    var actual: [[String]] {
        let values = cluster.outputs.filter { $0.topic == "out" }.map(\.value)
        return cluster.input.keys.sorted().map { split in
            values.filter { $0.hasPrefix("P\(split.partition)-") }
        }
    }

    func startProcess(
        faultRate: UInt64 = 0, policy: ErrorPolicy = .deadLetter("dlq"),
        _ configure: (inout QueryOptions) -> Void = { _ in }
    ) throws {
        lives += 1
        scheduler.removeMachines()
        input = SimulatedInput(cluster, seed: seed &+ lives)
        writer = SimulatedWriter(cluster, seed: seed &+ lives &* 31, faultRate: faultRate)
        prepare(writer)
        scheduler.add(input)
        scheduler.add(writer)
        var options = QueryOptions(name: QueryName("simulated"))
        options.defaultStart = .earliest
        configure(&options)
        let query = try StreamQuery(
            options: options, input: input, writer: writer,
            stages: [Stage(taskCount: options.taskCount ?? 1) { _ in UppercaseProgram(policy: policy) }],
            userOutputs: InlineUserOutput(), clock: clock, onProgress: progress.add)
        self.query = query
        scheduler.add(query.machines)
    }

    /// More records for a split, behind those that are there.
    func append(_ count: Int, to split: Split) {
        let start = cluster.input[split]?.count ?? 0
        cluster.input[split, default: []] += (start..<start + count).map { "p\(split.partition)-\($0)" }
    }

    /// Whether every input position is committed.
    var isCaughtUp: Bool {
        cluster.input.allSatisfy { split, values in cluster.positions[split] == Position(Int64(values.count)) }
    }
}
