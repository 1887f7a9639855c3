import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Synchronization
import Testing

/// Nothing is opened: a test makes its query itself.
struct NoPorts: QueryPortSource {
    func open(_ needs: QueryNeeds, log: any LogHandler, until stop: StopRequest) throws -> QueryPorts? {
        throw StreamError("NO_PORTS", "This test runs its query by hand.")
    }
}

/// A context's query, run step by step in the test's own thread on scripted ports.
final class TestRun {
    let kafka: ScriptedKafka
    let clock: ManualClock
    let context: StreamingContext
    let progress = Seen<EpochProgress>()
    private(set) var query: StreamQuery?
    /// Called after each step of a machine that did something.
    var onStep: () -> Void = {}
    private var finished: Set<String> = []
    static let interval = Duration.seconds(1)

    init(tasks: Int = 1, errors: ErrorPolicy = .fail, topics: [TopicName] = ["in"], partitions: Int32 = 3) {
        clock = ManualClock()
        var options = StreamingOptions()
        options.taskCount = tasks
        options.errors = errors
        options.start = .earliest
        context = StreamingContext(
            query: "test", batchInterval: Self.interval, ports: NoPorts(), options: options, clock: clock)
        kafka = ScriptedKafka()
        for topic in topics { kafka.makeTopic(topic, partitions: partitions) }
    }

    /// Another start of the query on what an earlier one left behind, later or with other tasks.
    init(after earlier: TestRun, tasks: Int) {
        var options = StreamingOptions()
        options.taskCount = tasks
        options.start = .earliest
        clock = earlier.clock
        context = StreamingContext(
            query: "test", batchInterval: Self.interval, ports: NoPorts(), options: options, clock: clock)
        kafka = earlier.kafka
    }

    /// Another start of the query on what an earlier one left behind.
    init(kafka: ScriptedKafka, tasks: Int = 1, _ adjust: (inout StreamingOptions) -> Void = { _ in }) {
        clock = ManualClock()
        var options = StreamingOptions()
        options.taskCount = tasks
        options.runsSourcesInline = true
        adjust(&options)
        context = StreamingContext(
            query: "test", batchInterval: Self.interval, ports: NoPorts(), options: options, clock: clock)
        self.kafka = kafka
    }

    var lines: DStream<KafkaRecord> { context.kafkaStream(topics: ["in"]) }

    /// Starts on scripted ports; the first epoch has not begun.
    func start(recordsPerBlock: Int = 3) throws {
        let plan = try context.makePlan()
        let scripted = ScriptedInput(kafka, recordsPerBlock: recordsPerBlock)
        let inputs = plan.needs.inputs.map { $0.open() }
        let ports = QueryPorts(
            input: inputs.isEmpty ? scripted : OwnedInput(membership: nil, sources: inputs + [scripted]),
            writer: ScriptedWriter(kafka), changelog: ScriptedChangelog(kafka))
        context.onBatchCompleted { [progress] in progress.append($0) }
        query = try context.makeQuery(plan, ports, userOutputs: InlineUserOutput())
    }

    /// Steps every machine until all wait.
    func step() {
        guard let query else { return }
        for _ in 0..<100_000 {
            var didSomething = false
            for machine in query.machines where !finished.contains(machine.name) {
                switch machine.step(now: clock.now) {
                case .ran:
                    didSomething = true
                    onStep()
                case .finished:
                    finished.insert(machine.name)
                    didSomething = true
                case .waiting: break
                }
            }
            if !didSomething { return }
        }
        Issue.record("the query does not come to rest")
    }

    /// Lets half of an interval pass, in which sources look for what is new and nothing of it is read.
    func stepUntilTaken() {
        for _ in 0..<50 {
            clock.advance(.milliseconds(10))
            step()
        }
    }

    /// Lets the time go on to a little behind the next end of an interval.
    func settle() {
        step()
        repeat {
            clock.advance(.milliseconds(10))
            step()
        } while clock.wallMilliseconds % 1000 != 50
    }

    /// One batch: these values are appended, and an interval passes.
    func batch(_ values: [String] = [], topic: TopicName = "in") {
        kafka.append(topic, values)
        settle()
    }

    func stop() {
        query?.control.stop(within: .seconds(1))
        settle()
    }

    var failure: StreamError? { query?.status.snapshot.failure }
    var totals: RowCounts { query?.status.snapshot.totals ?? RowCounts() }

    /// Values committed to a topic, in order.
    func values(_ topic: TopicName = "out") -> [String?] {
        kafka.written.filter { $0.topic == topic }.map(\.line.value)
    }

    /// `key=value` of each batch that wrote something, sorted.
    func batches(_ topic: TopicName = "out") -> [[String]] {
        let records = kafka.written.filter { $0.topic == topic }
        return Set(records.map(\.epoch)).sorted().map { epoch in
            records.filter { $0.epoch == epoch }.map { "\($0.line.key ?? "-")=\($0.line.value ?? "-")" }.sorted()
        }
    }
}

/// What output code has seen, from any thread.
final class Seen<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    func append(_ element: Element) { elements.withLock { $0.append(element) } }
    var all: [Element] { elements.withLock { $0 } }
}
