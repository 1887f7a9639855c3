import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

@Suite struct OutputTests {
    @Test(arguments: [1, 3])
    func foreachBatchSeesWholeBatchesAlsoEmptyOnes(tasks: Int) throws {
        let run = TestRun(tasks: tasks)
        let seen = Seen<([String], BatchInfo)>()
        run.lines.map { $0.text }.foreachBatch { batch, info in seen.append((batch.sorted(), info)) }
        try run.start()
        run.settle()
        run.batch(["a", "b", "c", "d"])
        run.batch()
        let batches = seen.all.drop { $0.0.isEmpty && $0.1.batchTimeMs < ManualClock.startMs + 1000 }
        #expect(batches.map(\.0) == [["a", "b", "c", "d"], []])
        #expect(batches.map(\.1.batchTimeMs) == [ManualClock.startMs + 1000, ManualClock.startMs + 2000])
        let first = try #require(batches.first).1
        #expect(first.ranges.map(\.split.partition.number) == [0, 1, 2])
        #expect(first.ranges.map(\.length) == [2, 1, 1])
        #expect(!first.isReplay)
        #expect(batches.last?.1.ranges == [])
        #expect(run.totals.emittedFrom == 4)
    }

    @Test func outputCodeRunsBetweenThePlanAndTheCommit() throws {
        let run = TestRun()
        let phases = Seen<ProgressRecord.Phase?>()
        let kafka = run.kafka
        nonisolated(unsafe) let peek = kafka  // Safety: output code runs inline, in this test's thread.
        run.lines.map { $0.text }.foreachBatch { batch, info in
            if !batch.isEmpty { phases.append(peek.progress?.epoch == info.epoch ? peek.progress?.phase : nil) }
        }
        try run.start()
        run.settle()
        run.batch(["a"])
        #expect(phases.all == [.planned])
        #expect(kafka.progress?.phase == .committed)
    }

    @Test func outputsRunInTheOrderOfRegistration() throws {
        let run = TestRun(tasks: 2)
        let seen = Seen<String>()
        let words = run.lines.map { $0.text }
        let counts = words.map { ($0, 1) }.reduceByKey(+)
        counts.foreachBatch { batch, _ in if !batch.isEmpty { seen.append("counts") } }
        words.foreachBatch { batch, _ in if !batch.isEmpty { seen.append("words") } }
        counts.foreachBatch { batch, _ in if !batch.isEmpty { seen.append("again") } }
        try run.start()
        run.settle()
        run.batch(["a"])
        #expect(seen.all == ["counts", "words", "again"])
    }

    @Test func aFailedOutputStopsWithoutACommitAndIsRepeatedAsItWas() throws {
        struct Refused: Error {}
        let run = TestRun()
        let seen = Seen<([String], BatchInfo)>()
        run.lines.map { $0.text }.foreachBatch { batch, info in
            guard !batch.isEmpty else { return }
            seen.append((batch, info))
            throw Refused()
        }
        try run.start()
        run.settle()
        run.batch(["a"])
        #expect(run.failure?.code == "USER_OUTPUT_FAILED")
        #expect(run.kafka.progress?.phase == .planned)

        // The next start finds the plan: the same batch under the same number and time, whatever has come since.
        let again = TestRun(kafka: run.kafka)
        again.lines.map { $0.text }.foreachBatch { batch, info in
            if !batch.isEmpty { seen.append((batch, info)) }
        }
        again.kafka.append("in", ["b"])
        try again.start()
        again.settle()
        let first = try #require(seen.all.first)
        let repeated = try #require(seen.all.dropFirst().first)
        #expect(repeated.0 == first.0)
        #expect(repeated.1.epoch == first.1.epoch)
        #expect(repeated.1.batchTimeMs == first.1.batchTimeMs)
        #expect(repeated.1.isReplay)
    }

    @Test func printsInSparksLayout() throws {
        let run = TestRun(partitions: 1)
        let printed = Seen<String>()
        run.context.printer = { printed.append($0) }
        run.lines.map { $0.text }.print(count: 2)
        run.lines.map { ($0.text, 1) }.print()
        try run.start()
        run.settle()
        run.batch(["a", "b", "c"])
        let rule = "-------------------------------------------"
        let head = "\(rule)\nTime: \(ManualClock.startMs + 1000) ms\n\(rule)\n"
        #expect(printed.all.suffix(2) == [head + "a\nb\n...\n\n", head + "(a,1)\n(b,1)\n(c,1)\n\n"])
    }

    @Test func recordsKeepEverythingTheyAreGiven() throws {
        let run = TestRun(partitions: 1)
        run.lines.saveToKafka("out") { record in
            switch record.text {
            case "tombstone": .tombstone(key: "k")
            case "bytes": Record(key: [1, 2] as [UInt8], value: [3] as [UInt8])
            default:
                Record(
                    value: "v", headers: [RecordHeader("h", nil), RecordHeader("h", [7])], timestampMs: 42,
                    partition: 5)
            }
        }
        try run.start()
        run.settle()
        run.batch(["tombstone", "bytes", "full"])
        let written = run.kafka.written
        #expect(written.count == 3)
        #expect(written[0].line == Line(key: "k", value: nil))
        #expect(written[1].line == Line(key: "\u{1}\u{2}", value: "\u{3}"))
        #expect(written[2].line.headers == [RecordHeader("h", nil), RecordHeader("h", [7])])
        #expect(written[2].line.timestamp == 42)
        #expect(written[2].partition == 5)
        #expect(written[0].partition == -1)
    }

    @Test func manyOutputsOfOneRecordTurnIntoSeveralBlocks() throws {
        let run = TestRun(partitions: 1)
        let large = String(repeating: "x", count: 100_000)
        run.lines.flatMap { _ in 0..<35 }.saveToKafka("out") { Record(key: "\($0)", value: large) }
        try run.start()
        run.settle()
        run.batch(["go"])
        #expect(run.kafka.written.compactMap(\.line.key) == (0..<35).map(String.init))
        #expect(run.totals.written == 35)
    }

    @Test func kafkaRecordsShowTheirPlace() throws {
        let run = TestRun(partitions: 1)
        run.kafka.partitions[Split("in", 0)] = [
            Line(key: "k", value: "v", headers: [RecordHeader("h", [1])], timestamp: 9), Line(key: nil, value: nil),
        ]
        let seen = Seen<String>()
        run.lines.foreachBatch { batch, _ in
            for record in batch {
                let sizes = record.withValueBytes { $0.byteCount } + record.withKeyBytes { $0.byteCount }
                seen.append(
                    "\(record.topic) \(record.partition) \(record.offset) \(record.keyText ?? "-") \(record.text) "
                        + "\(record.timestampMs ?? -1) \(record.headers.count) \(record.isTombstone) \(sizes)")
                #expect((record.value == nil) == record.isTombstone)
            }
        }
        try run.start()
        run.settle()
        run.batch()
        #expect(seen.all == ["in 0 0 k v 9 1 false 2", "in 0 1 -  -1 0 true 0"])
    }
}
