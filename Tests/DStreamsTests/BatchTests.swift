import DStreams
import StreamCore
import Testing

/// Operations on one batch; expected values are those of Spark's RDD.
@Suite struct BatchTests {
    private let words: Batch = ["b", "a", "c", "a"]
    private let empty: Batch<String> = []

    @Test func isACollection() {
        #expect(words.count == 4)
        #expect(words.first == "b")
        #expect(words[3] == "a")
        #expect(words.max() == "c")
        #expect(words.sorted() == ["a", "a", "b", "c"])
        #expect(Array(words.dropFirst(2)) == ["c", "a"])
        #expect(empty.isEmpty && empty.first == nil)
        #expect(words == Batch(["b", "a", "c", "a"]))
        #expect("\(words)" == "\(["b", "a", "c", "a"])")
    }

    @Test func elementByElement() {
        #expect(words.map { $0 + $0 } == ["bb", "aa", "cc", "aa"])
        #expect(words.filter { $0 < "c" } == ["b", "a", "a"])
        #expect(words.flatMap { [String](repeating: $0, count: $0 == "a" ? 2 : 0) } == ["a", "a", "a", "a"])
        #expect(words.zipWithIndex().map { "\($0.0)\($0.1)" } == ["b0", "a1", "c2", "a3"])
        #expect(words.union(["a"]) == ["b", "a", "c", "a", "a"])
    }

    @Test func byOrder() {
        let pairs: Batch = [(2, "x"), (1, "y"), (2, "w")]
        #expect(pairs.sortByKey().values() == ["y", "x", "w"])
        #expect(pairs.sortByKey(ascending: false).values() == ["x", "w", "y"])
        #expect(pairs.sortBy { $0.1 }.keys() == [2, 2, 1])
        #expect(words.top(2) == ["c", "b"])
        #expect(words.takeOrdered(3) == ["a", "a", "b"])
        #expect(words.top(9) == ["c", "b", "a", "a"])
        #expect(words.top(-1) == [] && words.takeOrdered(0) == [])
        #expect(pairs.top(1) { $0.0 < $1.0 }.map(\.1) == ["x"])
    }

    @Test func asSets() {
        #expect(words.distinct() == ["b", "a", "c"])
        // Equal elements stay in a difference, and do not in an intersection.
        #expect(words.subtract(["b"]) == ["a", "c", "a"])
        #expect(words.intersection(["a", "a", "b", "z"]) == ["b", "a"])
        #expect(words.countByValue() == ["a": 2, "b": 1, "c": 1])
    }

    @Test func results() throws {
        let numbers: Batch = [4, 1, 3]
        #expect(numbers.collect() == [4, 1, 3])
        #expect(numbers.take(2) == [4, 1])
        #expect(numbers.take(-1) == [])
        #expect(numbers.reduce(-) == 0)
        #expect(Batch<Int>([]).reduce(+) == nil)
        #expect(numbers.fold(10, +) == 18)
        #expect(numbers.aggregate("") { $0 + "\($1)" } == "413")
        #expect(try numbers.sum() == 8)
        #expect(try Batch<Int>([]).sum() == 0)
        #expect(Batch([0.5, 0.25]).sum() == 0.75)
        let error = #expect(throws: StreamError.self) { try Batch<Int8>([100, 100]).sum() }
        #expect(error?.code == "ARITHMETIC_OVERFLOW")
    }

    @Test func byKey() {
        let pairs: Batch = [("k", 1), ("x", 3), ("k", 2)]
        #expect(pairs.keys() == ["k", "x", "k"])
        #expect(pairs.values() == [1, 3, 2])
        #expect(pairs.mapValues { $0 * 10 }.map { "\($0)\($1)" } == ["k10", "x30", "k20"])
        #expect(pairs.flatMapValues { 0..<$0 }.map { "\($0)\($1)" } == ["k0", "x0", "x1", "x2", "k0", "k1"])
        #expect(pairs.reduceByKey(+).map { "\($0)\($1)" } == ["k3", "x3"])
        #expect(pairs.groupByKey().map { "\($0)\($1)" } == ["k[1, 2]", "x[3]"])
        let combined = pairs.combineByKey(create: { "\($0)" }, mergeValue: { $0 + "+\($1)" })
        #expect(combined.map { "\($0):\($1)" } == ["k:1+2", "x:3"])
        #expect(pairs.aggregateByKey(100, +).map { "\($0)\($1)" } == ["k103", "x103"])
        #expect(pairs.lookup("k") == [1, 2])
        #expect(pairs.lookup("z") == [])
        #expect(pairs.collectAsMap() == ["k": 2, "x": 3])
        #expect(pairs.countByKey() == ["k": 2, "x": 1])
        #expect(pairs.subtractByKey(Batch([("x", "-")])).values() == [1, 2])
    }

    @Test func joins() {
        let a: Batch = [("k", 1), ("x", 3), ("k", 2)]
        let b: Batch = [("z", "q"), ("k", "p")]
        #expect(a.join(b).map { "\($0)=\($1.0),\($1.1)" } == ["k=1,p", "k=2,p"])
        #expect(
            a.leftOuterJoin(b).map { "\($0.0)=\($0.1.0),\(text($0.1.1))" } == ["k=1,p", "k=2,p", "x=3,-"])
        #expect(a.rightOuterJoin(b).map { "\($0.0)=\(text($0.1.0)),\($0.1.1)" } == ["k=1,p", "k=2,p", "z=-,q"])
        #expect(
            a.fullOuterJoin(b).map { "\($0.0)=\(text($0.1.0)),\(text($0.1.1))" }
                == ["k=1,p", "k=2,p", "x=3,-", "z=-,q"])
        #expect(
            a.cogroup(b).map { "\($0.0)=\(text($0.1.0))\(text($0.1.1))" } == ["k=[1 2][p]", "x=[3][]", "z=[][q]"])
    }

    @Test func aThrowComesThrough() {
        #expect(throws: Refused.self) { try words.map { _ -> Int in throw Refused() } }
        #expect(throws: Refused.self) { try words.sortBy { _ -> Int in throw Refused() } }
        #expect(throws: Refused.self) { try Batch([("a", 1), ("a", 2)]).reduceByKey { _, _ in throw Refused() } }
    }
}
