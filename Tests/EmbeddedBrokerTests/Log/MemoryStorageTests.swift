import EmbeddedBroker
import Testing

@Suite struct MemoryStorageTests {
    /// Ten pieces of seven bytes, each of its own number, in chunks of sixteen bytes.
    private func filled() throws -> MemoryStorage {
        var storage = MemoryStorage(chunkBytes: 16)
        for piece in 0..<10 {
            let bytes = [UInt8](repeating: UInt8(piece), count: 7)
            try storage.append(bytes[...], baseOffset: Int64(piece), maxTimestamp: 0)
        }
        return storage
    }

    @Test func readsOverChunks() throws {
        let storage = try filled()
        #expect(storage.endPosition == 70)
        #expect(try storage.read(at: 5, count: 4) == [0, 0, 1, 1])
        #expect(try storage.read(at: 0, count: 70) == (0..<70).map { UInt8($0 / 7) })
        #expect(try storage.read(at: 68, count: 100) == [9, 9])
        #expect(try storage.read(at: 70, count: 1).isEmpty)
        #expect(try storage.read(at: 3, count: -1).isEmpty)
        #expect(throws: StorageError.self) { try storage.read(at: 71, count: 1) }
        #expect(throws: StorageError.self) { try storage.read(at: -1, count: 1) }
    }

    @Test func headIsCutOff() throws {
        var storage = try filled()
        try storage.truncateHead(startOffset: 3, position: 21)
        #expect(storage.startOffset == 3 && storage.startPosition == 21)
        #expect(try storage.read(at: 21, count: 8) == [3, 3, 3, 3, 3, 3, 3, 4])
        #expect(throws: StorageError.self) { try storage.read(at: 20, count: 1) }
        try storage.truncateHead(startOffset: 10, position: 70)
        try storage.append([1, 2][...], baseOffset: 10, maxTimestamp: 0)
        #expect(try storage.read(at: 70, count: 9) == [1, 2])
    }

    @Test func tailIsCutOff() throws {
        var storage = try filled()
        try storage.truncateTail(position: 10)
        try storage.append([8][...], baseOffset: 2, maxTimestamp: 0)
        #expect(try storage.read(at: 5, count: 9) == [0, 0, 1, 1, 1, 8])
        try storage.truncateTail(position: 0)
        #expect(storage.endPosition == 0)
        #expect(throws: StorageError.self) { try storage.truncateTail(position: 1) }
    }

    @Test func headIsReplaced() throws {
        for below in stride(from: Int64(0), through: 70, by: 7) {
            for count in [0, 3, 40, 90] {
                var storage = try filled()
                try storage.beginReplacement(below: below)
                let piece = [UInt8](repeating: 99, count: 1)
                for _ in 0..<count { try storage.appendReplacement(piece[...], baseOffset: 0, maxTimestamp: 0) }
                #expect(try storage.read(at: 0, count: 7) == [UInt8](repeating: 0, count: 7))
                try storage.commitReplacement()
                #expect(storage.startPosition == below - Int64(count) && storage.endPosition == 70)
                let tail = (Int(below)..<70).map { UInt8($0 / 7) }
                let expected = [UInt8](repeating: 99, count: count) + tail
                #expect(try storage.read(at: storage.startPosition, count: 500) == expected)
                try storage.append([5][...], baseOffset: 10, maxTimestamp: 0)
                #expect(try storage.read(at: storage.startPosition, count: 500) == expected + [5])
            }
        }
    }

    @Test func replacementMayBeForgotten() throws {
        var storage = try filled()
        try storage.beginReplacement(below: 14)
        storage.discardReplacement()
        #expect(throws: StorageError.self) { try storage.commitReplacement() }
        #expect(try storage.read(at: 0, count: 1) == [0])
    }
}
