import EmbeddedBroker
import Foundation
import Testing

@testable import BrokerServer

/// Compaction's bytes take the place of a log's head as a whole, wherever a crash comes.
@Suite struct ReplacementTests {
    @Test func takesTheHeadsPlace() throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        try storage.add(0..<8)
        // Offset 5 begins within the file of 4 and 5.
        try storage.beginReplacement(below: 200)
        try storage.addReplacement([1, 3, 4])
        #expect(try storage.all() == batches(0..<8))
        try storage.commitReplacement()
        #expect(storage.startPosition == 80 && storage.endPosition == 320)
        #expect(try storage.all() == batches([1, 3, 4, 5, 6, 7]))
        #expect(try storage.read(at: 200, count: 40) == batch(5))
        #expect(folder.names == [1, 4, 5, 6].map(Segment.name))
        try storage.add([8])
        #expect(try folder.open().all() == batches([1, 3, 4, 5, 6, 7, 8]))
    }

    @Test func mayGrowVanishAndBeForgotten() throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        try storage.add(0..<4)
        try storage.beginReplacement(below: 80)
        try storage.addReplacement([0, 1], count: 60)
        try storage.commitReplacement()
        #expect(storage.startPosition == -40)
        #expect(try storage.all() == batch(0, count: 60) + batch(1, count: 60) + batches([2, 3]))

        try storage.beginReplacement(below: storage.endPosition)
        try storage.addReplacement([2])
        storage.discardReplacement()
        #expect(throws: StorageError.self) { try storage.commitReplacement() }
        #expect(throws: StorageError.self) { try storage.addReplacement([2]) }
        try storage.beginReplacement(below: storage.endPosition)
        try storage.commitReplacement()
        #expect(try storage.all() == [] && storage.endPosition == 160 && storage.startPosition == 160)
        #expect(folder.names.isEmpty)
        try storage.add([9])
        #expect(try folder.open().all() == batch(9))
    }

    @Test func oldOrNewBytesAreThereAfterACrashAnywhere() throws {
        var (kept, finishedByTheNextStart) = (0, 0)
        var isDone = false
        var step = 0
        while !isDone {
            try #require(step < 200)
            let folder = try TemporaryFolder()
            let disk = Disk()
            var storage = try folder.open(fault: disk)
            try storage.add(0..<8)
            disk.callsLeft = step
            disk.written = step % 41
            do {
                try storage.beginReplacement(below: 200)
                try storage.addReplacement([0, 3, 4])
                try storage.commitReplacement()
                isDone = disk.callsLeft >= 0
            } catch {
                // What a call that throws had to change.
                #expect(try disk.callsLeft < 0 && restored(disk, storage) == batches(0..<8))
            }
            let reopened = try folder.open()
            let bytes = try reopened.all()
            let isNew = bytes == batches([0, 3, 4, 5, 6, 7])
            #expect(isNew || bytes == batches(0..<8), "crash at call \(step)")
            #expect(folder.names.allSatisfy { Segment.baseOffset($0) != nil }, "crash at call \(step)")
            if !isNew { kept += 1 } else if disk.callsLeft < 0 { finishedByTheNextStart += 1 }
            step += 1
        }
        #expect(kept > 10 && finishedByTheNextStart > 5)
    }

    private func restored(_ disk: Disk, _ storage: SegmentStorage) throws -> [UInt8] {
        let left = disk.callsLeft
        disk.callsLeft = .max
        defer { disk.callsLeft = left }
        return try storage.all()
    }

    @Test func refusesAPlanThatItCannotFollow() throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        try storage.add(0..<4)
        for text in [
            "+ ../../x\n", "* 00000000000000000000.log\n", "+ 00000000000000000001.log\n- \(Segment.name(0))\n",
        ] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.log + "/replacement"))
            #expect(throws: StorageError.self) { try folder.open() }
            #expect(folder.names.contains(Segment.name(0)))
        }
    }

    /// The storage in memory is written by the same rules, by other hands.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func agreesWithTheStorageInMemory(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func random(_ count: Int64) -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64((state >> 33) % UInt64(max(1, count)))
        }
        let folder = try TemporaryFolder()
        var disk = try folder.open(150)
        var memory = MemoryStorage(chunkBytes: 100)
        // First bytes of the batches that are there, by their positions in both.
        var starts: [(offset: Int64, position: Int64, count: Int64)] = []
        var next: Int64 = 0
        for _ in 0..<200 {
            switch random(10) {
            case 0 where !starts.isEmpty:
                let kept = Int(random(Int64(starts.count)))
                let position = starts[kept].position
                try disk.truncateHead(startOffset: starts[kept].offset, position: position)
                try memory.truncateHead(startOffset: starts[kept].offset, position: position)
                starts.removeFirst(kept)
            case 1 where !starts.isEmpty:
                let first = Int(random(Int64(starts.count)))
                try disk.truncateTail(position: starts[first].position)
                try memory.truncateTail(position: starts[first].position)
                next = starts[first].offset
                starts.removeSubrange(first...)
            case 2 where !starts.isEmpty:
                let end = Int(random(Int64(starts.count)))
                let below = starts[end].position
                let head = starts[..<end].filter { _ in random(2) == 0 }
                try disk.beginReplacement(below: below)
                try memory.beginReplacement(below: below)
                for (offset, _, count) in head {
                    try disk.addReplacement([offset], count: Int(count))
                    try memory.addReplacement([offset], count: Int(count))
                }
                try disk.commitReplacement()
                try memory.commitReplacement()
                var position = below - head.reduce(0) { $0 + $1.count }
                var moved: [(offset: Int64, position: Int64, count: Int64)] = []
                for (offset, _, count) in head {
                    moved.append((offset, position, count))
                    position += count
                }
                starts = moved + starts[end...]
            default:
                let count = 20 + random(60)
                starts.append((next, disk.endPosition, count))
                try disk.add([next], count: Int(count))
                try memory.add([next], count: Int(count))
                next += 1 + random(3)
            }
            #expect(disk.startOffset == memory.startOffset && disk.endPosition == memory.endPosition)
            let from = starts.first?.position ?? disk.endPosition
            let count = Int(disk.endPosition - from)
            let expected = starts.flatMap { batch($0.offset, count: Int($0.count)) }
            #expect(try disk.read(at: from, count: count) == expected)
            #expect(try memory.read(at: from, count: count) == expected)
        }
        let bytes = try disk.all()
        #expect(try folder.open(150).all() == bytes)
    }
}
