import StateStore
import StreamCore
import Testing

func encoded(_ value: some StateCodable) -> [UInt8] {
    var writer = StateWriter()
    value.encode(to: &writer)
    return writer.bytes
}

func decoded<Value: StateCodable>(_ bytes: [UInt8], as type: Value.Type = Value.self) throws -> Value {
    var reader = StateReader(bytes)
    return try Value(from: &reader)
}

@Suite struct StateCodableTests {
    @Test func bytesAreThoseOfTheLayout() {
        #expect(encoded(Int(-2)) == [0xfe, 255, 255, 255, 255, 255, 255, 255])
        #expect(encoded(UInt16(0x0102)) == [2, 1])
        #expect(encoded(true) == [1])
        #expect(encoded(1.0) == [0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
        #expect(encoded("né") == [0x6e, 0xc3, 0xa9])
        #expect(encoded([UInt8(7), 8]) == [7, 8])
        #expect(encoded(["a", "", "bc"]) == [1, 0x61, 0, 2, 0x62, 0x63])
        // Numbers need no length.
        #expect(encoded([Int16(1), 2]) == [1, 0, 2, 0])
        #expect(encoded(Int8?.none) == [])
        #expect(encoded(Int8?(5)) == [1, 5])
        #expect(encoded(StatePair("k", Int8(3))) == [1, 0x6b, 3])
        // 200 = 0b1_1001000: a length of two bytes.
        let long = String(repeating: "x", count: 200)
        #expect(encoded([long]) == [0xc8, 1] + [UInt8](repeating: 0x78, count: 200))
    }

    @Test func equalSetsAndDictionariesHaveEqualBytes() {
        let words = (0..<50).map { "word \($0)" }
        #expect(encoded(Set(words)) == encoded(Set(words.reversed())))
        #expect(encoded(Set(["b", "a"])) == [1, 0x61, 1, 0x62])
        let pairs = words.map { ($0, $0.utf8.count) }
        #expect(
            encoded(Dictionary(uniqueKeysWithValues: pairs))
                == encoded(Dictionary(uniqueKeysWithValues: pairs.reversed())))
        #expect(encoded(0.0) == encoded(-0.0))
    }

    @Test func everythingComesBack() throws {
        func check<Value: StateCodable & Equatable>(_ value: Value) throws {
            #expect(try decoded(encoded(value)) == value)
            #expect(try decoded(encoded([value, value])) == [value, value])
            #expect(try decoded(encoded(StatePair(value, [value]))) == StatePair(value, [value]))
            #expect(try decoded(encoded(Value?(value)), as: Value?.self) == value)
            if let size = Value.encodedSize { #expect(encoded(value).count == size) }
        }
        try check(Int.min)
        try check(UInt.max)
        try check(Int8(-1))
        try check(Int32.max)
        try check(UInt64(1) << 63)
        try check(false)
        try check(Float.pi)
        try check(-Double.infinity)
        try check("")
        try check("𝄞 und é")
        try check([UInt8]())
        try check(["a": [1, 2], "b": []])
        try check(Set([[1], [2, 3]]))
        try check([Int?.none, 4])
        try check(Visit(user: "u", pages: ["/a", "/b"], score: .infinity))
    }

    @Test func codableTypesAreJSONWithSortedKeys() throws {
        let visit = Visit(user: "u", pages: ["/a"], score: 1.5)
        #expect(String(decoding: encoded(visit), as: UTF8.self) == #"{"pages":["/a"],"score":1.5,"user":"u"}"#)
        #expect(Visit.stateType == "Visit")
        #expect([String: [Visit]].stateType == "[String: [Visit]]")
        #expect(StatePair<Int?, Set<Int16>>.stateType == "(Int64?, Set<Int16>)")
    }

    @Test func aValueThatCannotBeEncodedIsToldByTheWriter() {
        var writer = StateWriter()
        Stubborn().encode(to: &writer)
        #expect(writer.failure?.code == "STATE_ENCODING")
        writer.removeAll()
        #expect(writer.failure == nil)
    }

    @Test func otherBytesAreRefused() {
        #expect(throws: StreamError.self) { try decoded([2], as: Bool.self) }
        #expect(throws: StreamError.self) { try decoded([0xff], as: String.self) }
        #expect(throws: StreamError.self) { try decoded([5, 1], as: [String].self) }
        #expect(throws: StreamError.self) { try decoded([1, 2, 3], as: [Int16].self) }
        #expect(throws: StreamError.self) { try decoded([9], as: Int?.self) }
        #expect(throws: StreamError.self) { try decoded([1, 0x61], as: [String: Int].self) }
        #expect(throws: StreamError.self) { try decoded(Array("{}".utf8), as: Visit.self) }
    }

    @Test func keyHashesAreThoseOfTheirBytes() {
        #expect(stableHash("abc") == 0x44bc_2cf5_ad77_0999)
        #expect(generic("abc") == 0x44bc_2cf5_ad77_0999)
        #expect(stableHash([UInt8]("abc".utf8)) == 0x44bc_2cf5_ad77_0999)
        #expect(stableHash(7) == StableHash.hash([7, 0, 0, 0, 0, 0, 0, 0]))
    }

    @Test func shardsPartitionsAndTasks() {
        let layout = ShardLayout()
        #expect(layout == ShardLayout(shards: 16, partitions: 4))
        #expect(layout.shard(ofKeyHash: 35) == 3)
        #expect(layout.partition(ofShard: 7) == 3)
        #expect(layout.task(ofShard: 7, taskCount: 3) == 1)
        #expect(layout.shards(ofTask: 1, taskCount: 3) == [1, 4, 7, 10, 13])
        #expect(ShardLayout(shards: 2, partitions: 1).shards(ofTask: 2, taskCount: 3) == [])
    }

    private func generic(_ key: some StateCodable) -> UInt64 { stableHash(key) }
}

struct Visit: Codable, StateCodable, Equatable {
    var user: String
    var pages: [String]
    var score: Double
}

struct Stubborn: Codable, StateCodable {
    struct No: Error {}
    init() {}
    init(from decoder: any Decoder) throws { throw No() }
    func encode(to encoder: any Encoder) throws { throw No() }
}
