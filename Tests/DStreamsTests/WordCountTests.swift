import CommitProtocol
import DStreams
import StreamCore
import Testing

/// The program, over several task counts: per batch, as Spark's reduceByKey gives it.
@Suite struct WordCountTests {
    private func wordCount(_ run: TestRun) {
        run.lines
            .flatMap { $0.text.split(separator: " ").map(String.init) }
            .map { ($0, 1) }
            .reduceByKey(+)
            .saveToKafka("out") { word, count in Record(key: word, value: "\(count)") }
    }

    @Test(arguments: [1, 2, 4])
    func countsEachBatchByItself(tasks: Int) throws {
        let run = TestRun(tasks: tasks)
        wordCount(run)
        try run.start()
        run.settle()
        run.batch(["to be or", "not to be", "that is", "the question", "be"])
        run.batch([])
        run.batch(["be", "be be"])
        #expect(run.failure == nil)
        #expect(
            run.batches() == [["be=3", "is=1", "not=1", "or=1", "question=1", "that=1", "the=1", "to=2"], ["be=3"]])
        #expect(run.totals.read == 7)
        #expect(run.totals.emittedFrom == 7)
        #expect(run.totals.isBalanced)
        #expect(run.totals.written == 9)
    }

    /// An expression is matched against whole names, and Kafka's own topics are left alone.
    @Test func topicsByExpression() throws {
        let run = TestRun(topics: ["orders-a", "orders-b", "old-orders-a", "__orders-c"])
        run.context.kafkaStream(topicsPattern: "orders-.*|x").map { $0.text }
            .saveToKafka("out") { Record(value: $0) }
        run.context.kafkaStream(topics: ["orders-b"]).count().saveToKafka("counts") { Record(value: "\($0)") }
        try run.start()
        run.settle()
        for topic in ["orders-a", "orders-b", "old-orders-a", "__orders-c"] {
            run.kafka.append(TopicName(topic), ["from \(topic)"])
        }
        run.settle()
        #expect(run.failure == nil)
        #expect(Set(run.values()) == ["from orders-a", "from orders-b"])
        #expect(run.values("counts").contains("1"))
    }

    @Test func aWrongExpressionIsRefused() throws {
        let run = TestRun()
        run.context.kafkaStream(topicsPattern: "orders-[").map { $0.text }.saveToKafka("out") { Record(value: $0) }
        let error = #expect(throws: StreamError.self) { try run.start() }
        #expect(error?.message.contains("orders-[") == true)
    }

    @Test func emptyBatchesCommitNothing() throws {
        let run = TestRun()
        wordCount(run)
        try run.start()
        for _ in 0..<5 { run.batch() }
        #expect(run.kafka.written.isEmpty)
        #expect(run.progress.all.isEmpty)
    }

    @Test func ownedQueriesCommitTheirProgress() throws {
        let run = TestRun()
        wordCount(run)
        try run.start()
        run.settle()
        run.batch(["a", "a", "b"])
        #expect(run.kafka.progress?.phase == .committed)
        #expect(run.kafka.commits.last?.epoch == run.kafka.progress?.epoch)
        #expect(run.kafka.committedPositions.values.map(\.number) == [1, 1, 1])
    }

    @Test(arguments: [1, 3])
    func aRefusedCommitIsRepeatedWithoutATrace(tasks: Int) throws {
        let run = TestRun(tasks: tasks)
        wordCount(run)
        try run.start()
        run.settle()
        run.batch(["a b", "a"])
        let next = try #require(run.kafka.progress?.epoch.next)
        run.kafka.refused = [next]
        run.batch(["a", "b b", "c"])
        for _ in 0..<3 { run.batch() }
        #expect(run.kafka.refused.isEmpty)
        #expect(run.failure == nil)
        #expect(run.batches() == [["a=2", "b=1"], ["a=1", "b=2", "c=1"]])
    }

    @Test func batchTimeIsTheEndOfTheInterval() throws {
        let run = TestRun()
        wordCount(run)
        try run.start()
        run.settle()
        run.batch(["a"])
        run.batch(["b"])
        let times = run.progress.all.map(\.batchTimeMs)
        #expect(times == [ManualClock.startMs + 1000, ManualClock.startMs + 2000])
    }
}
