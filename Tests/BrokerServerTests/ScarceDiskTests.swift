import EmbeddedBroker
import Foundation
import KafkaWire
import Testing

@testable import BrokerServer

/// A broker on a disk that is full, or in a process that may open no more files: producers are told to try again,
/// readers are served, and nothing that was acknowledged is lost.
struct ScarceDiskTests {
    private let folder: TemporaryFolder
    private let disk = Disk()
    private var data: String { folder.path + "/data" }

    init() throws { folder = try TemporaryFolder() }

    private func node(segmentBytesMax: Int64 = 1 << 20, stateDirtyBytesMax: Int64 = 4 << 20) throws -> Node {
        let root = try SegmentFolder(data) { [disk] in disk.fault($0, $1) }
        let storage = try FolderStorageFactory(root, segmentBytesMax: segmentBytesMax, sync: .never)
        var settings = BrokerSettings()
        settings.stateDirtyBytesMax = stateDirtyBytesMax
        return try Node(settings, storage)
    }

    private func fill() {
        disk.failing = [.write]
        disk.number = ENOSPC
        // A write that fails has written a part.
        disk.written = 7
    }

    private func forbidFiles() {
        disk.failing = [.open]
        disk.number = EMFILE
    }

    private func release() { disk.failing = [] }

    @Test func aFullDiskRefusesRecordsUntilThereIsRoom() throws {
        do {
            let node = try node()
            try node.createTopic("t")
            #expect(try node.produce("t", "a").baseOffset == 0)
            fill()
            for _ in 0..<3 { #expect(try node.produce("t", "refused").errorCode == .kafkaStorageError) }
            #expect(node.core.failure == nil)
            #expect(try node.fetch("t") == ["a"])
            release()
            #expect(try node.produce("t", "b").baseOffset == 1)
            #expect(try node.fetch("t") == ["a", "b"])
        }
        #expect(try node().fetch("t") == ["a", "b"])
    }

    /// As Kafka with one folder: what its own log should keep was not answered, and the next start has all before it.
    @Test func aFullDiskStopsTheBrokerWhereItsOwnLogHasToGrow() throws {
        do {
            let node = try node()
            try node.createTopic("t")
            _ = try node.produce("t", "a")
            #expect(try node.commit("g", "t", 1) == .none)
            fill()
            #expect(throws: Unanswered.self) { try node.commit("g", "t", 2) }
            #expect(node.core.failure == .full)
            release()
        }
        let again = try node()
        #expect(try again.committed("g", "t") == 1)
        #expect(try again.fetch("t") == ["a"])
        #expect(try again.commit("g", "t", 2) == .none)
    }

    @Test func withoutAnotherFileALogWaitsForItsNextSegment() throws {
        do {
            let node = try node(segmentBytesMax: 500)
            try node.createTopic("t")
            forbidFiles()
            // The first batch needs the log's first file.
            #expect(try node.produce("t", "refused").errorCode == .kafkaStorageError)
            release()
            #expect(try node.produce("t", "a").baseOffset == 0)
            forbidFiles()
            var written: Int64 = 1
            while try node.produce("t", "b").errorCode == .none { written += 1 }
            // A batch of one record has 69 bytes.
            #expect(written == 500 / 69)
            #expect(try node.fetch("t").count == Int(written))
            release()
            #expect(try node.produce("t", "c").baseOffset == written)
            #expect(node.core.failure == nil)
        }
        #expect(try node().fetch("t").last == "c")
    }

    @Test func withoutAnotherFileATopicIsRefusedAndTheBrokersOwnLogGrowsOn() throws {
        let node = try node(stateDirtyBytesMax: 2_000)
        try node.createTopic("t")
        forbidFiles()
        disk.failing.insert(.list)
        #expect(throws: Unanswered.self) { try node.createTopic("u") }
        for offset in 0..<100 as Range<Int64> { #expect(try node.commit("g", "t", offset) == .none) }
        let grown = try ownLogBytes()
        #expect(grown > 4_000)
        release()
        try node.createTopic("u")
        var offset: Int64 = 100
        while try ownLogBytes() > 2_000, offset < 1_000 {
            #expect(try node.commit("g", "t", offset) == .none)
            offset += 1
        }
        #expect(try ownLogBytes() <= 2_000)
        #expect(node.core.failure == nil)
        #expect(try node.committed("g", "t") == offset - 1)
    }

    private func ownLogBytes() throws -> Int {
        let path = data + "/__cluster_metadata-0/"
        let logs = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".log") }
        return try logs.map { try FileManager.default.attributesOfItem(atPath: path + $0)[.size] as? Int ?? 0 }
            .reduce(0, +)
    }
}

