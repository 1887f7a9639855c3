import DStreams
import Testing

/// Runs a program over the batches of an input and tells what each of its streams gave in each batch.
struct Watched {
    /// For each stream the texts of each batch, in the order in which they came.
    private let seen: [String: [[String]]]
    let run: TestRun

    /// - Parameters:
    ///   - batches: the values of each topic, batch by batch.
    ///   - build: gives the streams, by a name.
    init(
        tasks: Int, errors: ErrorPolicy = .fail, _ batches: [[TopicName: [String]]],
        build: (TestRun) -> [String: DStream<String>]
    ) throws {
        let topics = Set(batches.flatMap(\.keys)).sorted()
        run = TestRun(tasks: tasks, errors: errors, topics: topics, partitions: 2)
        var outcomes: [String: Seen<[String]>] = [:]
        for (name, stream) in build(run).sorted(by: { $0.key < $1.key }) {
            let outcome = Seen<[String]>()
            stream.foreachBatch { batch, _ in outcome.append(batch.collect()) }
            outcomes[name] = outcome
        }
        try run.start()
        run.settle()
        // Empty batches that ran before there was any input.
        let before = outcomes.mapValues { $0.all.count }
        for batch in batches {
            for (topic, values) in batch { run.kafka.append(topic, values) }
            run.settle()
        }
        seen = outcomes.reduce(into: [:]) { seen, outcome in
            seen[outcome.key] = Array(outcome.value.all.dropFirst(before[outcome.key] ?? 0))
        }
    }

    /// A program over the topic "in".
    init(
        tasks: Int, errors: ErrorPolicy = .fail, _ batches: [[String]],
        build: (DStream<String>) -> [String: DStream<String>]
    ) throws {
        try self.init(tasks: tasks, errors: errors, batches.map { ["in": $0] }) { run in
            build(run.lines.map { $0.text })
        }
    }

    /// What a stream gave in each batch, sorted.
    subscript(name: String) -> [[String]] { inOrder(name).map { $0.sorted() } }

    func inOrder(_ name: String) -> [[String]] { seen[name] ?? [] }
}

/// Text for values as expected results are written down: nil as `-`, arrays sorted.
func text(_ value: (some Any)?) -> String { value.map { "\($0)" } ?? "-" }
func text(_ values: [some Any]) -> String { "[" + values.map { "\($0)" }.sorted().joined(separator: " ") + "]" }

/// What a test's closures throw.
struct Refused: Error {}
