import DStreams
import StreamCore
import Testing

/// Windows batch by batch, run straight, with other numbers of tasks, with restarts and repeats in between. Input and
/// expected values are those of the same programs in Spark.
@Suite struct WindowTests {
    static let input = [["a1"], ["a2", "b1"], ["b3"], [], ["a10"], [], [], []]

    private static func pairs(_ run: TestRun) -> DStream<(String, Int)> {
        run.lines.map { (String($0.text.prefix(1)), Int($0.text.dropFirst()) ?? -1) }
    }

    private static func text(_ pair: (String, Int)) -> String { "\(pair.0)\(pair.1)" }

    /// Ways to run that must make no difference. After a restart a batch that nobody computed is caught up.
    static let ways: [(tasks: Int, events: [Int: StatefulRun.Event])] = [
        (1, [:]), (3, [:]), (2, [1: .refuse, 4: .refuse]), (1, [3: .restart(tasks: 2), 6: .restart(tasks: 3)]),
        (3, [2: .restart(tasks: 1), 4: .refuse, 5: .restart(tasks: 4)]),
    ]

    @Test(arguments: ways.indices)
    func reduceByKeyAndWindow(way: Int) throws {
        let run = try StatefulRun(Self.input, way: way) {
            Self.pairs($0).reduceByKeyAndWindow(+, length: .seconds(3)).map(Self.text)
        }
        #expect(
            run.results == [
                ["a1"], ["a3", "b1"], ["a3", "b4"], ["a2", "b4"], ["a10", "b3"], ["a10"], ["a10"], [],
            ])
    }

    @Test(arguments: ways.indices)
    func withInverse(way: Int) throws {
        let run = try StatefulRun(Self.input, way: way) {
            Self.pairs($0).reduceByKeyAndWindow(+, inverse: -, length: .seconds(3)).map(Self.text)
        }
        #expect(
            run.results == [
                ["a1"], ["a3", "b1"], ["a3", "b4"], ["a2", "b4"], ["a10", "b3"], ["a10", "b0"], ["a10", "b0"],
                ["a0", "b0"],
            ])
    }

    @Test(arguments: ways.indices)
    func withInverseAndFilter(way: Int) throws {
        let run = try StatefulRun(Self.input, way: way) {
            Self.pairs($0).reduceByKeyAndWindow(+, inverse: -, length: .seconds(3)) { $1 != 0 }.map(Self.text)
        }
        #expect(
            run.results == [
                ["a1"], ["a3", "b1"], ["a3", "b4"], ["a2", "b4"], ["a10", "b3"], ["a10"], ["a10"], [],
            ])
    }

    @Test(arguments: ways.indices)
    func groups(way: Int) throws {
        let run = try StatefulRun(Self.input, way: way) {
            Self.pairs($0).groupByKeyAndWindow(length: .seconds(3)).map { "\($0.0)\($0.1)" }
        }
        #expect(
            run.results.prefix(7) == [
                ["a[1]"], ["a[1, 2]", "b[1]"], ["a[1, 2]", "b[1, 3]"], ["a[2]", "b[1, 3]"], ["a[10]", "b[3]"],
                ["a[10]"], ["a[10]"],
            ])
    }

    @Test(arguments: ways.indices)
    func counts(way: Int) throws {
        let counted = try StatefulRun(Self.input, way: way) {
            $0.lines.countByWindow(length: .seconds(2)).map { "\($0)" }
        }
        #expect(counted.results.prefix(5) == [["1"], ["3"], ["3"], ["1"], ["1"]])
        let byValue = try StatefulRun(Self.input, way: way) {
            Self.pairs($0).map { $0.0 }.countByValueAndWindow(length: .seconds(2)).map { Self.text($0) }
        }
        #expect(byValue.results.prefix(5) == [["a1"], ["a2", "b1"], ["a1", "b2"], ["b1"], ["a1"]])
    }

    @Test(arguments: ways.indices)
    func aWindowHasItsBatchesInOrder(way: Int) throws {
        let numbers = [["1"], ["2"], ["3"], ["4"], ["5"], ["6"], [], []]
        let run = try StatefulRun(numbers, way: way) {
            $0.lines.map { $0.text }.window(length: .seconds(3)).reduce { a, b in a < b ? a + b : b + a }
        }
        #expect(run.results == [["1"], ["12"], ["123"], ["234"], ["345"], ["456"], ["56"], ["6"]])
    }

    /// Spark's first window of slide 2 ends with the second batch.
    @Test(arguments: ways.indices)
    func slides(way: Int) throws {
        let windows = try StatefulRun(Self.input, way: way) {
            Self.pairs($0).window(length: .seconds(3), slide: .seconds(2)).map(Self.text)
        }
        #expect(windows.results == [[], ["a1", "a2", "b1"], [], ["a2", "b1", "b3"], [], ["a10"], [], []])
        let apart = try StatefulRun(Self.input, way: way) {
            Self.pairs($0).window(length: .seconds(1), slide: .seconds(2)).map(Self.text)
        }
        #expect(apart.results == [[], ["a2", "b1"], [], [], [], [], [], []])
    }

    /// Every length, slide and way, against sums by hand over the same batches.
    @Test(arguments: [1, 2, 3, 5], [1, 2, 3, 4])
    func everyAlignment(length: Int, slide: Int) throws {
        let batches = [[1], [2, 3], [], [4], [5, 6], [7], [], [8]]
        for way in Self.ways.indices {
            let text = batches.map { $0.map { "k\($0)" } }
            for isInvertible in [false, true] {
                let run = try StatefulRun(text, way: way) {
                    let pairs = Self.pairs($0)
                    let windows =
                        isInvertible
                        ? pairs.reduceByKeyAndWindow(+, inverse: -, length: .seconds(length), slide: .seconds(slide)) {
                            $1 != 0
                        }
                        : pairs.reduceByKeyAndWindow(+, length: .seconds(length), slide: .seconds(slide))
                    return windows.map { "\($0.1)" }
                }
                let expected = batches.indices.map { last -> [String] in
                    guard (last + 1) % slide == 0 else { return [] }
                    let sum = batches[max(0, last + 1 - length)...last].joined().reduce(0, +)
                    return sum == 0 ? [] : ["\(sum)"]
                }
                #expect(run.results == expected, "way \(way), inverse \(isInvertible)")
            }
        }
    }

    /// The state of a window is that of its length and slide.
    @Test(arguments: [(3, 1), (2, 2)]) func aWindowThatHasChangedIsRefused(length: Int, slide: Int) throws {
        func program(_ run: TestRun, length: Int, slide: Int) throws {
            Self.pairs(run).reduceByKeyAndWindow(+, inverse: -, length: .seconds(length), slide: .seconds(slide))
                .map(Self.text).saveToKafka("out") { Record(value: $0) }
            try run.start()
        }
        let first = TestRun(tasks: 2)
        try program(first, length: 2, slide: 1)
        first.settle()
        first.batch(["a1"])
        #expect(first.values() == ["a1"])
        let same = TestRun(after: first, tasks: 3)
        same.kafka.append("in", ["a2"])
        try program(same, length: 2, slide: 1)
        same.settle()
        #expect(same.failure == nil)
        #expect(same.values().last == "a3")
        let written = same.values()
        let changed = TestRun(after: same, tasks: 1)
        try program(changed, length: length, slide: slide)
        for _ in 0..<3 { changed.batch(["a4"]) }
        #expect(changed.failure?.code == "STATE_SCHEMA")
        #expect(changed.failure?.message.contains("length 2000 ms, slide 1000 ms, batches of 1000 ms") == true)
        #expect(changed.values() == written, "nothing is written by a program that cannot read its state")
    }

    /// What is older than the intervals that are caught up leaves an inverse window, too.
    @Test func anInverseWindowSurvivesAGapThatIsNotCaughtUp() throws {
        func program(_ run: TestRun) throws {
            Self.pairs(run).reduceByKeyAndWindow(+, inverse: -, length: .seconds(3)) { $1 != 0 }
                .map(Self.text).saveToKafka("out") { Record(value: $0) }
            try run.start()
        }
        let first = TestRun()
        try program(first)
        first.settle()
        first.batch(["a1", "b7"])
        #expect(Set(first.values()) == ["a1", "b7"])
        first.clock.advance(.seconds(100_000))
        let next = TestRun(after: first, tasks: 2)
        next.kafka.append("in", ["a2"])
        try program(next)
        next.settle()
        #expect(next.failure == nil)
        // "a2" was in the oldest of the intervals that were caught up.
        next.batch(["a4"])
        #expect(next.failure == nil)
        #expect(next.values().last == "a4")
        next.batch(["b1"])
        #expect(Set(next.values().suffix(2)) == ["a4", "b1"])
    }

    @Test func aWindowThatDoesNotFitIsRefused() throws {
        for (length, slide) in [(700, 1000), (1000, 1500), (0, 1000)] {
            let run = TestRun()
            run.lines.countByWindow(length: .milliseconds(length), slide: .milliseconds(slide))
                .saveToKafka("out") { Record(value: "\($0)") }
            let error = #expect(throws: StreamError.self) { try run.start() }
            #expect(error?.code == "WINDOW_INTERVAL")
        }
        let nested = TestRun()
        nested.lines.map { $0.text }.window(length: .seconds(4), slide: .seconds(2)).window(length: .seconds(3))
            .saveToKafka("out") { Record(value: $0) }
        let error = #expect(throws: StreamError.self) { try nested.start() }
        #expect(error?.code == "WINDOW_INTERVAL", "a window over a window slides by whole slides of it")
    }
}

extension StatefulRun {
    init(_ batches: [[String]], way: Int, program: (TestRun) -> DStream<String>) throws {
        let way = WindowTests.ways[way]
        try self.init(batches, tasks: way.tasks, events: way.events, program: program)
    }
}
