import CommitProtocol
import StreamCore
import StreamEngine
import StreamTesting
import Testing

/// Splits lines into words and sends each to the task that its hash names.
private final class WordProgram: TaskProgram {
    let taskCount: Int
    init(taskCount: Int) { self.taskCount = taskCount }

    func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .records(let block, _) = input else { return }
        var words = [[String]](repeating: [], count: taskCount)
        for index in 0..<block.count {
            let word = String(decoding: block.value(index) ?? [], as: UTF8.self)
            words[word.utf8.reduce(0) { $0 + Int($1) } % taskCount].append(word)
        }
        output.counts.read += block.count
        output.counts.emittedFrom += block.count
        for (task, part) in words.enumerated() where !part.isEmpty { output.exchanges.append((task, part)) }
    }
}

/// Counts within an epoch; also counts over all epochs, as state that is taken back with an attempt.
private final class CountProgram: TaskProgram {
    private var counts: [String: Int] = [:]

    func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .exchange(let batch, _) = input, let words = batch as? [String] else { return }
        for word in words { counts[word, default: 0] += 1 }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        let block = RecordBlock(topics: ["counts"])
        for (word, count) in counts.sorted(by: { $0.key < $1.key }) {
            block.slots.append(RecordSlot(value: block.arena.append("\(word)=\(count)")))
        }
        output.blocks.append(block)
        counts.removeAll()
    }

    func reset() { counts.removeAll() }
}

/// Two stages with an exchange between them.
@Suite struct ExchangeSimulationTests {
    @Test(arguments: 1...40) func countsOfAllEpochsAddUp(seed: UInt64) throws {
        let cluster = SimulatedCluster()
        var expected: [String: Int] = [:]
        for partition in 0..<3 {
            let words = (0..<60).map { ["ant", "bee", "cat", "dog", "eel"][($0 * 7 + partition) % 5] }
            for word in words { expected[word, default: 0] += 1 }
            cluster.input[Split("in", PartitionID(Int32(partition)))] = words
        }
        let clock = ManualClock()
        let scheduler = SimulatedScheduler(seed: seed, clock: clock)
        var random = StableRandom(seed: seed)
        func isCaughtUp() -> Bool { cluster.input.keys.allSatisfy { cluster.positions[$0] == 60 } }
        func start(_ faultRate: UInt64) throws {
            scheduler.removeMachines()
            let input = SimulatedInput(cluster, seed: random.next())
            let writer = SimulatedWriter(cluster, seed: random.next(), faultRate: faultRate)
            scheduler.add(input)
            scheduler.add(writer)
            var options = QueryOptions(name: QueryName("words"))
            options.defaultStart = .earliest
            options.isOwned = true
            let (first, second) = (1 + Int(seed % 3), 1 + Int(seed / 3 % 3))
            let query = try StreamQuery(
                options: options, input: input, writer: writer,
                stages: [
                    Stage(taskCount: first) { _ in WordProgram(taskCount: second) },
                    Stage(taskCount: second) { _ in CountProgram() },
                ], userOutputs: InlineUserOutput(), clock: clock)
            scheduler.add(query.machines)
        }
        for _ in 0..<6 where !isCaughtUp() {
            try start(25)
            _ = scheduler.run(steps: 50 + Int(random.next() % 400), until: isCaughtUp)
        }
        try start(0)
        #expect(scheduler.run(steps: 200_000, until: isCaughtUp) == .conditionMet, "seed \(seed)")
        var actual: [String: Int] = [:]
        for output in cluster.outputs {
            let parts = output.value.split(separator: "=")
            actual[String(parts[0]), default: 0] += Int(parts[1]) ?? 0
        }
        #expect(actual == expected, "seed \(seed)")
    }
}
