import DStreams
import StreamCore
import Testing

/// Operators on pairs, batch by batch. Input and expected values are those of the same program in Spark.
@Suite struct PairTests {
    private static let input: [[TopicName: [String]]] = [
        ["a": ["k=1", "k=2", "x=3"], "b": ["k=p", "z=q"]],
        ["a": ["k=4"], "b": []],
        ["a": ["y=5"], "b": ["y=r", "y=s"]],
    ]

    private static func pair(_ record: KafkaRecord) throws -> (String, String) {
        let parts = record.text.split(separator: "=").map(String.init)
        guard parts.count == 2 else { throw Refused() }
        return (parts[0], parts[1])
    }

    /// The two streams of a run.
    private static func sides(_ run: TestRun) -> (a: DStream<(String, Int)>, b: DStream<(String, String)>) {
        let a = run.context.kafkaStream(topics: ["a"]).map { try pair($0) }
        let b = run.context.kafkaStream(topics: ["b"]).map { try pair($0) }
        return (a.mapValues { Int($0) ?? -1 }, b)
    }

    @Test(arguments: [1, 3])
    func byKey(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, Self.input) { run in
            let a = Self.sides(run).a
            let combined = a.combineByKey(
                create: { ["\($0)"] }, mergeValue: { $0 + ["\($1)"] }, mergeCombiners: { $0 + $1 })
            return [
                "flatMapValues": a.flatMapValues { [$0, $0] }.map { "\($0.0)=\($0.1)" },
                "groupByKey": a.groupByKey().map { "\($0.0)=\(text($0.1))" },
                "combineByKey": combined.map { "\($0.0)=\(text($0.1))" },
                "aggregateByKey": a.aggregateByKey(0, { $0 + $1 }, +).map { "\($0.0)=\($0.1)" },
                "foldByKey": a.foldByKey(0, +).map { "\($0.0)=\($0.1)" },
            ]
        }
        let doubled = [["k=1", "k=1", "k=2", "k=2", "x=3", "x=3"], ["k=4", "k=4"], ["y=5", "y=5"]]
        #expect(watched["flatMapValues"] == doubled)
        #expect(watched["groupByKey"] == [["k=[1 2]", "x=[3]"], ["k=[4]"], ["y=[5]"]])
        #expect(watched["combineByKey"] == watched["groupByKey"])
        #expect(watched["aggregateByKey"] == [["k=3", "x=3"], ["k=4"], ["y=5"]])
        #expect(watched["foldByKey"] == watched["aggregateByKey"])
    }

    @Test(arguments: [1, 3])
    func joins(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, Self.input) { run in
            let (a, b) = Self.sides(run)
            return [
                "cogroup": a.cogroup(b).map { "\($0.0)=\(text($0.1.0))\(text($0.1.1))" },
                "join": a.join(b).map { "\($0.0)=\($0.1.0),\($0.1.1)" },
                "left": a.leftOuterJoin(b).map { "\($0.0)=\($0.1.0),\(text($0.1.1))" },
                "right": a.rightOuterJoin(b).map { "\($0.0)=\(text($0.1.0)),\($0.1.1)" },
                "full": a.fullOuterJoin(b).map { "\($0.0)=\(text($0.1.0)),\(text($0.1.1))" },
                "with": a.transformWith(b) { a, b, _ in a.subtractByKey(b) }.map { "\($0.0)=\($0.1)" },
            ]
        }
        #expect(watched["cogroup"] == [["k=[1 2][p]", "x=[3][]", "z=[][q]"], ["k=[4][]"], ["y=[5][r s]"]])
        #expect(watched["join"] == [["k=1,p", "k=2,p"], [], ["y=5,r", "y=5,s"]])
        #expect(watched["left"] == [["k=1,p", "k=2,p", "x=3,-"], ["k=4,-"], ["y=5,r", "y=5,s"]])
        #expect(watched["right"] == [["k=1,p", "k=2,p", "z=-,q"], [], ["y=5,r", "y=5,s"]])
        #expect(watched["full"] == [["k=1,p", "k=2,p", "x=3,-", "z=-,q"], ["k=4,-"], ["y=5,r", "y=5,s"]])
        #expect(watched["with"] == [["x=3"], ["k=4"], []])
    }

    @Test(arguments: [1, 3])
    func joinsOfDifferentStagesAndOfAStreamWithItself(tasks: Int) throws {
        let watched = try Watched(tasks: tasks, Self.input) { run in
            let a = Self.sides(run).a
            let sums = a.reduceByKey(+)
            return [
                "share": a.join(sums).map { "\($0.0)=\($0.1.0)/\($0.1.1)" },
                "turned": sums.join(a).map { "\($0.0)=\($0.1.1)/\($0.1.0)" },
                "self": a.join(a).map { "\($0.0)=\($0.1.0),\($0.1.1)" },
                "with": a.transformWith(sums) { a, sums, time in
                    ["\(a.count) \(sums.count) \(time.milliseconds - ManualClock.startMs)"]
                },
            ]
        }
        #expect(watched["share"] == [["k=1/3", "k=2/3", "x=3/3"], ["k=4/4"], ["y=5/5"]])
        #expect(watched["turned"] == watched["share"])
        #expect(watched["self"] == [["k=1,1", "k=1,2", "k=2,1", "k=2,2", "x=3,3"], ["k=4,4"], ["y=5,5"]])
        #expect(watched["with"] == [["3 2 1000"], ["1 1 2000"], ["1 1 3000"]])
    }

    @Test(arguments: [1, 3])
    func nothingOfABatchIsLeftForTheNext(tasks: Int) throws {
        let input: [[TopicName: [String]]] = [["a": ["k=1"], "b": []], ["a": [], "b": ["k=p"]], ["a": [], "b": []]]
        let watched = try Watched(tasks: tasks, input) { run in
            let (a, b) = Self.sides(run)
            return [
                "join": a.join(b).map { "\($0.0)=\($0.1.0),\($0.1.1)" },
                "full": a.fullOuterJoin(b).map { "\($0.0)=\(text($0.1.0)),\(text($0.1.1))" },
                "group": a.groupByKey().map { $0.0 },
            ]
        }
        #expect(watched["join"] == [[], [], []])
        #expect(watched["full"] == [["k=1,-"], ["k=-,p"], []])
        #expect(watched["group"] == [["k"], [], []])
    }
}
