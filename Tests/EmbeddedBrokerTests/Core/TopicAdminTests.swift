import EmbeddedBroker
import KafkaWire
import Testing

@Suite struct TopicAdminTests {
    private func create(
        _ broker: TestBroker, _ names: String..., check: Bool = false, version: Int16 = 7,
        fill: (inout CreateTopicsRequest.Topic) -> Void = { _ in }
    ) throws -> [CreateTopicsResponse.Topic] {
        let request = CreateTopicsRequest {
            $0.validateOnly = check
            $0.topics = names.map { name in
                CreateTopicsRequest.Topic {
                    $0.name = name
                    $0.numPartitions = -1
                    $0.replicationFactor = -1
                    fill(&$0)
                }
            }
        }
        guard case .createTopics(let answer)? = try broker.ask(.createTopics, .createTopics(request), version: version)
        else { throw Missing() }
        return answer.topics
    }

    private func code(_ broker: TestBroker, _ name: String, _ fill: (inout CreateTopicsRequest.Topic) -> Void)
        throws -> ErrorCode?
    {
        try create(broker, name, fill: fill).first?.errorCode
    }

    private static func config(_ name: String, _ value: String?) -> CreateTopicsRequest.Config {
        CreateTopicsRequest.Config {
            $0.name = name
            $0.value = value
        }
    }

    @Test func createsTopics() throws {
        var settings = BrokerSettings()
        settings.partitionsDefault = 3
        settings.topicDefaults = ["retention.ms": "5"]
        let broker = try TestBroker(settings)
        let made = try #require(
            try create(broker, "t") { $0.configs = [Self.config("cleanup.policy", "compact,delete")] }.first)
        #expect(made.errorCode == .none && made.numPartitions == 3 && made.replicationFactor == 1)
        #expect(made.topicID != .zero)
        let configs = Dictionary(
            uniqueKeysWithValues: try #require(made.configs).map { ($0.name, ($0.value, $0.configSource)) })
        #expect(configs["cleanup.policy"]! == ("compact,delete", 1))
        #expect(configs["retention.ms"]! == ("5", 4))
        #expect(configs["segment.bytes"]! == ("1073741824", 5))
        #expect(configs.count == 33)
        // A check makes nothing.
        #expect(try create(broker, "u", check: true).map(\.errorCode) == [.none])
        #expect(try broker.metadata(["u"], creates: false).topics.map(\.errorCode) == [.unknownTopicOrPartition])
        for version in APIKey.createTopics.versions {
            #expect(try create(broker, "v\(version)", version: version).map(\.errorCode) == [.none])
        }
    }

