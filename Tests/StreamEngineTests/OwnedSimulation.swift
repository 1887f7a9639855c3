import CommitProtocol
import StreamCore
import StreamEngine
import StreamTesting
import Synchronization

/// What user output code did, over all lives of a query: as the world outside sees it.
final class OutputJournal: Sendable {
    struct Run: Hashable, Sendable {
        var epoch: Epoch
        var instance: Int
        var attempt: Attempt
    }
    struct Content: Hashable, Sendable {
        var batchTimeMs: Int64
        var values: [String]
    }
    private let runs = Mutex<[Run: Content]>([:])

    func add(_ run: Run, _ batchTimeMs: Int64, _ values: [String]) {
        runs.withLock { $0[run, default: Content(batchTimeMs: batchTimeMs, values: [])].values += values }
    }

    /// The different contents that each epoch had; values sorted, because tasks are not in step.
    var contents: [Epoch: Set<Content>] {
        runs.withLock { runs in
            runs.reduce(into: [:]) { result, entry in
                var content = entry.value
                content.values.sort()
                result[entry.key.epoch, default: []].insert(content)
            }
        }
    }

    var runCount: Int { runs.withLock { $0.count } }
}

/// Upper-cases into Kafka, and notes each value in the journal by user output code.
final class JournalProgram: TaskProgram {
    let journal: OutputJournal
    let instance: Int

    init(_ journal: OutputJournal, instance: Int) {
        self.journal = journal
        self.instance = instance
    }

    func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .records(let block, _) = input else { return }
        let result = RecordBlock(topics: ["out"])
        let values = (0..<block.count).map { String(decoding: block.value($0) ?? [], as: UTF8.self) }
        for value in values { result.slots.append(RecordSlot(value: result.arena.append(value.uppercased()))) }
        output.counts.read += block.count
        output.counts.emittedFrom += block.count
        output.blocks.append(result)
        let (journal, instance) = (journal, instance)
        output.userOutputs.append(
            UserOutput(bytes: block.byteSize) { plan in
                journal.add(
                    OutputJournal.Run(epoch: plan.epoch, instance: instance, attempt: plan.attempt), plan.batchTimeMs,
                    values)
            })
    }
}

/// An owned query over one cluster, with as many instances as a test starts.
final class OwnedSimulation {
    struct Instance {
        var number: Int
        var membership: SimulatedMembership
        var inputs: [SimulatedInput]
        var writer: SimulatedWriter
        var query: StreamQuery
    }

    let cluster = SimulatedCluster()
    let group = SimulatedGroup()
    let clock = ManualClock()
    let scheduler: SimulatedScheduler
    let journal = OutputJournal()
    private(set) var instances: [Instance] = []
    private let seed: UInt64
    private var lives = 0

    init(seed: UInt64) {
        self.seed = seed
        scheduler = SimulatedScheduler(seed: seed, clock: clock)
    }

    /// Two topics, so that there are two sources.
    func fill(splits: Int, records: Int) {
        for topic: TopicName in ["a", "b"] {
            for split in 0..<splits {
                cluster.input[Split(topic, PartitionID(Int32(split)))] = (0..<records).map { "\(topic)\(split)-\($0)" }
            }
        }
    }

    func start(faultRate: UInt64 = 0, slot: Int = 0, _ configure: (inout QueryOptions) -> Void = { _ in }) throws {
        lives += 1
        let number = lives
        let random = seed &* 1009 &+ UInt64(number)
        let membership = SimulatedMembership(group)
        let inputs = ["a", "b"].enumerated().map { index, topic in
            let input = SimulatedInput(cluster, seed: random &+ UInt64(index))
            input.isGroupless = true
            input.topic = TopicName(topic)
            return input
        }
        let writer = SimulatedWriter(cluster, seed: random &* 31, faultRate: faultRate)
        writer.identity = "slot-\(slot)"
        writer.isMember = { membership.isOwner }
        var options = QueryOptions(name: QueryName("owned"))
        options.defaultStart = .earliest
        options.isOwned = true
        configure(&options)
        let journal = journal
        let query = try StreamQuery(
            options: options, input: OwnedInput(membership: membership, sources: inputs), writer: writer,
            stages: [
                Stage(taskCount: options.taskCount ?? 1) { _ in JournalProgram(journal, instance: number) }
            ],
            userOutputs: InlineUserOutput(), clock: clock)
        scheduler.add(membership)
        for input in inputs { scheduler.add(input) }
        scheduler.add(writer)
        scheduler.add(query.machines)
        instances.append(
            Instance(number: number, membership: membership, inputs: inputs, writer: writer, query: query))
    }

    /// SIGKILL: nothing of it ever moves again; the group hears of it at once.
    func kill(_ index: Int) {
        let dead = instances.remove(at: index)
        scheduler.remove(dead.query.machines)
        dead.writer.close(within: .zero)
        group.remove(dead.membership)
        for input in dead.inputs { input.close(within: .zero) }
    }

    var isCaughtUp: Bool {
        cluster.input.allSatisfy { split, values in cluster.positions[split] == Position(Int64(values.count)) }
            && cluster.progress?.phase == .committed
    }

    private var expected: [String] { cluster.input.values.flatMap { $0 }.compactMap { $0 }.sorted() }
    /// A value, so that a failure does not print every record.
    var isWrittenOnce: Bool { written == expected }
    private var written: [String] { cluster.outputs.map { $0.value.lowercased() }.sorted() }

    /// What is wrong with the user outputs: a repeat that differs, a record in two epochs or in none.
    var complaint: String? {
        let contents = journal.contents
        if let differing = contents.filter({ $0.value.count > 1 }).min(by: { $0.key < $1.key }) {
            return "epoch \(differing.key) ran with different data: \(differing.value)"
        }
        let values = contents.values.flatMap { $0.first?.values ?? [] }.sorted()
        if values != expected { return "user outputs hold \(values.count) records, expected \(expected.count)" }
        let committed = cluster.progressHistory.filter { $0.phase == .committed && !$0.ranges.isEmpty }.map(\.epoch)
        if committed != Array(Set(committed)).sorted() {
            return "epochs are committed out of order or twice: \(committed)"
        }
        return nil
    }
}
