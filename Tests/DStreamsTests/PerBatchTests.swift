import DStreams
import StreamCore
import Testing

/// Operators on one stream, batch by batch; the third batch is empty. Expected values are Spark's for this program.
@Suite struct PerBatchTests {
    private static let input = [["a b", "b"], ["c"], [], ["a"]]

    @Test(arguments: [1, 3])
    func oneResultForABatch(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, Self.input) { lines in
            [
                "count": lines.count().map { "\($0)" },
                "reduce": lines.reduce { [$0, $1].sorted().joined(separator: "|") },
                "countByValue": lines.countByValue().map { "\($0.0):\($0.1)" },
            ]
        }
        #expect(watched["count"] == [["2"], ["1"], ["0"], ["1"]])
        #expect(watched["reduce"] == [["a b|b"], ["c"], [], ["a"]])
        #expect(watched["countByValue"] == [["a b:1", "b:1"], ["c:1"], [], ["a:1"]])
    }

    @Test(arguments: [1, 3])
    func wholeBatches(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, Self.input) { lines in
            [
                "sorted": lines.transform { batch in batch.sortBy(ascending: false) { $0 } },
                "counted": lines.transform { batch, _ in Batch(["\(batch.count)"]) },
                "time": lines.transform { _, time in ["\(time.milliseconds - ManualClock.startMs)"] },
            ]
        }
        #expect(watched.inOrder("sorted") == [["b", "a b"], ["c"], [], ["a"]])
        #expect(watched.inOrder("counted") == [["2"], ["1"], ["0"], ["1"]])
        #expect(watched.inOrder("time") == [["1000"], ["2000"], ["3000"], ["4000"]])
    }

    @Test func glomGivesOneArrayForEachTask() throws {
        let one = try Watched(tasks: 1, Self.input) { ["glom": $0.glom().map { text($0) }] }
        #expect(one["glom"] == [["[a b b]"], ["[c]"], ["[]"], ["[a]"]])
        let three = try Watched(tasks: 3, Self.input) { ["glom": $0.glom().map { text($0) }] }
        #expect(three["glom"].map(\.count) == [3, 3, 3, 3])
        #expect(three["glom"][1] == ["[]", "[]", "[c]"])
        #expect(three["glom"][2] == ["[]", "[]", "[]"])
    }

    @Test(arguments: [1, 3])
    func partsHaveNumbers(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, Self.input) { lines in
            [
                "index": lines.mapPartitionsWithIndex { index, _ in ["\(index)"] },
                "size": lines.mapPartitionsWithIndex { _, part in [part.count] }.reduce(+).map { "\($0)" },
            ]
        }
        let all = (0..<tasks).map(String.init)
        #expect(watched["index"] == [all, all, all, all])
        #expect(watched["size"] == [["2"], ["1"], ["0"], ["1"]])
    }

    @Test(arguments: [1, 3])
    func repartitionToOnePart(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, Self.input) { lines in
            [
                "one": lines.repartition(1).glom().map { text($0) },
                "none": lines.repartition(-1).glom().map { text($0) },
            ]
        }
        #expect(watched["one"] == [["[a b b]"], ["[c]"], ["[]"], ["[a]"]])
        #expect(watched["none"] == watched["one"])
    }

    @Test(arguments: [2, 3, 100])
    func repartitionIsEven(count: Int) throws {
        // All of it in one partition of the input: one task reads, all get a share.
        let run = TestRun(tasks: 3, partitions: 1)
        let parts = Seen<[Int]>()
        run.lines.map { $0.text }.repartition(count).glom().foreachBatch { batch, _ in
            parts.append(batch.map(\.count).sorted())
        }
        try run.start(recordsPerBlock: 4)
        run.settle()
        run.batch((0..<11).map(String.init))
        #expect(parts.all.last == (count == 2 ? [5, 6] : [3, 4, 4]))
    }

    /// Parents in different stages: what comes up early goes on to the later stage through the one between.
    @Test(arguments: [1, 3])
    func unionOfStages(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, [["a", "b", "a"], []]) { lines in
            let counts = lines.countByValue().map { "\($0.0):\($0.1)" }
            let all = lines.union(counts)
            return [
                "count": all.count().map { "\($0)" }, "max": all.reduce { max($0, $1) },
                "spread": all.repartition(3), "sorted": all.transform { $0.sortBy { $0 } },
                "groups": all.map { ($0.first == "a", $0) }.groupByKey().map { "\($0.0) \(text($0.1))" },
            ]
        }
        let elements = ["a", "a", "a:2", "b", "b:1"]
        #expect(watched["count"] == [["5"], ["0"]])
        #expect(watched["max"] == [["b:1"], []])
        #expect(watched["spread"] == [elements, []])
        #expect(watched.inOrder("sorted") == [elements, []])
        #expect(watched["groups"] == [["false [b b:1]", "true [a a a:2]"], []])
    }

    @Test(arguments: [1, 3])
    func resultsGoOn(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, [["a b", "b"], []]) { lines in
            let words = lines.flatMap { $0.split(separator: " ").map(String.init) }
            return [
                "distinct": words.countByValue().count().map { "\($0)" },
                "twice": words.transform { $0.distinct() }.repartition(tasks).map { ($0.count, 1) }.reduceByKey(+)
                    .map { "\($0.0):\($0.1)" },
            ]
        }
        #expect(watched["distinct"] == [["2"], ["0"]])
        #expect(watched["twice"] == [["1:2"], []])
    }

    @Test(arguments: [1, 3])
    func resultsAreWrittenInTheBatchsTransaction(tasks: Int) throws {
        let run = TestRun(tasks: tasks)
        run.lines.count().saveToKafka("out") { Record(value: "\($0)") }
        try run.start()
        run.settle()
        let before = run.values().count
        run.batch(["a", "b", "c"])
        run.batch()
        #expect(run.values().dropFirst(before) == ["3", "0"])
        #expect(run.totals.emittedFrom == 3)
        #expect(run.totals.isBalanced)
        #expect(run.kafka.progress?.phase == .committed, "a count of all partitions needs an owner")
    }
}
