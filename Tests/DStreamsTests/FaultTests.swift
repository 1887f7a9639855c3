import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

/// A throw is a fault of the record that the element came from; under skip and dead-letter nothing else is lost, and
/// nothing of the faulty record remains.
@Suite struct FaultTests {
    struct NotANumber: Error {}

    private static func number(_ text: some StringProtocol) throws -> Int {
        guard let number = Int(text) else { throw NotANumber() }
        return number
    }

    /// Sums of the numbers by parity: the faulty record "1 2 x" has put two numbers in before it fails.
    private func sums(_ run: TestRun) {
        let numbers = run.lines.flatMap { $0.text.split(separator: " ").map(String.init) }.map { try Self.number($0) }
        numbers.map { ($0 % 2, $0) }.reduceByKey(+)
            .saveToKafka("out") { key, value in Record(key: "\(key)", value: "\(value)") }
        numbers.saveToKafka("copy") { Record(value: "\($0)") }
    }

    private static let input = ["1 3", "1 2 x", "4", "x", "5 6"]

    @Test func failStopsAtTheRecord() throws {
        let run = TestRun(partitions: 1)
        sums(run)
        try run.start()
        run.settle()
        run.batch(Self.input)
        let failure = try #require(run.failure)
        #expect(failure.code == "USER_CODE_FAILED")
        #expect(failure.place.split == Split("in", 0))
        #expect(failure.place.offset == 1)
        #expect(run.kafka.written.isEmpty)
        #expect(run.kafka.committedPositions.values.allSatisfy { $0 == 0 })
    }

    @Test(arguments: [1, 2])
    func skipTakesEverythingOfTheRecordBack(tasks: Int) throws {
        let run = TestRun(tasks: tasks, errors: .skip)
        sums(run)
        try run.start()
        run.settle()
        run.batch(Self.input)
        #expect(run.failure == nil)
        #expect(run.batches() == [["0=10", "1=9"]])
        #expect(run.values("copy").compactMap { $0.flatMap { Int($0) } }.sorted() == [1, 3, 4, 5, 6])
        #expect(run.totals.read == 5)
        #expect(run.totals.emittedFrom == 3)
        #expect(run.totals.skipped == 2)
        #expect(run.totals.isBalanced)
    }

    @Test func deadLettersKeepTheBytesAndSayWhy() throws {
        let run = TestRun(errors: .deadLetter("dlq"), partitions: 1)
        sums(run)
        try run.start()
        run.settle()
        run.batch(Self.input)
        #expect(run.batches() == [["0=10", "1=9"]])
        #expect(run.values("dlq") == ["1 2 x", "x"])
        let headers = run.kafka.written.filter { $0.topic == "dlq" }.map { letter in
            Dictionary(letter.line.headers.map { ($0.name, String(decoding: $0.value ?? [], as: UTF8.self)) }) { $1 }
        }
        #expect(headers.map { $0["millrace.source.offset"] } == ["1", "3"])
        #expect(headers.map { $0["millrace.error.code"] } == ["USER_CODE_FAILED", "USER_CODE_FAILED"])
        #expect(run.totals.deadLettered == 2)
        #expect(run.totals.isBalanced)
    }

    @Test func theErrorsOwnCodeIsKept() throws {
        let run = TestRun(errors: .deadLetter("dlq"), partitions: 1)
        run.kafka.partitions[Split("in", 0)] = [Line(value: "ok")]
        run.lines.map { record in
            if record.text == "bad" { throw StreamError("NO_PRICE", "the order has no price", domain: .user) }
            return try record.validText()
        }.saveToKafka("out") { Record(value: $0) }
        try run.start()
        run.settle()
        run.batch(["bad", "good"])
        #expect(run.values() == ["ok", "good"])
        let header = run.kafka.written.first { $0.topic == "dlq" }?.line.headers.first {
            $0.name == "millrace.error.code"
        }
        #expect(header?.value.map { String(decoding: $0, as: UTF8.self) } == "NO_PRICE")
    }

    @Test func aThrowOfAReduceIsTakenBackToo() throws {
        struct TooMany: Error {}
        let run = TestRun(errors: .skip, partitions: 1)
        run.lines.flatMap { $0.text.split(separator: " ").map(String.init) }.map { ($0, 1) }
            .reduceByKey { a, b in
                if a + b > 3 { throw TooMany() }
                return a + b
            }
            .saveToKafka("out") { key, value in Record(key: key, value: "\(value)") }
        try run.start(recordsPerBlock: 10)
        run.settle()
        // The third record raises b to 2 before its second a fails.
        run.batch(["a a", "b", "b a a", "a"])
        #expect(run.batches() == [["a=3", "b=1"]])
        #expect(run.totals.skipped == 1)
    }

    @Test func undoReachesBlocksThatWereTurnedOver() throws {
        struct AfterMuch: Error {}
        let run = TestRun(errors: .skip, partitions: 1)
        let large = String(repeating: "x", count: 300_000)
        run.lines.flatMap { record in (0..<10).map { "\(record.text)\($0)" } }.saveToKafka("out") { key in
            if key == "b9" { throw AfterMuch() }
            return Record(key: key, value: large)
        }
        try run.start(recordsPerBlock: 10)
        run.settle()
        run.batch(["a", "b", "c"])
        let keys = run.kafka.written.compactMap(\.line.key)
        #expect(keys == (0..<10).map { "a\($0)" } + (0..<10).map { "c\($0)" })
        #expect(run.totals.emittedFrom == 2)
        #expect(run.totals.skipped == 1)
    }

    @Test func undoReachesGatheredBatchesAndPartitions() throws {
        let run = TestRun(errors: .skip, partitions: 1)
        let seen = Seen<[Int]>()
        let numbers = run.lines.flatMap { $0.text.split(separator: " ").map(String.init) }.map { try Self.number($0) }
        numbers.mapPartitions { [$0.reduce(0, +)] }.saveToKafka("out") { Record(value: "\($0)") }
        numbers.foreachBatch { batch, _ in if !batch.isEmpty { seen.append(batch) } }
        try run.start()
        run.settle()
        run.batch(Self.input)
        #expect(seen.all == [[1, 3, 4, 5, 6]])
        #expect(run.values().last == "19")
    }

    @Test(arguments: [ErrorPolicy.fail, .skip, .deadLetter("dlq")])
    func aThrowBehindAShuffleStopsTheQuery(policy: ErrorPolicy) throws {
        let run = TestRun(errors: policy)
        run.lines.map { ($0.text, 1) }.reduceByKey(+).mapValues { _ in throw NotANumber() }
            .saveToKafka("out") { (pair: (String, Int)) in Record(key: pair.0, value: "\(pair.1)") }
        try run.start()
        run.settle()
        run.batch(["a"])
        #expect(run.failure?.code == "USER_CODE_FAILED")
        #expect(run.kafka.written.isEmpty)
    }

    @Test func recordsThatCannotBeWrittenAreFaults() throws {
        let run = TestRun(errors: .skip, partitions: 1)
        run.lines.saveToKafka("out") { record in
            Record(value: record.text, partition: PartitionID(Int32(record.text) ?? 0))
        }
        try run.start()
        run.settle()
        run.batch(["1", "-1", "2"])
        #expect(run.values() == ["1", "2"])
        #expect(run.totals.skipped == 1)
    }
}
