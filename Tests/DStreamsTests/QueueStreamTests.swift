import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

@Suite struct QueueStreamTests {
    @Test func oneBatchOfTheQueueInEachBatch() throws {
        let run = TestRun(kafka: ScriptedKafka())
        let seen = Seen<[Int]>()
        run.context.queueStream([[1, 2], [], [3]]).foreachBatch { batch, _ in seen.append(batch) }
        try run.start()
        for _ in 0..<5 { run.settle() }
        #expect(Array(seen.all.prefix(5)) == [[1, 2], [], [3], [], []])
        #expect(run.failure == nil)
    }

    /// The controller needs to know how much there is, and gets to know it.
    @Test func aQueueIsReadUnderBackpressure() throws {
        let run = TestRun(kafka: ScriptedKafka()) { $0.backpressure = BackpressureSettings() }
        let seen = Seen<[Int]>()
        run.context.queueStream([[1, 2], [3]]).foreachBatch { batch, _ in if !batch.isEmpty { seen.append(batch) } }
        try run.start()
        for _ in 0..<8 { run.settle() }
        #expect(seen.all.flatMap { $0 } == [1, 2, 3])
        #expect(run.failure == nil)
    }

    @Test func allBatchesOfTheQueueAtOnce() throws {
        let run = TestRun(kafka: ScriptedKafka())
        let seen = Seen<[Int]>()
        run.context.queueStream([[1, 2], [], [3]], oneAtATime: false).foreachBatch { batch, _ in seen.append(batch) }
        try run.start()
        for _ in 0..<2 { run.settle() }
        #expect(seen.all.first == [1, 2, 3])
        #expect(seen.all.dropFirst().allSatisfy { $0.isEmpty })
    }

    @Test func batchesMayComeWhileTheQueryRuns() throws {
        let run = TestRun(kafka: ScriptedKafka())
        let seen = Seen<[String]>()
        let queue = BatchQueue<String>()
        run.context.queueStream(queue).foreachBatch { batch, _ in if !batch.isEmpty { seen.append(batch) } }
        try run.start()
        run.settle()
        queue.append(["a"])
        run.settle()
        queue.append(["b"])
        queue.append(["c"])
        for _ in 0..<3 { run.settle() }
        #expect(seen.all == [["a"], ["b"], ["c"]])
    }

    @Test func aRestartGivesNothingTwice() throws {
        let kafka = ScriptedKafka()
        let seen = Seen<[Int]>()
        for batches in [[[1]], [[2], [3]]] {
            let run = TestRun(kafka: kafka)
            run.context.queueStream(batches).foreachBatch { batch, _ in if !batch.isEmpty { seen.append(batch) } }
            try run.start()
            for _ in 0..<4 { run.settle() }
            #expect(run.failure == nil)
            run.stop()
        }
        #expect(seen.all == [[1], [2], [3]])
    }

    @Test func queuesAndTopicsGoTogether() throws {
        let kafka = ScriptedKafka()
        kafka.makeTopic("in", partitions: 2)
        let run = TestRun(kafka: kafka) { $0.start = .earliest }
        let seen = Seen<[String]>()
        let numbers = run.context.queueStream([[1, 2]]).map { "\($0)" }
        run.lines.map { $0.text }.union(numbers).foreachBatch { batch, _ in
            if !batch.isEmpty { seen.append(batch.sorted()) }
        }
        try run.start()
        run.batch(["a", "b"])
        run.settle()
        #expect(seen.all.flatMap { $0 }.sorted() == ["1", "2", "a", "b"])
        #expect(run.failure == nil)
    }
}
