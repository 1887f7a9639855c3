import Testing

@testable import BrokerServer

@Suite struct FrameBufferTests {
    private func frames(of input: [UInt8], in buffer: inout FrameBuffer, pieces: Int) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        var start = 0
        while start < input.count {
            let piece = Array(input[start..<min(start + pieces, input.count)])
            start += piece.count
            var range = 0..<piece.count
            while let frame = try buffer.next(in: piece, &range, nowMs: 0) { found.append(frame) }
            #expect(range.isEmpty)
        }
        return found
    }

    @Test(arguments: 1...13) func cutsAtFramesEndsHoweverBytesCome(pieces: Int) throws {
        var buffer = FrameBuffer(frameBytesMax: 100)
        let input: [UInt8] = [0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 1, 9, 0, 0, 0, 2, 7, 8, 0, 0]
        #expect(try result { try frames(of: input, in: &buffer, pieces: pieces) == [[1, 2, 3], [9], [7, 8]] })
        #expect(buffer.count == 2)
        #expect(!buffer.isEmpty)
        #expect(try result { try frames(of: [0, 1, 5], in: &buffer, pieces: pieces) == [[5]] })
        #expect(buffer.isEmpty)
    }

    @Test func refusesLengthsThatCannotBe() {
        let cases: [([UInt8], FramingError)] = [
            ([0, 0, 0, 0], .lengthInvalid(0)), ([0xFF, 0xFF, 0xFF, 0xFF], .lengthInvalid(-1)),
            ([0x80, 0, 0, 0], .lengthInvalid(.min)), ([0, 0, 0, 101], .tooLarge(101, max: 100)),
            // "GET " of a browser that went astray.
            ([0x47, 0x45, 0x54, 0x20], .tooLarge(0x4745_5420, max: 100)),
        ]
        for (input, error) in cases {
            var buffer = FrameBuffer(frameBytesMax: 100)
            var range = 0..<4
            #expect(throws: error) { try buffer.next(in: input, &range, nowMs: 0) }
        }
    }

    @Test func takesTheLargestFrame() throws {
        var buffer = FrameBuffer(frameBytesMax: 100)
        let body = [UInt8](repeating: 4, count: 100)
        #expect(try result { try frames(of: [0, 0, 0, 100] + body, in: &buffer, pieces: 7) == [body] })
    }

    @Test func readsTheRestOfALargeFrameInPlace() throws {
        var buffer = FrameBuffer(frameBytesMax: 1 << 20)
        var range = 0..<6
        #expect(try result { try buffer.next(in: [0, 1, 0, 0, 10, 11], &range, nowMs: 0) == nil })
        #expect(buffer.missing == 65_534)
        var rounds = 0
        while buffer.missing > 0 {
            let (here, missing) = (buffer.count - 4, buffer.missing)
            var room = 0
            buffer.receive { span in
                room = span.freeCapacity
                while !span.isFull { span.append(12) }
            }
            #expect(room > 0 && room <= missing)
            // A length of 64 KiB is claimed, and memory for few times the bytes that came is taken.
            #expect(room <= max(here * 4, 8_192))
            rounds += 1
        }
        #expect(rounds > 2)
        let frame = buffer.takeIfComplete()
        #expect(frame == [10, 11] + [UInt8](repeating: 12, count: 65_534))
        #expect(result { buffer.isEmpty && buffer.takeIfComplete() == nil })
    }

    @Test func givesAFrameTimeForWhatCame() throws {
        var buffer = FrameBuffer(frameBytesMax: 1 << 20)
        #expect(buffer.deadline(limitMs: 30_000) == nil)
        var range = 0..<1
        #expect(try result { try buffer.next(in: [0], &range, nowMs: 1_000) == nil })
        #expect(buffer.deadline(limitMs: 30_000) == 31_000)
        range = 0..<3
        #expect(try result { try buffer.next(in: [4, 0, 0], &range, nowMs: 9_000) == nil })
        range = 0..<131_072
        #expect(try result { try buffer.next(in: [UInt8](repeating: 1, count: 131_072), &range, nowMs: 9_500) == nil })
        // Two times 64 KiB came: two seconds more.
        #expect(buffer.deadline(limitMs: 30_000) == 33_000)
        buffer.pardon(5_000)
        #expect(buffer.deadline(limitMs: 30_000) == 38_000)
    }
}
