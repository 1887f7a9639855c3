import EmbeddedBroker
import KafkaWire
import Testing

@Suite struct DataPathTests {
    @Test func tellsWhatIsServed() throws {
        let broker = try TestBroker()
        let named = APIVersionsRequest {
            $0.clientSoftwareName = "apache-kafka-java"
            $0.clientSoftwareVersion = "4.3.1"
        }
        guard case .apiVersions(let answer)? = try broker.ask(.apiVersions, .apiVersions(named)) else {
            throw Missing()
        }
        #expect(answer.errorCode == .none)
        #expect(answer.apis.count == APIKey.allCases.count)
        // KIP-511: a name that cannot stand in a metric.
        let bad = APIVersionsRequest { $0.clientSoftwareName = "a b" }
        guard case .apiVersions(let refusal)? = try broker.ask(.apiVersions, .apiVersions(bad), version: 3) else {
            throw Missing()
        }
        #expect(refusal.errorCode == .invalidRequest)
    }

    @Test func makesTopicsOnRequestAndDescribesThem() throws {
        let broker = try TestBroker()
        let first = try broker.metadata(["made"])
        #expect(first.brokers.map(\.nodeID) == [1])
        #expect(first.controllerID == 1)
        #expect(first.clusterID?.count == 22)
        #expect(first.clusterAuthorizedOperations == .min)
        let topic = try #require(first.topics.first)
        #expect(topic.errorCode == .none && topic.name == "made" && topic.topicID != .zero)
        #expect(topic.topicAuthorizedOperations == .min)
        #expect(topic.partitions.map(\.leaderID) == [1])
        #expect(topic.partitions.map(\.isrNodes) == [[1]])
        let refused = try broker.metadata(["absent", "a/b"], creates: false)
        #expect(refused.topics.map(\.errorCode) == [.unknownTopicOrPartition, .invalidTopic])
        #expect(try broker.metadata(["__cluster_metadata"]).topics.map(\.errorCode) == [.invalidTopic])
        // All topics: no list, in version 0 an empty one.
        #expect(try broker.metadata(nil).topics.map(\.name) == ["made"])
        #expect(try broker.metadata([], version: 0).topics.map(\.name) == ["made"])
        #expect(try broker.metadata([], version: 1).topics.isEmpty)
    }

    @Test func writesAndReads() throws {
        let broker = try TestBroker()
        #expect(try broker.createTopic("t", partitions: 2) == .none)
        let first = try #require(try broker.produce(batch("a", "b"), to: "t"))
        #expect(first.errorCode == .none && first.baseOffset == 0 && first.logStartOffset == 0)
        #expect(first.logAppendTimeMs == -1)
        #expect(try broker.produce(batch("c"), to: "t", acks: 1)?.baseOffset == 2)
        #expect(try broker.produce(batch("d"), to: "t", acks: 0) == nil)
        #expect(broker.closed == 0)
        #expect(try broker.values("t") == ["a", "b", "c", "d"])
        let part = try broker.fetch("t", from: 4)
        #expect(part.highWatermark == 4 && part.lastStableOffset == 4 && part.records?.isEmpty == true)
        #expect(try broker.fetch("t", from: 5).errorCode == .offsetOutOfRange)
        #expect(try broker.fetch("t", from: 5).highWatermark == -1)
        #expect(try broker.fetch("t", 7).errorCode == .unknownTopicOrPartition)
        #expect(try broker.listOffset("t", at: -1).offset == 4)
        #expect(try broker.listOffset("t", at: -2).offset == 0)
        #expect(try broker.listOffset("t", 1, at: -1).offset == 0)
        #expect(try broker.listOffset("u", at: -1).errorCode == .unknownTopicOrPartition)
    }

    @Test func refusesWhatIsWrong() throws {
        let broker = try TestBroker()
        try broker.createTopic("t", configs: ["max.message.bytes": "100"])
        #expect(try broker.produce(batch("a"), to: "t", acks: 2)?.errorCode == .invalidRequiredAcks)
        #expect(try broker.produce(batch("a"), to: "u")?.errorCode == .unknownTopicOrPartition)
        let large = batch(String(repeating: "x", count: 100))
        #expect(try broker.produce(large, to: "t")?.errorCode == .messageTooLarge)
        var damaged = batch("a")
        damaged[damaged.count - 1] ^= 1
        #expect(try broker.produce(damaged, to: "t")?.errorCode == .corruptMessage)
        #expect(try broker.produce([], to: "t")?.errorCode == .invalidRecord)
        #expect(try broker.produce(large, to: "t")?.logStartOffset == -1)
        #expect(try broker.produce(damaged, to: "t", acks: 0) == nil)
        #expect(broker.closed == 1)
        #expect(try broker.listOffset("t", at: -1).offset == 0)
    }

    /// KIP-467, with the log's start, as Kafka names it once it has looked at the records.
    @Test func namesRefusedRecords() throws {
        let broker = try TestBroker()
        try broker.createTopic("t", configs: ["cleanup.policy": "compact"])
        let keyless = try #require(try broker.produce(batch("a", "b", key: nil), to: "t"))
        #expect(keyless.errorCode == .invalidRecord && keyless.logStartOffset == 0)
        #expect(keyless.recordErrors.map(\.batchIndex) == [0, 1])
        let late = try #require(try broker.produce(batch("a", timestamp: .max), to: "t"))
        #expect(late.errorCode == .invalidTimestamp && late.logStartOffset == 0)
        #expect(late.recordErrors.map(\.batchIndex) == [0])
    }
}