    @Test func refusesTopics() throws {
        let broker = try TestBroker()
        try broker.createTopic("a.b")
        #expect(
            try create(broker, "a.b", "", "..", "a/b", String(repeating: "x", count: 250)).map(\.errorCode)
                == [.topicAlreadyExists, .invalidTopic, .invalidTopic, .invalidTopic, .invalidTopic])
        #expect(try create(broker, "a_b", "__cluster_metadata").map(\.errorCode) == [.invalidTopic, .invalidTopic])
        #expect(try create(broker, "d", "d", "e").map(\.errorCode) == [.invalidRequest, .none])
        #expect(try code(broker, "t") { $0.numPartitions = 0 } == .invalidPartitions)
        #expect(try code(broker, "t") { $0.replicationFactor = 0 } == .invalidReplicationFactor)
        #expect(try code(broker, "t") { $0.replicationFactor = 2 } == .invalidReplicationFactor)
        #expect(try code(broker, "t") { $0.configs = [Self.config("x", "1")] } == .invalidConfig)
        #expect(try code(broker, "t") { $0.configs = [Self.config("retention.ms", "-2")] } == .invalidConfig)
        #expect(try code(broker, "t") { $0.configs = [Self.config("segment.bytes", "100")] } == .invalidConfig)
        #expect(try code(broker, "t") { $0.configs = [Self.config("cleanup.policy", "keep")] } == .invalidConfig)
        #expect(try code(broker, "t") { $0.configs = [Self.config("retention.ms", nil)] } == .invalidConfig)
        #expect(try code(broker, "t") { $0.numPartitions = 10_001 } == .policyViolation)
        let assignment = { (partition: Int32, node: Int32) in
            CreateTopicsRequest.Assignment {
                $0.partition = partition
                $0.brokerIDs = [node]
            }
        }
        #expect(try code(broker, "t") { $0.assignments = [assignment(0, 2)] } == .invalidReplicaAssignment)
        #expect(try code(broker, "t") { $0.assignments = [assignment(1, 1)] } == .invalidReplicaAssignment)
        #expect(
            try code(broker, "t") {
                $0.assignments = [assignment(0, 1)]
                $0.numPartitions = 1
            } == .invalidRequest)
        #expect(try code(broker, "t") { $0.assignments = [assignment(1, 1), assignment(0, 1)] } == ErrorCode.none)
        #expect(try broker.metadata(["t"]).topics.first?.partitions.count == 2)
    }

    @Test func deletesByNameAndId() throws {
        let broker = try TestBroker()
        for topic in ["t", "u"] { try broker.createTopic(topic) }
        #expect(try broker.commit("g", "t", 1) == .none)
        let id = try #require(try broker.metadata(["u"]).topics.first?.topicID)
        func delete(_ topics: [DeleteTopicsRequest.Topic]) throws -> [DeleteTopicsResponse.Topic] {
            let request = DeleteTopicsRequest { $0.topics = topics }
            guard case .deleteTopics(let answer)? = try broker.ask(.deleteTopics, .deleteTopics(request)) else {
                throw Missing()
            }
            return answer.topics
        }
        let byName = DeleteTopicsRequest.Topic { $0.name = "t" }
        let byId = DeleteTopicsRequest.Topic { $0.topicID = id }
        let byBoth = DeleteTopicsRequest.Topic {
            $0.name = "u"
            $0.topicID = id
        }
        #expect(try delete([byBoth]).map(\.errorCode) == [.invalidRequest])
        #expect(try delete([byName, byName]).map(\.errorCode) == [.none, .unknownTopicOrPartition])
        #expect(try delete([byId]).map(\.name) == ["u"])
        #expect(try delete([byId]).map(\.errorCode) == [.unknownTopicID])
        let old = DeleteTopicsRequest { $0.topicNames = ["t"] }
        guard case .deleteTopics(let answer)? = try broker.ask(.deleteTopics, .deleteTopics(old), version: 5) else {
            throw Missing()
        }
        #expect(answer.topics.map(\.errorCode) == [.unknownTopicOrPartition])
        // A topic of the same name is another one: nothing is in it and nobody has read it.
        try broker.createTopic("t")
        #expect(try broker.listOffset("t", at: -1).offset == 0)
        #expect(try broker.committed("g", "t").committedOffset == -1)
        try broker.restart()
        #expect(try broker.committed("g", "t").committedOffset == -1)
    }

    @Test func addsPartitions() throws {
        let broker = try TestBroker()
        try broker.createTopic("t", partitions: 2)
        _ = try broker.produce(batch("a"), to: "t", 1)
        func grow(_ name: String, to count: Int32, check: Bool = false, nodes: [Int32]? = nil) throws -> ErrorCode? {
            let request = CreatePartitionsRequest {
                $0.validateOnly = check
                $0.topics = [
                    CreatePartitionsRequest.Topic {
                        $0.name = name
                        $0.count = count
                        $0.assignments = nodes.map {
                            $0.map { node in CreatePartitionsRequest.Assignment { $0.brokerIDs = [node] } }
                        }
                    }
                ]
            }
            guard case .createPartitions(let answer)? = try broker.ask(.createPartitions, .createPartitions(request))
            else { throw Missing() }
            return answer.topics.first?.errorCode
        }
        #expect(try grow("u", to: 3) == .unknownTopicOrPartition)
        #expect(try grow("t", to: 2) == .invalidPartitions)
        #expect(try grow("t", to: 3, nodes: [2]) == .invalidReplicaAssignment)
        #expect(try grow("t", to: 3, check: true) == ErrorCode.none)
        #expect(try broker.metadata(["t"]).topics.first?.partitions.count == 2)
        #expect(try grow("t", to: 4, nodes: [1, 1]) == ErrorCode.none)
        _ = try broker.produce(batch("b"), to: "t", 3)
        try broker.restart()
        #expect(try broker.metadata(["t"]).topics.first?.partitions.map(\.partition) == [0, 1, 2, 3])
        #expect(try broker.values("t", 1) == ["a"])
        #expect(try broker.values("t", 3) == ["b"])
    }

    @Test func deletesRecords() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        try broker.createTopic("c", configs: ["cleanup.policy": "compact"])
        _ = try broker.produce(batch("a", "b", "c"), to: "t")
        func delete(_ topic: String, before offset: Int64) throws -> DeleteRecordsResponse.Partition? {
            let request = DeleteRecordsRequest {
                $0.topics = [
                    DeleteRecordsRequest.Topic {
                        $0.name = topic
                        $0.partitions = [DeleteRecordsRequest.Partition { $0.offset = offset }]
                    }
                ]
            }
            guard case .deleteRecords(let answer)? = try broker.ask(.deleteRecords, .deleteRecords(request)) else {
                throw Missing()
            }
            return answer.topics.first?.partitions.first
        }
        #expect(try delete("u", before: 0)?.errorCode == .unknownTopicOrPartition)
        #expect(try delete("c", before: 0)?.errorCode == .policyViolation)
        #expect(try delete("t", before: 4)?.errorCode == .offsetOutOfRange)
        #expect(try delete("t", before: 4)?.lowWatermark == -1)
        #expect(try delete("t", before: 2)?.lowWatermark == 2)
        try broker.restart()
        #expect(try broker.listOffset("t", at: -2).offset == 2)
        #expect(try broker.listOffset("t", at: -1).offset == 3)
    }

    @Test func looksUpOffsets() throws {
        let broker = try TestBroker(now: 10_000)
        try broker.createTopic("t")
        for time in [3_000, 9_000, 6_000] { _ = try broker.produce(batch("a", timestamp: Int64(time)), to: "t") }
        let found = try broker.listOffset("t", at: 4_000)
        #expect(found.offset == 1 && found.timestamp == 9_000 && found.leaderEpoch == 0)
        #expect(try broker.listOffset("t", at: 9_001).offset == -1)
        #expect(try broker.listOffset("t", at: -3).offset == 1)
        let request = OffsetForLeaderEpochRequest {
            $0.topics = [
                OffsetForLeaderEpochRequest.Topic {
                    $0.name = "t"
                    $0.partitions = [Int32(0), 1].map { epoch in
                        OffsetForLeaderEpochRequest.Partition { $0.leaderEpoch = epoch }
                    }
                }
            ]
        }
        guard
            case .offsetForLeaderEpoch(let answer)? = try broker.ask(
                .offsetForLeaderEpoch, .offsetForLeaderEpoch(request))
        else { throw Missing() }
        let parts = answer.topics.flatMap(\.partitions)
        #expect(parts.map(\.leaderEpoch) == [0, -1])
        #expect(parts.map(\.endOffset) == [3, -1])
    }
}
