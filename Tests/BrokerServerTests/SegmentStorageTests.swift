import EmbeddedBroker
import Foundation
import Testing

@testable import BrokerServer

@Suite struct SegmentStorageTests {
    @Test func filesAreNamedByTheirFirstOffset() throws {
        #expect(Segment.name(0) == "00000000000000000000.log")
        #expect(Segment.name(.max) == "09223372036854775807.log")
        #expect(Segment.baseOffset("00000000000000000042.log") == 42)
        for name in ["42.log", "0000000000000000004a.log", "00000000000000000042.index", "99999999999999999999.log"] {
            #expect(Segment.baseOffset(name) == nil)
        }
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        // 100 bytes hold two batches of 40; one of 300 has a file of its own.
        try storage.add([0, 3, 5])
        try storage.add([9], count: 300)
        try storage.add([12])
        #expect(folder.names == [0, 5, 9, 12].map(Segment.name))
        #expect(storage.endPosition == 460 && storage.startPosition == 0)
    }

    @Test func readsOverTheEndsOfFiles() throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        try storage.add(0..<10)
        let expected = batches(0..<10)
        #expect(try storage.all() == expected)
        for (position, count) in [(0, 1), (39, 2), (70, 200), (399, 50), (400, 9), (0, 0), (0, Int.max), (5, -1)] {
            let end = min(expected.count, position + max(0, min(count, 400)))
            #expect(try storage.read(at: Int64(position), count: count) == Array(expected[position..<end]))
        }
        #expect(throws: StorageError.self) { try storage.read(at: 401, count: 1) }
        #expect(throws: StorageError.self) { try storage.read(at: -1, count: 1) }
    }

    @Test func isThereAgainAfterACleanStop() throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        try storage.add(0..<5)
        try storage.truncateHead(startOffset: 3, position: 120)
        // The file of offsets 2 and 3 stays.
        #expect(storage.startPosition == 80 && storage.startOffset == 3)
        try storage.close()
        #expect(throws: StorageError.self) { try storage.add([5]) }

        storage = try folder.open()
        #expect(storage.startOffset == 3 && storage.startPosition == 0 && storage.endPosition == 120)
        #expect(storage.trustedPosition == 120)
        #expect(try storage.all() == batches(2..<5))
        #expect(!folder.names.contains("clean-stop"))
        try storage.add([5])
        #expect(try storage.all() == batches(2..<6))
    }

    @Test(arguments: [(SyncPolicy.everyMs(10), 80), (.eachAppend, 80), (.never, 0)] as [(SyncPolicy, Int64)])
    func trustsWhatWasSyncedAfterACrash(policy: SyncPolicy, trusted: Int64) throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open(100, policy)
        try storage.add(0..<3)
        storage = try folder.open()
        #expect(storage.trustedPosition == trusted && storage.endPosition == 120)
        try storage.close()
        #expect(try folder.open().trustedPosition == 120)
    }

    @Test func doesNotTrustAFileThatChanged() throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        try storage.add(0..<5)
        try storage.close()
        let last = try #require(FileHandle(forWritingAtPath: folder.log + "/" + Segment.name(4)))
        try last.truncate(atOffset: 39)
        storage = try folder.open()
        #expect(storage.trustedPosition == 160 && storage.endPosition == 199)
        try storage.truncateTail(position: 160)
        #expect(try storage.all() == batches(0..<4))
        try storage.add([4])
        #expect(try folder.open().all() == batches(0..<5))
    }

    @Test func cutsItsTail() throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        try storage.add(0..<6)
        try storage.truncateTail(position: 120)
        #expect(folder.names == [0, 2].map(Segment.name))
        #expect(try storage.all() == batches(0..<3))
        try storage.add([3, 4])
        #expect(try folder.open().all() == batches(0..<5))
        try storage.truncateTail(position: 0)
        #expect(folder.names.isEmpty && storage.endPosition == 0)
        try storage.add([7])
        #expect(try folder.open().all() == batch(7))
    }

    @Test func freesItsHead() throws {
        let folder = try TemporaryFolder()
        var storage = try folder.open()
        try storage.add(0..<6)
        try storage.truncateHead(startOffset: 6, position: 240)
        #expect(folder.names == ["start-offset"])
        #expect(storage.startPosition == 240 && storage.endPosition == 240)
        #expect(try storage.read(at: 240, count: 9) == [])
        try storage.add([6])
        #expect(storage.endPosition == 280)
        storage = try folder.open()
        #expect(try storage.startOffset == 6 && storage.all() == batch(6))
    }

    @Test(arguments: [0, 1, 39]) func aFullDiskLeavesTheFileAsItWas(written: Int) throws {
        let folder = try TemporaryFolder()
        let disk = Disk()
        var storage = try folder.open(fault: disk)
        try storage.add([0])
        disk.number = ENOSPC
        disk.written = written
        disk.failing = [.write]
        #expect(throws: StorageError.full) { try storage.add([1]) }
        #expect(try storage.endPosition == 40 && storage.all() == batch(0))
        let size = try FileManager.default.attributesOfItem(atPath: folder.log + "/" + Segment.name(0))[.size]
        #expect(size as? Int == 40)
        disk.failing = []
        try storage.add([1])
        disk.failing = [.write]
        // In a new file now, which goes again.
        #expect(throws: StorageError.full) { try storage.add([2]) }
        #expect(folder.names == [Segment.name(0)])
        disk.failing = []
        try storage.add([2])
        #expect(try folder.open().all() == batches(0..<3))
    }

    @Test func errorsTellTheFile() throws {
        let folder = try TemporaryFolder()
        let disk = Disk()
        var storage = try folder.open(fault: disk)
        try storage.add([0])
        disk.failing = [.read]
        #expect(throws: StorageError.failed("\(folder.log)/00000000000000000000.log: i/o error")) {
            try storage.read(at: 0, count: 1)
        }
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: folder.log + "/start-offset"))
        #expect(throws: StorageError.self) { try folder.open() }
        #expect(throws: StorageError.self) { try SegmentStorage(path: folder.path + "/no/such") }
    }

    @Test func aDataFolderHasOneServer() throws {
        let folder = try TemporaryFolder()
        var lock: FolderLock? = try FolderLock(folder: folder.path)
        #expect(throws: StorageError.failed("\(folder.path)/.lock: another server uses this folder")) {
            try FolderLock(folder: folder.path)
        }
        withExtendedLifetime(lock) {}
        lock = nil
        _ = try FolderLock(folder: folder.path)
        #expect(throws: StorageError.self) { try FolderLock(folder: folder.path + "/none") }
    }

    @Test func syncsAsThePolicySays() throws {
        let folder = try TemporaryFolder()
        let disk = Disk()
        var storage = try folder.open(100, .everyMs(500), fault: disk)
        #expect(try storage.advance(nowMs: 1_000) == nil)
        try storage.add([0])
        #expect(try storage.advance(nowMs: 1_100) == 1_600)
        #expect(try storage.advance(nowMs: 1_599) == 1_600)
        let before = disk.calls.filter { $0 == .sync }.count
        #expect(try storage.advance(nowMs: 1_600) == nil)
        #expect(disk.calls.filter { $0 == .sync }.count == before + 1)
        #expect(try storage.advance(nowMs: 9_000) == nil)
    }

    @Test func aSyncThatFailsEndsAllWriting() throws {
        let folder = try TemporaryFolder()
        let disk = Disk()
        var storage = try folder.open(100, .eachAppend, fault: disk)
        try storage.add([0])
        disk.failing = [.sync]
        #expect(throws: StorageError.self) { try storage.add([1]) }
        disk.failing = []
        #expect(throws: StorageError.self) { try storage.add([1]) }
        #expect(try storage.all() == batch(0))
        #expect(try folder.open().all() == batch(0))
    }
}
