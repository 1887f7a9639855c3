import StateStore
import StreamCore
import Testing

@Suite struct StateBytesTests {
    @Test func numbersAndCountsComeBack() throws {
        var writer = StateWriter()
        writer.append(Int64.min)
        writer.append(UInt16(0xfe01))
        for count in [0, 1, 127, 128, 300, Int.max >> 1] { writer.append(count: count) }
        // 300 = 0b10_0101100: the low seven bits first, with the mark that more follow.
        #expect(Array(writer.bytes[10...]).starts(with: [0, 1, 127, 0x80, 1, 0xac, 2]))
        var reader = StateReader(writer.bytes)
        #expect(try reader.read(Int64.self) == .min)
        #expect(try reader.read(UInt16.self) == 0xfe01)
        for count in [0, 1, 127, 128, 300, Int.max >> 1] { #expect(try reader.readCount() == count) }
        #expect(reader.isAtEnd)
    }

    @Test func whatIsCutShortOrEndlessIsRefused() {
        var short = StateReader([1, 2, 3])
        #expect(throws: StreamError.self) { try short.read(Int32.self) }
        var negative = StateReader([1])
        #expect(throws: StreamError.self) { try negative.take(-1) }
        var endless = StateReader([UInt8](repeating: 0xff, count: 12))
        #expect(throws: StreamError.self) { try endless.readCount() }
    }
}
