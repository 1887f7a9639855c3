import Testing

@testable import KafkaWire

@Suite struct FrameTests {
    @Test func framesHaveTheirLength() throws {
        let line = try #require(GoldenLine.find(.metadata, 9, request: false))
        let response = try ResponseFrame(decoding: line.bytes[...], key: .metadata, version: 9).response
        let header = RequestHeader(key: .metadata, version: 9, correlationID: 77, clientID: nil)
        let frame = try ResponseFrame.encode(response, to: header)
        let length = frame.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        #expect(length == frame.count - 4)
        #expect(Array(frame.dropFirst(4)) == line.bytes)
    }

    /// In pieces a frame has the same bytes, however many of its record batches stay where they are.
    @Test(arguments: [4, 11, 12] as [Int16]) func piecesAreTheFrame(version: Int16) throws {
        let batches = [[UInt8](repeating: 1, count: 50), [], [UInt8](repeating: 2, count: 100)]
        let response = Response.fetch(
            FetchResponse {
                $0.topics = [
                    FetchResponse.Topic {
                        $0.name = "t"
                        $0.partitions = batches.map { records in
                            FetchResponse.Partition { $0.records = records[...] }
                        }
                    }
                ]
            })
        let header = RequestHeader(key: .fetch, version: version, correlationID: 5, clientID: nil)
        let whole = try ResponseFrame.encode(response, to: header)
        for (detachedMin, count) in [(1, 5), (50, 5), (51, 3), (100, 3), (101, 1)] {
            let pieces = try ResponseFrame.pieces(response, to: header, detachingFrom: detachedMin)
            #expect(pieces.count == count)
            #expect(Array(pieces.joined()) == whole)
        }
    }

    @Test func headersOfBothVersions() throws {
        // Header version 1 has a client id, 2 has tagged fields after it: here tag 5 with two bytes.
        var old: ArraySlice<UInt8> = [0, 12, 0, 3, 0, 0, 0, 9, 0, 1, 0x63, 0xAA]
        let header = try RequestHeader(decoding: &old)
        #expect(header == RequestHeader(key: .heartbeat, version: 3, correlationID: 9, clientID: "c"))
        #expect(old == [0xAA])
        var new: ArraySlice<UInt8> = [0, 12, 0, 4, 0, 0, 0, 9, 0, 1, 0x63, 1, 5, 2, 0, 0, 0xAA]
        #expect(try RequestHeader(decoding: &new).version == 4)
        #expect(new == [0xAA])
    }

    @Test func refusesWhatIsNotServed() {
        var unknown: ArraySlice<UInt8> = [0, 4, 0, 0, 0, 0, 0, 1, 255, 255]
        #expect(throws: WireError.unknownAPI(4)) { try RequestHeader(decoding: &unknown) }
        var tooNew: ArraySlice<UInt8> = [0, 1, 0, 13, 0, 0, 0, 1, 255, 255, 0]
        #expect(throws: WireError.unsupportedVersion(.fetch, 13)) { try RequestHeader(decoding: &tooNew) }
        // Told to clients, but refused, as by Apache Kafka 4.
        var tooOld: ArraySlice<UInt8> = [0, 0, 0, 2, 0, 0, 0, 1, 255, 255]
        #expect(throws: WireError.unsupportedVersion(.produce, 2)) { try RequestHeader(decoding: &tooOld) }
        var negative: ArraySlice<UInt8> = [0, 3, 255, 255, 0, 0, 0, 1, 255, 255]
        #expect(throws: WireError.unsupportedVersion(.metadata, -1)) { try RequestHeader(decoding: &negative) }
    }

    /// KIP-511: a client of any future version understands the answer, and goes on with what is in it.
    @Test func answersUnknownVersionsOfAPIVersions() throws {
        let request: ArraySlice<UInt8> = [0, 18, 0, 99, 0, 0, 0, 1, 255, 255, 0, 0xDE, 0xAD]
        let frame = try RequestFrame(decoding: request)
        #expect(frame.request == .unsupportedAPIVersions)
        #expect(frame.header.responseVersion == 0)
        let answer = APIVersionsResponse.supported(errorCode: .unsupportedVersion)
        let bytes = try ResponseFrame.encode(.apiVersions(answer), to: frame.header)
        // Length, correlation id, error 35, then as many APIs of six bytes each.
        #expect(bytes[4...].prefix(10) == [0, 0, 0, 1, 0, 35, 0, 0, 0, UInt8(APIKey.allCases.count)])
        #expect(bytes.count == 14 + 6 * APIKey.allCases.count)
        let entry: [UInt8] = [0, 18, 0, 0, 0, 4]
        #expect(stride(from: 14, to: bytes.count, by: 6).contains { Array(bytes[$0..<$0 + 6]) == entry })
    }

    /// librdkafka takes features from ranges: Produce 3 and Fetch 4 for headers, Produce 7 and Fetch 10 for zstd.
    @Test func tellsRangesThatClientsNeed() throws {
        func versions(_ key: APIKey) throws -> ClosedRange<Int16> {
            try #require(APIVersions.supported.first { $0.key == key }).versions
        }
        #expect(APIVersions.supported.count == APIKey.allCases.count)
        #expect(try versions(.produce) == 0...9)
        #expect(try versions(.fetch) == 4...12)
        #expect(try versions(.apiVersions) == 0...4)
        for entry in APIVersions.supported {
            #expect(entry.versions.upperBound == entry.key.versions.upperBound)
        }
    }

    @Test func passesOverWhatFollowsTheLastField() throws {
        let line = try #require(GoldenLine.find(.heartbeat, 4, request: true))
        #expect(try RequestFrame(decoding: (line.bytes + [1, 2])[...]) == RequestFrame(decoding: line.bytes[...]))
    }
}
