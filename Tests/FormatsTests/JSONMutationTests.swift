import Formats
import StreamCore
import Testing

/// Valid documents, broken at random from a fixed seed: the decoder must agree with the reference on each.
@Suite struct JSONMutationTests {
    static let documents = [
        #"{"a":1,"b":"text","c":[1,2.5,-3e2,{"d":null}],"e":{"f":true,"g":false},"h":""}"#,
        #"{ "a" : [ ] , "b" : { } , "c" : [ [ ] , [ { } ] ] , "d" : "é😀ü" }"#,
        #"{"esc":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","k\u0065y":"\\","t":"2024-01-02T03:04:05Z"}"#,
        #"{"n":0,"m":-0.0,"o":10e+5,"p":123456789012345678901234567890,"q":1E-2}"#,
        "{\"long\":\"" + String(repeating: "x", count: 150) + "\",\"z\":[\"" + String(repeating: "y", count: 70)
            + "\"]}",
        #"{"a":"b"}"#, "{}",
    ]
    /// What JSON is made of, and what breaks it.
    static let alphabet =
        Array("{}[]:,\"\\ \n\t0123456789.-+eEtruefalsnu/bx\u{c}\u{1a}\u{0}é".utf8) + [0x80, 0xC3, 0xE2, 0xFF]

    static func mutate(_ bytes: inout [UInt8], _ random: inout StableRandom) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.removeLast(bytes.count - place)
        case 3: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
        case 4: bytes[place] = alphabet.randomElement(using: &random) ?? 0
        case 5:
            let end = min(bytes.count, place + Int.random(in: 1...12, using: &random))
            bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
        default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
        }
    }

    /// The fields are read as text (which takes any value) by one decoder and not at all by another.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func agreesWithTheReference(_ seed: UInt64) throws {
        var random = StableRandom(seed: seed)
        let names = ["a", "b", "c", "d", "e", "esc", "key", "n", "p", "long", "z", "h"]
        let reading = try JSONDecoder(schema: Schema(names.map { Field($0, .string) }))
        let skipping = try JSONDecoder(schema: Schema([]))
        for round in 0..<8 {
            let batch = (0..<500).map { _ in
                var bytes = Array((Self.documents.randomElement(using: &random) ?? "{}").utf8)
                for _ in 0..<Int.random(in: 1...3, using: &random) { Self.mutate(&bytes, &random) }
                return bytes
            }
            let source = block(bytes: batch)
            let expected = batch.indices.filter { !ReferenceJSON.isObject(batch[$0]) }.map(Int32.init)
            for decoder in [reading, skipping] {
                let found = decoder.decode(source).faults.map(\.row)
                let differing = Set(found).symmetricDifference(expected)
                #expect(
                    differing.isEmpty,
                    "seed \(seed) round \(round): \(differing.map { String(decoding: batch[Int($0)], as: UTF8.self) })")
            }
        }
    }

    /// Every prefix of a document is truncated, and nothing of the next one is taken for its rest.
    @Test(arguments: documents) func everyPrefixIsTruncated(_ document: String) throws {
        let bytes = Array(document.utf8)
        let decoder = try JSONDecoder(schema: Schema([Field("a", .string)]))
        let prefixes = (0..<bytes.count).map { Array(bytes[..<$0]) }
        let faults = decoder.decode(block(bytes: prefixes + [bytes])).faults
        #expect(faults.map(\.row) == (0..<Int32(bytes.count)).map { $0 })
    }

    /// A prefix right in front of the bytes that would complete it.
    @Test(arguments: documents) func aNeighbourIsNotRead(_ document: String) throws {
        let bytes = Array(document.utf8)
        let decoder = try JSONDecoder(schema: Schema([Field("a", .string)]))
        for end in 1..<bytes.count {
            let source = RecordBlock(topics: ["t"])
            source.arena.append(contentsOf: bytes)
            source.slots.append(RecordSlot(value: ByteView(start: 0, length: end)))
            #expect(decoder.decode(source).faults.count == 1, "the first \(end) bytes")
        }
    }

    /// Typed columns over garbage: whatever comes out, rows are there, faulted rows are null, and nothing crashes.
    @Test(arguments: [11, 12, 13] as [UInt64]) func typedColumnsSurviveGarbage(_ seed: UInt64) throws {
        var random = StableRandom(seed: seed)
        let decoder = try JSONDecoder(schema: RandomRows.schema)
        let encoder = try JSONEncoder(schema: RandomRows.schema)
        for _ in 0..<20 {
            let rows = RandomRows.batch(50, &random)
            let arena = ByteArena()
            let values = try encoder.encode(rows, into: arena).map { view in
                var bytes = arena.array(view)
                for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, &random) }
                return bytes
            }
            let (batch, faults) = decoder.decode(block(bytes: values))
            for fault in faults {
                #expect(batch.columns.allSatisfy { show($0, Int(fault.row)) == "null" })
            }
            for row in 0..<batch.count { #expect(!show(batch, row).isEmpty) }
        }
    }
}
