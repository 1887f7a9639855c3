import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

/// Each transformation over a batch; expected values are Spark's for the same program.
@Suite struct OperatorTests {
    private func numbers(_ run: TestRun) -> DStream<Int> { run.lines.map { Int($0.text) ?? -1 } }

    private func save(_ stream: DStream<Int>, _ topic: TopicName = "out") {
        stream.saveToKafka(topic) { Record(value: "\($0)") }
    }

    private func sorted(_ run: TestRun, _ topic: TopicName = "out") -> [Int] {
        run.values(topic).compactMap { $0.flatMap { Int($0) } }.sorted()
    }

    @Test(arguments: [1, 2])
    func mapFilterMap(tasks: Int) throws {
        let run = TestRun(tasks: tasks)
        save(numbers(run).map { $0 * 10 }.filter { $0 > 20 }.map { $0 + 1 })
        try run.start()
        run.settle()
        run.batch((1...6).map(String.init))
        #expect(sorted(run) == [31, 41, 51, 61])
        #expect(run.totals.read == 6)
        #expect(run.totals.emittedFrom == 4)
        #expect(run.totals.filtered == 2)
        #expect(run.kafka.progress == nil, "narrow operators alone need no owner")
    }

    @Test func orderWithinAPartitionIsKept() throws {
        let run = TestRun(tasks: 2, partitions: 2)
        run.lines.saveToKafka("out") { Record(key: "\($0.partition)", value: $0.text) }
        try run.start(recordsPerBlock: 2)
        run.settle()
        run.batch((0..<20).map(String.init))
        for partition in 0..<2 {
            let values = run.kafka.written.filter { $0.line.key == "\(partition)" }.compactMap {
                $0.line.value.flatMap { Int($0) }
            }
            #expect(values == (0..<20).filter { $0 % 2 == partition })
        }
    }

    @Test func flatMapGivesNoneOrMany() throws {
        let run = TestRun()
        save(numbers(run).flatMap { [Int](repeating: $0, count: $0) })
        try run.start()
        run.settle()
        run.batch(["0", "1", "3"])
        #expect(sorted(run) == [1, 3, 3, 3])
        #expect(run.totals.filtered == 1)
        #expect(run.totals.emittedFrom == 2)
    }

    @Test func mapValuesKeepsKeys() throws {
        let run = TestRun()
        run.lines.map { ($0.text, $0.text.count) }.mapValues { $0 * 2 }
            .saveToKafka("out") { key, value in Record(key: key, value: "\(value)") }
        try run.start()
        run.settle()
        run.batch(["a", "bb"])
        #expect(run.batches() == [["a=2", "bb=4"]])
    }

    @Test(arguments: [1, 3])
    func mapPartitionsRunsOncePerTaskAndBatchAlsoWhenEmpty(tasks: Int) throws {
        let run = TestRun(tasks: tasks)
        save(numbers(run).mapPartitions { [$0.reduce(0, +)] })
        try run.start()
        run.settle()
        run.batch(["1", "2", "3"])
        let first = sorted(run)
        #expect(first.count == tasks * run.progress.all.count)
        #expect(first.reduce(0, +) == 6)
        let before = run.progress.all.count
        run.batch([])
        #expect(run.progress.all.count == before + 1, "an empty batch runs")
        #expect(sorted(run).count == first.count + tasks)
        #expect(run.totals.emittedFrom == 3)
    }

    @Test func mapPartitionsBehindAShuffleSeesItsPairs() throws {
        let run = TestRun(tasks: 2)
        save(
            numbers(run).map { ($0 % 3, $0) }.reduceByKey(+)
                .mapPartitions { pairs in pairs.map { $0.1 } }.map { $0 * 100 })
        try run.start()
        run.settle()
        run.batch((1...6).map(String.init))
        #expect(sorted(run) == [500, 700, 900])
    }

