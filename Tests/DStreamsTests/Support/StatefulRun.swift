import DStreams
import StreamCore
import Testing

/// A stateful program over batches, with stops, crashes and other numbers of tasks in between.
struct StatefulRun {
    /// What happens before a batch.
    enum Event: Hashable, Sendable {
        /// The process dies and is started again with so many tasks.
        case restart(tasks: Int)
        /// The next commit is refused: the work is dropped and repeated.
        case refuse
    }

    /// Results by batch, sorted within each; the first batch is 0.
    let results: [[String]]
    let kafka: ScriptedKafka

    /// - Parameters:
    ///   - events: by number of the batch that they come before.
    ///   - program: gives the stream whose elements, as text, are the results.
    init(
        _ batches: [[String]], tasks: Int = 1, events: [Int: Event] = [:],
        program: (TestRun) -> DStream<String>
    ) throws {
        var run = TestRun(tasks: tasks)
        run.kafka.append("in", batches[0])
        try Self.start(run, program)
        for (number, batch) in batches.enumerated().dropFirst() {
            switch events[number] {
            case .restart(let tasks):
                run = TestRun(after: run, tasks: tasks)
                // What arrives while nothing runs belongs to the first batch behind it.
                run.kafka.append("in", batch)
                try Self.start(run, program)
                continue
            case .refuse:
                if let last = run.kafka.commits.last { run.kafka.refused.insert(last.epoch.next) }
                run.batch(batch)
            case nil: run.batch(batch)
            }
        }
        run.settle()
        #expect(run.failure == nil)
        let kafka = run.kafka
        self.kafka = kafka
        let written = kafka.written.filter { $0.topic == "out" }
        let first = kafka.times.values.filter { $0 % 1000 == 0 }.min() ?? 0
        results = batches.indices.map { number in
            written.filter { kafka.times[$0.epoch] == first + Int64(number) * 1000 }.compactMap(\.line.value).sorted()
        }
    }

    private static func start(_ run: TestRun, _ program: (TestRun) -> DStream<String>) throws {
        program(run).saveToKafka("out") { Record(value: $0) }
        try run.start()
        run.settle()
    }
}
