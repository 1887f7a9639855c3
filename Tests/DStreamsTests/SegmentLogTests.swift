import StreamCore
import Testing

@testable import DStreams

/// The write-ahead log of receivers: what was acknowledged is there after any crash, and once.
@Suite struct SegmentLogTests {
    private let folder = TempFolder()

    private func open(segmentBytes: Int = 1 << 20) throws -> SegmentLog {
        let log = SegmentLog(path: folder.path + "/log", segmentBytes: segmentBytes)
        #expect(try log.open())
        return log
    }

    private func texts(_ log: SegmentLog, from position: Int64 = 0) throws -> [String] {
        let reader = log.makeReader()
        var texts: [String] = []
        var next = position
        while true {
            let block = RecordBlock(topics: ["t"])
            guard case .upTo(let position) = try reader.read(from: Position(next), into: block, bytesMax: 1) else {
                return texts
            }
            #expect(block.slots.first?.offset == next)
            next = position.number
            texts += (0..<block.count).map { String(decoding: block.value($0) ?? [], as: UTF8.self) }
        }
    }

    @Test func recordsComeBackAsTheyWere() throws {
        let log = try open()
        try log.append([
            Record(key: "k", value: "v", headers: [RecordHeader("h", [1]), RecordHeader("n", nil)], timestampMs: 5),
            .tombstone(key: "t"), Record(value: [0, 255]),
        ])
        let block = RecordBlock(topics: ["t"])
        _ = try log.makeReader().read(from: 0, into: block, bytesMax: 1 << 20)
        #expect(block.count == 3)
        #expect(block.key(0) == Array("k".utf8))
        #expect(block.value(0) == Array("v".utf8))
        #expect(block.headers(0) == [RecordHeader("h", [1]), RecordHeader("n", nil)])
        #expect(block.slots[0].timestamp == 5)
        #expect(block.key(1) == Array("t".utf8))
        #expect(block.value(1) == nil)
        #expect(block.key(2) == nil)
        #expect(block.value(2) == [0, 255])
        #expect(block.slots.map(\.offset) == [0, 1, 2])
    }

    @Test func theCheckValueOfCRC32() {
        // The published check value of CRC-32/ISO-HDLC.
        #expect(CRC32.of(Array("123456789".utf8)) == 0xCBF4_3926)
    }

    @Test func aRestartGoesOnBehindWhatIsThere() throws {
        for part in [["a", "b"], ["c"], [], ["d"]] {
            let log = try open()
            if !part.isEmpty { try log.append(part.map { Record(value: $0) }) }
            log.letGo()
        }
        let log = try open()
        #expect(try texts(log) == ["a", "b", "c", "d"])
        #expect(try texts(log, from: 2) == ["c", "d"])
        #expect(log.bounds == 0..<4)
    }

    @Test func wholeSegmentsGoWhenTheyAreCommitted() throws {
        let log = try open(segmentBytes: 1)
        for text in ["a", "b", "c"] { try log.append([Record(value: text)]) }
        #expect(folder.names("log").count == 4)  // and the lock
        log.trim(before: 2)
        #expect(log.bounds == 2..<3)
        #expect(log.heldBytes(behind: 3) == 0)
        // The newest stays, so that the next record is not the first again.
        log.trim(before: 3)
        log.letGo()
        let again = try open()
        #expect(again.bounds == 2..<3)
        try again.append([Record(value: "d")])
        #expect(try texts(again, from: 3) == ["d"])
        let block = RecordBlock(topics: ["t"])
        guard case .lost(let next) = try again.makeReader().read(from: 1, into: block, bytesMax: 1) else {
            Issue.record("position 1 is there")
            return
        }
        #expect(next == 2)
    }

    @Test func whatACrashCutOffIsDropped() throws {
        let log = try open()
        try log.append([Record(value: "first")])
        try log.append([Record(value: "second")])
        log.letGo()
        let name = "log/00000000000000000000.log"
        let whole = try #require(folder.bytes(name))
        for count in 0..<whole.count {
            folder.write(name, Array(whole[..<count]))
            let cut = try open()
            #expect(try texts(cut) == (count < whole.count / 2 ? [] : ["first"]))
            cut.letGo()
        }
        // Zeros where a page did not come to disk, and what is appended later.
        folder.write(name, whole[..<30] + [UInt8](repeating: 0, count: 40))
        let log2 = try open()
        try log2.append([Record(value: "third")])
        #expect(try texts(log2) == ["first", "third"])
        log2.letGo()
        let log3 = try open()
        #expect(try texts(log3) == ["first", "third"])
    }

    @Test func damageInFrontOfALaterRecordIsAnError() throws {
        let log = try open()
        try log.append([Record(value: "first")])
        try log.append([Record(value: "second")])
        log.letGo()
        let name = "log/00000000000000000000.log"
        var bytes = try #require(folder.bytes(name))
        bytes[20] ^= 1
        folder.write(name, bytes)
        #expect(throws: StreamError("RECEIVER_LOG_DAMAGED", "")) { try open() }
    }

    @Test func oneTornAppendIsNoDamage() throws {
        let log = try open()
        try log.append([Record(value: "first")])
        try log.append([Record(value: "second"), Record(value: "third")])
        log.letGo()
        let name = "log/00000000000000000000.log"
        var bytes = try #require(folder.bytes(name))
        // The first frame is 8 + 16 + 5 bytes; of the second append the first half did not come to disk.
        for index in 29 + 10..<29 + 20 { bytes[index] = 0xAA }
        folder.write(name, bytes)
        #expect(try texts(open()) == ["first"])
    }

    @Test func oneProcessAtATime() throws {
        let log = try open()
        let other = SegmentLog(path: folder.path + "/log", segmentBytes: 1)
        #expect(try !other.open())
        log.letGo()
        #expect(try other.open())
    }
}