    @Test(arguments: [1, 2])
    func unionOfTwoTopics(tasks: Int) throws {
        let run = TestRun(tasks: tasks, topics: ["in", "more"])
        let more = run.context.kafkaStream(topics: ["more"]).map { -(Int($0.text) ?? 0) }
        save(numbers(run).union(more))
        try run.start()
        run.settle()
        run.kafka.append("more", ["1", "2"])
        run.batch(["5"])
        #expect(sorted(run) == [-2, -1, 5])
        #expect(run.totals.emittedFrom == 3)
    }

    @Test func unionWithItselfDoubles() throws {
        let run = TestRun()
        let stream = numbers(run)
        save(stream.union(stream))
        try run.start()
        run.settle()
        run.batch(["1", "2"])
        #expect(sorted(run) == [1, 1, 2, 2])
    }

    @Test(arguments: [1, 2])
    func unionAcrossAShuffleThenAnotherShuffle(tasks: Int) throws {
        let run = TestRun(tasks: tasks)
        let pairs = numbers(run).map { ($0 % 2, $0) }
        // 1+3+5 and 2+4 by the first shuffle, then with the numbers themselves again: twice each sum.
        pairs.reduceByKey(+).union(pairs).reduceByKey(+)
            .saveToKafka("out") { key, value in Record(key: "\(key)", value: "\(value)") }
        try run.start()
        run.settle()
        run.batch((1...5).map(String.init))
        #expect(run.batches() == [["0=12", "1=18"]])
        #expect(run.totals.isBalanced)
    }

    @Test(arguments: [1, 2])
    func threeShufflesInARow(tasks: Int) throws {
        let run = TestRun(tasks: tasks)
        let eighths = numbers(run).map { ($0 % 8, $0) }.reduceByKey(+)
        let quarters = eighths.map { ($0.0 % 4, $0.1) }.reduceByKey(+)
        let halves = quarters.map { ($0.0 % 2, $0.1) }.reduceByKey(+)
        halves
            .saveToKafka("out") { key, value in Record(key: "\(key)", value: "\(value)") }
        try run.start()
        run.settle()
        run.batch((1...100).map(String.init))
        #expect(run.batches() == [["0=2550", "1=2500"]])
    }

    @Test func reduceKeepsOneValueOfAnyType() throws {
        let run = TestRun(tasks: 2)
        run.lines.map { ($0.text.count, [$0.text]) }.reduceByKey { $0 + $1 }
            .saveToKafka("out") { length, words in
                Record(key: "\(length)", value: words.sorted().joined(separator: ","))
            }
        try run.start()
        run.settle()
        run.batch(["a", "bb", "c", "dd", "eee"])
        #expect(run.batches() == [["1=a,c", "2=bb,dd", "3=eee"]])
    }

    @Test func aStreamThatIsUsedTwiceIsComputedOnce() throws {
        let run = TestRun()
        let computed = Seen<Int>()
        let stream = numbers(run).map { number in
            computed.append(number)
            return number
        }
        save(stream.filter { $0 % 2 == 0 }, "even")
        save(stream.filter { $0 % 2 == 1 }, "odd")
        _ = stream.map { "\($0)" }  // leads nowhere: costs nothing
        try run.start()
        run.settle()
        run.batch((1...5).map(String.init))
        #expect(computed.all.sorted() == [1, 2, 3, 4, 5])
        #expect(sorted(run, "even") == [2, 4])
        #expect(sorted(run, "odd") == [1, 3, 5])
        #expect(run.totals.emittedFrom == 5)
    }

    @Test func severalRecordsForOneElement() throws {
        let run = TestRun()
        numbers(run).saveToKafka("out") { number in (0..<number).map { Record(value: "\(number).\($0)") } }
        try run.start()
        run.settle()
        run.batch(["0", "2"])
        #expect(run.values() == ["2.0", "2.1"])
        #expect(run.totals.emittedFrom == 1)
        #expect(run.totals.filtered == 1)
    }
}
