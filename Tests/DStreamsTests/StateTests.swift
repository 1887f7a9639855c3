import DStreams
import StreamCore
import Testing

/// Keyed state batch by batch, in all the ways of `WindowTests`. Input and expected values are those of the same
/// programs in Spark.
@Suite struct StateTests {
    private static func pairs(_ run: TestRun) -> DStream<(String, Int)> {
        run.lines.map { (String($0.text.prefix(1)), Int($0.text.dropFirst()) ?? -1) }
    }

    private static func text(_ pair: (String, Int)) -> String { "\(pair.0)\(pair.1)" }

    @Test(arguments: WindowTests.ways.indices)
    func updateStateByKey(way: Int) throws {
        let run = try StatefulRun(WindowTests.input, way: way) {
            Self.pairs($0).updateStateByKey { (values: [Int], state: Int?) -> Int? in
                values.contains(10) ? nil : values.reduce(state ?? 0, +)
            }.map(Self.text)
        }
        #expect(
            run.results.prefix(7) == [["a1"], ["a3", "b1"], ["a3", "b4"], ["a3", "b4"], ["b4"], ["b4"], ["b4"]])
    }

    @Test(arguments: WindowTests.ways.indices)
    func updateStateByKeyFromAnInitialState(way: Int) throws {
        let run = try StatefulRun([["a1"], ["a2", "b1"], ["b3"], []], way: way) {
            Self.pairs($0).updateStateByKey(initialState: ["a": 5, "z": 100]) { (values: [Int], state: Int?) -> Int? in
                values.reduce(state ?? 0, +)
            }.map(Self.text)
        }
        #expect(
            run.results == [["a6", "z100"], ["a8", "b1", "z100"], ["a8", "b4", "z100"], ["a8", "b4", "z100"]])
    }

    private static let spec = StateSpec<String, Int, Int, String> { key, value, state in
        guard let value else { return "\(key) timeout \(state.value ?? -1)" }
        if value == 10 {
            let last = state.value ?? 0
            state.remove()
            return "\(key) removed \(last)"
        }
        state.update((state.value ?? 0) + value)
        return "\(key) v=\(value) \(state.value ?? -1)"
    }

    @Test(arguments: WindowTests.ways.indices)
    func mapWithState(way: Int) throws {
        let mapped = try StatefulRun(WindowTests.input, way: way) {
            Self.pairs($0).mapWithState(Self.spec).stream
        }
        #expect(
            mapped.results == [
                ["a v=1 1"], ["a v=2 3", "b v=1 1"], ["b v=3 4"], [], ["a removed 3"], [], [], [],
            ])
        let snapshots = try StatefulRun(WindowTests.input, way: way) {
            Self.pairs($0).mapWithState(Self.spec).stateSnapshots.map(Self.text)
        }
        #expect(
            snapshots.results == [
                ["a1"], ["a3", "b1"], ["a3", "b4"], ["a3", "b4"], ["b4"], ["b4"], ["b4"], ["b4"],
            ])
    }

    @Test(arguments: WindowTests.ways.indices)
    func idleKeysTimeOutInTheTenthBatch(way: Int) throws {
        let input = [["a1", "a2", "b1"]] + [[String]](repeating: [], count: 12)
        let run = try StatefulRun(input, way: way) {
            let state = Self.pairs($0).mapWithState(Self.spec.timeout(.seconds(2)))
            return state.stream.union(state.stateSnapshots.map { "= \($0.0)\($0.1)" })
        }
        let states = ["= a3", "= b1"]
        #expect(run.results[0] == states + ["a v=1 1", "a v=2 3", "b v=1 1"])
        #expect(run.results[1...8].allSatisfy { $0 == states })
        #expect(run.results[9] == ["a timeout 3", "b timeout 1"])
        #expect(run.results[10...] == [[], [], []])
    }

    @Test(arguments: WindowTests.ways.indices)
    func mapWithStateFromAnInitialState(way: Int) throws {
        let run = try StatefulRun([["a1"], ["a2", "b1"], []], way: way) {
            let state = Self.pairs($0).mapWithState(Self.spec.initialState(["a": 100, "z": 7]))
            return state.stream.union(state.stateSnapshots.map { "= \($0.0)\($0.1)" })
        }
        #expect(
            run.results.prefix(2) == [
                ["= a101", "= z7", "a v=1 101"], ["= a103", "= b1", "= z7", "a v=2 103", "b v=1 1"],
            ])
    }

    /// As in Spark, where the initial state is there whether the first batch has records or not.
    @Test(arguments: WindowTests.ways.indices)
    func anInitialStateOutlivesAnEmptyFirstBatch(way: Int) throws {
        let run = try StatefulRun([[], [], ["a1"], ["z1"]], way: way) {
            Self.pairs($0).mapWithState(Self.spec.initialState(["a": 100, "z": 7])).stream
        }
        #expect(run.results == [[], [], ["a v=1 101"], ["z v=1 8"]])
    }

    @Test func anUpdateBehindARemovalStopsTheQuery() throws {
        let run = TestRun()
        let spec = StateSpec<String, Int, Int, String> { key, _, state in
            state.remove()
            state.update(1)
            return key
        }
        Self.pairs(run).mapWithState(spec).stream.saveToKafka("out") { Record(value: $0) }
        try run.start()
        run.settle()
        run.batch(["a1"])
        #expect(run.failure?.code == "STATE_MISUSE")
        #expect(run.values().isEmpty && run.kafka.changelogs.values.allSatisfy(\.isEmpty))
    }

    @Test func stateNeedsExactlyOnce() throws {
        let run = TestRun(kafka: ScriptedKafka()) { $0.guarantee = .atLeastOnce }
        Self.pairs(run).mapWithState(Self.spec).stream.saveToKafka("out") { Record(value: $0) }
        let error = #expect(throws: StreamError.self) { try run.start() }
        #expect(error?.code == "STATE_GUARANTEE")
    }

    @Test(arguments: ["two words", "a/b"]) func aNameThatNoTopicCanHaveIsRefused(name: String) throws {
        let run = TestRun()
        Self.pairs(run).mapWithState(name: name, Self.spec).stream.saveToKafka("out") { Record(value: $0) }
        let error = #expect(throws: StreamError.self) { try run.start() }
        #expect(error?.code == "STATE_NAME")
    }

    @Test func twoOperatorsOfOneNameAreRefused() throws {
        let run = TestRun()
        for topic in ["x", "y"] {
            Self.pairs(run).mapWithState(name: "twice", Self.spec).stream.saveToKafka(TopicName(topic)) {
                Record(value: $0)
            }
        }
        let error = #expect(throws: StreamError.self) { try run.start() }
        #expect(error?.code == "STATE_NAME")
    }
}
