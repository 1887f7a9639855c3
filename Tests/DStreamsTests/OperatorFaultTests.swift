import DStreams
import StreamCore
import Testing

/// A throw before an element has left the task that read it is a fault of its record; one behind it stops the query.
@Suite struct OperatorFaultTests {
    /// The second record has put 1 and 2 into every operator before it fails; the last one fails at once.
    private static let input = [["1 3", "1 2 x", "4", "x", "5 6"]]

    private static func numbers(_ lines: DStream<String>) -> DStream<Int> {
        lines.flatMap { $0.split(separator: " ").map(String.init) }.map { text in
            guard let number = Int(text) else { throw Refused() }
            return number
        }
    }

    @Test(arguments: [1, 3])
    func nothingOfASkippedRecordRemains(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, errors: .skip, Self.input) { lines in
            let numbers = Self.numbers(lines)
            let pairs = numbers.map { ($0 % 2, $0) }
            let combined = pairs.combineByKey(create: { [$0] }, mergeValue: { $0 + [$1] }, mergeCombiners: { $0 + $1 })
            return [
                "count": numbers.count().map { "\($0)" },
                "reduce": numbers.reduce(+).map { "\($0)" },
                "countByValue": numbers.countByValue().map { "\($0.0):\($0.1)" },
                "glom": numbers.glom().flatMap { $0 }.map { "\($0)" },
                "repartition": numbers.repartition(2).map { "\($0)" },
                "groupByKey": pairs.groupByKey().map { "\($0.0)=\(text($0.1))" },
                "combineByKey": combined.map { "\($0.0)=\(text($0.1))" },
                "cogroup": pairs.cogroup(pairs).map { "\($0.0)=\(text($0.1.0))\(text($0.1.1))" },
                "transform": numbers.transform { batch in batch.sortBy { $0 } }.map { "\($0)" },
            ]
        }
        #expect(watched.run.failure == nil)
        #expect(watched["count"] == [["5"]])
        #expect(watched["reduce"] == [["19"]])
        #expect(watched["countByValue"] == [["1:1", "3:1", "4:1", "5:1", "6:1"]])
        #expect(watched["glom"] == [["1", "3", "4", "5", "6"]])
        #expect(watched["repartition"] == [["1", "3", "4", "5", "6"]])
        #expect(watched["groupByKey"] == [["0=[4 6]", "1=[1 3 5]"]])
        #expect(watched["combineByKey"] == watched["groupByKey"])
        #expect(watched["cogroup"] == [["0=[4 6][4 6]", "1=[1 3 5][1 3 5]"]])
        #expect(watched.inOrder("transform") == [["1", "3", "4", "5", "6"]])
        #expect(watched.run.totals.skipped == 2)
        #expect(watched.run.totals.emittedFrom == 3)
        #expect(watched.run.totals.isBalanced)
    }

    @Test func aThrowOfTheOperatorsOwnClosureIsAFaultOfTheRecord() throws {
        // One task, so that every value is combined where it is read.
        let watched = try Watched(tasks: 1, errors: .skip, [["1", "2", "100", "3"]]) { lines in
            let numbers = Self.numbers(lines)
            return [
                "reduce": numbers.reduce { sum, number in
                    if number == 100 { throw Refused() }
                    return sum + number
                }.map { "\($0)" }
            ]
        }
        #expect(watched["reduce"] == [["6"]])
        #expect(watched.run.totals.skipped == 1)
    }

    /// Operators whose closures run where a batch's elements have come together.
    private static let stopping: [(name: String, build: @Sendable (DStream<String>) -> DStream<String>)] = [
        ("transform", { lines in lines.transform { batch in try refuse(batch) } }),
        ("transformWith", { lines in lines.transformWith(lines) { batch, _, _ in try refuse(batch) } }),
        ("mapPartitionsWithIndex", { lines in lines.mapPartitionsWithIndex { _, part in try refuse(part) } }),
        (
            "mergeCombiners",
            { lines in
                lines.map { ("k", $0) }.combineByKey(
                    create: { $0 }, mergeValue: { $0 + $1 }, mergeCombiners: { _, _ in throw Refused() }
                ).map(\.1)
            }
        ),
        ("behind a join", { lines in lines.map { ($0, 1) }.join(lines.map { ($0, 2) }).map { _ in throw Refused() } }),
        ("behind a count", { lines in lines.count().map { if $0 > 0 { throw Refused() } else { "none" } } }),
    ]

    private static func refuse<Elements: Collection>(_ elements: Elements) throws -> Elements {
        if elements.isEmpty { return elements }
        throw Refused()
    }

    @Test(arguments: stopping.indices, [ErrorPolicy.fail, .skip, .deadLetter("dlq")])
    func aThrowBehindItStopsTheQueryWhateverThePolicy(index: Int, policy: ErrorPolicy) throws {
        let (name, build) = Self.stopping[index]
        let run = TestRun(tasks: 2, errors: policy, partitions: 2)
        build(run.lines.map { $0.text }).filter { $0 != "none" }.saveToKafka("out") { Record(value: $0) }
        try run.start()
        run.settle()
        run.batch(["a", "b"])
        #expect(run.failure?.code == "USER_CODE_FAILED", "\(name)")
        #expect(run.kafka.written.isEmpty, "\(name)")
    }
}
