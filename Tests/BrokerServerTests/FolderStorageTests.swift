import EmbeddedBroker
import Foundation
import Testing

@testable import BrokerServer

/// Logs in a data folder: what is there after a restart, a crash, and beside what is not ours.
struct FolderStorageTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/data" }

    init() throws { folder = try TemporaryFolder() }

    private func names() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    private func factory(_ disk: Disk? = nil, sync: SyncPolicy = .never) throws -> FolderStorageFactory {
        let root = try SegmentFolder(path, fault: disk.map { disk in { disk.fault($0, $1) } })
        return try FolderStorageFactory(root, segmentBytesMax: 1_000, sync: sync)
    }

    private func make(_ names: TopicPartition..., in factory: FolderStorageFactory) throws {
        for name in names {
            var log = try factory.make(name)
            try log.add(0..<3)
        }
    }

    @Test func logsAreFoundByTheNamesOfTheirFolders() throws {
        let dashed = TopicPartition("a-b", 12)
        do {
            let factory = try factory()
            try make(TopicPartition("orders", 0), TopicPartition("orders", 1), dashed, in: factory)
            try factory.close()
        }
        #expect(names() == [".lock", "a-b-12", "millrace-broker", "orders-0", "orders-1"])
        let again = try factory()
        #expect(try again.list() == [dashed, TopicPartition("orders", 0), TopicPartition("orders", 1)])
        let log = try again.open(dashed)
        #expect(try log.all() == batches(0..<3))
        #expect(log.trustedPosition == log.endPosition)
    }

    @Test func anotherProcessIsKeptAway() throws {
        let first = try factory()
        #expect {
            try factory()
        } throws: { error in
            guard case StorageError.failed(let text)? = error as? StorageError else { return false }
            return text.contains("another server uses this folder")
        }
        withExtendedLifetime(first) {}
    }

    @Test func aFolderOfSomethingElseIsLeftAlone() throws {
        try FileManager.default.createDirectory(atPath: path + "/0.deleted", withIntermediateDirectories: true)
        #expect(FileManager.default.createFile(atPath: path + "/meta.properties", contents: Data("version=1".utf8)))
        #expect(throws: StorageError.self) { try factory() }
        #expect(names() == [".lock", "0.deleted", "meta.properties"])
    }

    @Test func dataOfALaterFormIsLeftAlone() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        #expect(FileManager.default.createFile(atPath: path + "/millrace-broker", contents: Data("2\n".utf8)))
        #expect(throws: StorageError.self) { try factory() }
        #expect(try String(contentsOfFile: path + "/millrace-broker", encoding: .utf8) == "2\n")
    }

    @Test func aDeletedLogIsGone() throws {
        let factory = try factory()
        try make(TopicPartition("a", 0), TopicPartition("b", 0), in: factory)
        try factory.delete(TopicPartition("a", 0))
        #expect(try factory.list() == [TopicPartition("b", 0)])
        #expect(names() == [".lock", "b-0", "millrace-broker"])
    }

    @Test func aLogMadeAnewIsEmpty() throws {
        let factory = try factory()
        try make(TopicPartition("a", 0), in: factory)
        let log = try factory.make(TopicPartition("a", 0))
        #expect(log.endPosition == log.startPosition)
        #expect(names() == [".lock", "a-0", "millrace-broker"])
    }

    /// The process ends at every call to the disk of a deletion: the log is whole or gone.
    @Test(arguments: [SyncPolicy.never, .eachAppend]) func aDeletionIsWholeAfterACrash(sync: SyncPolicy) throws {
        let name = TopicPartition("a", 0)
        var outcomes: Set<Bool> = []
        for calls in 0..<12 {
            let disk = Disk()
            do {
                let factory = try factory(disk, sync: sync)
                try make(name, in: factory)
                disk.callsLeft = calls
                try? factory.delete(name)
            }
            let again = try factory()
            let isThere = try again.list() == [name]
            outcomes.insert(isThere)
            if isThere { #expect(try again.open(name).all() == batches(0..<3)) }
            #expect(names().allSatisfy { !$0.hasSuffix(".deleted") })
            try? again.delete(name)
        }
        #expect(outcomes == [true, false])
    }

    @Test func whatASyncCannotWriteIsReported() throws {
        let disk = Disk()
        let factory = try factory(disk, sync: .everyMs(100))
        try make(TopicPartition("a", 0), in: factory)
        disk.failing = [.sync]
        #expect(throws: StorageError.self) { try factory.sync() }
    }
}
