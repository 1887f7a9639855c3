import Testing

@testable import KafkaWire

/// Bytes that no client would send: they throw, and nothing more.
@Suite struct FaultTests {
    @Test func everyPrefixThrows() {
        for line in GoldenLine.all {
            var accepted: [Int] = []
            for length in 0..<line.bytes.count where (try? line.decode(line.bytes[..<length])) != nil {
                accepted.append(length)
            }
            #expect(accepted.isEmpty, "\(line)")
        }
    }

    /// What is read out of damaged bytes holds together: written and read again it is the same.
    @Test func mutationsNeverTrap() {
        var numbers = SeededNumbers(state: 20_250)
        var read = 0
        var refused = 0
        let lines = GoldenLine.all
        for round in 0..<200_000 {
            let line = lines[round % lines.count]
            let bytes = mutated(line.bytes, &numbers)
            guard let decoded = try? line.decode(bytes[...]) else {
                refused += 1
                continue
            }
            read += 1
            // An API or version that was mutated is that of the request; a response has those of its line.
            let again = (try? line.encode(decoded)).flatMap { try? line.decode($0[...]) }
            if again != decoded { Issue.record("round \(round) of \(line)") }
            if round % 16 == 0 {
                let elements = elementCount(decoded.message)
                if elements > bytes.count { Issue.record("\(elements) elements out of \(bytes.count) bytes: \(line)") }
            }
        }
        // Both happen a lot, or the mutations are of no use.
        #expect(read > 20_000)
        #expect(refused > 20_000)
    }

    @Test func randomBytesNeverTrap() {
        var numbers = SeededNumbers(state: 7)
        for key in APIKey.allCases {
            for version in key.versions {
                for _ in 0..<50 {
                    let count = Int.random(in: 0..<200, using: &numbers)
                    let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
                    let head = [0, UInt8(key.rawValue), 0, UInt8(version), 0, 0, 0, 1, 255, 255]
                    _ = try? RequestFrame(decoding: (head + noise)[...])
                    _ = try? ResponseFrame(decoding: noise[...], key: key, version: version)
                }
            }
        }
    }

    /// The longest list that a count may promise: refused by the bytes that are left, before room is made for it.
    @Test(arguments: [Int32.max, 1_000_000, 1, -2, .min]) func countsAreChecked(count: Int32) {
        let bytes = withUnsafeBytes(of: count.bigEndian) { unsafe Array($0) }
        var reader = WireReader(bytes[...], version: 0, isFlexible: false)
        var list: [Int64] = []
        #expect(throws: WireError.invalidLength(Int64(count))) { try reader.field(&list) }
        #expect(list.capacity == 0)
    }

    @Test func compactCountsAreChecked() {
        // 0xFFFFFFFF stands for a length of 2^32 - 2.
        var reader = WireReader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2], version: 0, isFlexible: true)
        var records: ArraySlice<UInt8>?
        #expect(throws: WireError.invalidLength(4_294_967_294)) { try reader.field(&records) }
    }

    /// A list that is not as long as its bytes allow does not take memory by its count.
    @Test func listsGrowAsTheyAreRead() {
        let bytes: [UInt8] = [0, 0x0F, 0x42, 0x40] + Array(repeating: 0xFF, count: 1_000_000)
        var reader = WireReader(bytes[...], version: 0, isFlexible: false)
        var topics: [OffsetDeleteRequest.Topic] = []
        #expect(throws: WireError.unexpectedNull) { try reader.field(&topics) }
    }

    @Test func tagsMustFillTheirLength() throws {
        // ApiVersions version 3: no error, no APIs, no throttling; tag 1 (an INT64) with nine bytes.
        let head: [UInt8] = [0, 0, 0, 7, 0, 0, 1, 0, 0, 0, 0]
        let tag: [UInt8] = [1, 1, 9, 0, 0, 0, 0, 0, 0, 0, 5, 0]
        #expect(throws: WireError.invalidTag(1)) {
            try ResponseFrame(decoding: (head + tag)[...], key: .apiVersions, version: 3)
        }
        let right: [UInt8] = [1, 1, 8, 0, 0, 0, 0, 0, 0, 0, 5]
        let frame = try ResponseFrame(decoding: (head + right)[...], key: .apiVersions, version: 3)
        #expect(frame.response == .apiVersions(APIVersionsResponse { $0.finalizedFeaturesEpoch = 5 }))
    }

    private func mutated(_ original: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &numbers) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &numbers)
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            case 1: bytes[index] = UInt8.random(in: 0...255, using: &numbers)
            case 2: bytes[index] = [0x00, 0x01, 0x7F, 0x80, 0xFF][Int.random(in: 0..<5, using: &numbers)]
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &numbers), at: index)
            case 4: bytes.remove(at: index)
            default: bytes[index...] = bytes[index...].prefix(Int.random(in: 0..<bytes.count, using: &numbers))
            }
        }
        return bytes
    }

    private func elementCount(_ value: Any) -> Int {
        if value is String || value is [UInt8] || value is ArraySlice<UInt8> { return 0 }
        let mirror = Mirror(reflecting: value)
        let own = mirror.displayStyle == .collection ? mirror.children.count : 0
        return mirror.children.reduce(own) { $0 + elementCount($1.value) }
    }
}