/// There was no answer, or it was a refusal.
private struct Unanswered: Error {}

/// A broker without its server.
private final class Node {
    let core: BrokerCore
    private var now: Int64 = 1_000_000
    private var slot = 0

    init(_ settings: BrokerSettings, _ storage: FolderStorageFactory) throws {
        var number: UInt64 = 0
        core = try BrokerCore(settings: settings, storage: storage, nowMs: now) {
            number += 1
            return number
        }
    }

    private func ask(_ key: APIKey, _ request: Request) throws -> Response {
        slot += 1
        let header = RequestHeader(key: key, version: key.versions.upperBound, correlationID: 0, clientID: nil)
        core.handle(
            RequestFrame(header: header, request: request), from: EmbeddedBroker.ConnectionID(rawValue: 1), slot: slot,
            nowMs: now)
        let answers = core.takeAnswers()
        now += 1
        core.advance(nowMs: now)
        guard let response = answers.first(where: { $0.slot == slot })?.response else { throw Unanswered() }
        return response
    }

    func createTopic(_ name: String) throws {
        let topic = CreateTopicsRequest.Topic {
            $0.name = name
            $0.numPartitions = 1
            $0.replicationFactor = 1
        }
        let answer = try ask(.createTopics, .createTopics(CreateTopicsRequest { $0.topics = [topic] }))
        guard case .createTopics(let response) = answer, response.topics.first?.errorCode == ErrorCode.none else {
            throw Unanswered()
        }
    }

    func produce(_ topic: String, _ value: String) throws -> ProduceResponse.Partition {
        var builder = RecordBatchBuilder()
        builder.add(key: nil, value: Array(value.utf8), timestamp: now)
        let records = builder.build()
        let named = ProduceRequest.Topic {
            $0.name = topic
            $0.partitions = [ProduceRequest.Partition { $0.records = records[...] }]
        }
        let request = ProduceRequest {
            $0.acks = -1
            $0.topics = [named]
        }
        guard case .produce(let response) = try ask(.produce, .produce(request)),
            let part = response.topics.first?.partitions.first
        else { throw Unanswered() }
        return part
    }

    func fetch(_ topic: String) throws -> [String] {
        let named = FetchRequest.Topic {
            $0.name = topic
            $0.partitions = [FetchRequest.Partition { $0.maxBytes = 1 << 20 }]
        }
        guard case .fetch(let response) = try ask(.fetch, .fetch(FetchRequest { $0.topics = [named] })),
            let part = response.topics.first?.partitions.first, part.errorCode == .none
        else { throw Unanswered() }
        let records = try LogRecord.records(ofBatches: part.records ?? [])
        return records.map { String(decoding: $0.value ?? [], as: UTF8.self) }
    }

    func commit(_ group: String, _ topic: String, _ offset: Int64) throws -> ErrorCode {
        let named = OffsetCommitRequest.Topic {
            $0.name = topic
            $0.partitions = [OffsetCommitRequest.Partition { $0.committedOffset = offset }]
        }
        let request = OffsetCommitRequest {
            $0.groupID = group
            $0.topics = [named]
        }
        guard case .offsetCommit(let response) = try ask(.offsetCommit, .offsetCommit(request)),
            let part = response.topics.first?.partitions.first
        else { throw Unanswered() }
        return part.errorCode
    }

    func committed(_ group: String, _ topic: String) throws -> Int64 {
        let named = OffsetFetchRequest.Topic {
            $0.name = topic
            $0.partitions = [0]
        }
        let asked = OffsetFetchRequest.Group {
            $0.groupID = group
            $0.topics = [named]
        }
        let answer = try ask(.offsetFetch, .offsetFetch(OffsetFetchRequest { $0.groups = [asked] }))
        guard case .offsetFetch(let response) = answer,
            let part = response.groups.first?.topics.first?.partitions.first
        else { throw Unanswered() }
        return part.committedOffset
    }
}
