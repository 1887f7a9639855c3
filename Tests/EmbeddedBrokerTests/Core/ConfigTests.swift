import EmbeddedBroker
import KafkaWire
import Testing

@Suite struct ConfigTests {
    private func describe(_ broker: TestBroker, _ type: Int8, _ name: String, _ names: [String]? = nil) throws
        -> DescribeConfigsResponse.Resource
    {
        let request = DescribeConfigsRequest {
            $0.includeSynonyms = true
            $0.resources = [
                DescribeConfigsRequest.Resource {
                    $0.resourceType = type
                    $0.resourceName = name
                    $0.configNames = names
                }
            ]
        }
        guard case .describeConfigs(let answer)? = try broker.ask(.describeConfigs, .describeConfigs(request)) else {
            throw Missing()
        }
        return try #require(answer.resources.first)
    }

    private func alter(
        _ broker: TestBroker, _ topic: String, _ changes: [(String, Int8, String?)], check: Bool = false,
        type: Int8 = 2
    ) throws -> ErrorCode? {
        let request = IncrementalAlterConfigsRequest {
            $0.validateOnly = check
            $0.resources = [
                IncrementalAlterConfigsRequest.Resource {
                    $0.resourceType = type
                    $0.resourceName = topic
                    $0.configs = changes.map { name, operation, value in
                        IncrementalAlterConfigsRequest.Config {
                            $0.name = name
                            $0.operation = operation
                            $0.value = value
                        }
                    }
                }
            ]
        }
        guard
            case .incrementalAlterConfigs(let answer)? = try broker.ask(
                .incrementalAlterConfigs, .incrementalAlterConfigs(request))
        else { throw Missing() }
        return answer.resources.first?.errorCode
    }

    private func value(_ broker: TestBroker, _ name: String) throws -> String? {
        try describe(broker, 2, "t", [name]).configs.first?.value
    }

    @Test func describesTopicsAndTheBroker() throws {
        var settings = BrokerSettings()
        settings.topicDefaults = ["retention.ms": "1000"]
        let broker = try TestBroker(settings)
        try broker.createTopic("t", configs: ["retention.ms": "50"])
        let all = try describe(broker, 2, "t")
        #expect(all.errorCode == .none && all.configs.count == 33)
        let retention = try #require(all.configs.first { $0.name == "retention.ms" })
        #expect(retention.value == "50" && retention.configSource == 1 && retention.configType == 5)
        #expect(retention.synonyms.map(\.name) == ["retention.ms", "log.retention.ms", "log.retention.ms"])
        #expect(retention.synonyms.map(\.value) == ["50", "1000", "604800000"])
        #expect(retention.synonyms.map(\.source) == [1, 4, 5])
        let broad = try describe(broker, 4, "1", ["log.retention.ms", "num.partitions"])
        #expect(broad.configs.map(\.value) == ["1000", "1"])
        #expect(broad.configs.map(\.readOnly) == [true, true])
        #expect(try describe(broker, 4, "2").errorCode == .invalidRequest)
        #expect(try describe(broker, 2, "u").errorCode == .unknownTopicOrPartition)
        #expect(try describe(broker, 2, "a/b").errorCode == .invalidTopic)
    }

    @Test func changesSingleSettings() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        #expect(
            try alter(broker, "t", [("cleanup.policy", 2, "compact"), ("max.message.bytes", 0, "90")]) == ErrorCode.none
        )
        #expect(try value(broker, "cleanup.policy") == "delete,compact")
        #expect(try alter(broker, "t", [("cleanup.policy", 3, "delete")]) == ErrorCode.none)
        #expect(try value(broker, "cleanup.policy") == "compact")
        // They hold at once and after a restart.
        for _ in 0..<2 {
            #expect(
                try broker.produce(batch(String(repeating: "x", count: 90)), to: "t")?.errorCode == .messageTooLarge)
            #expect(try broker.produce(batch("a", key: nil), to: "t")?.errorCode == .invalidRecord)
            try broker.restart()
        }
        #expect(try alter(broker, "t", [("max.message.bytes", 1, nil)]) == ErrorCode.none)
        #expect(try value(broker, "max.message.bytes") == "1048588")
        #expect(try alter(broker, "t", [("retention.ms", 0, "1")], check: true) == ErrorCode.none)
        #expect(try value(broker, "retention.ms") == "604800000")
        #expect(try alter(broker, "t", [("retention.ms", 0, "x")]) == .invalidConfig)
        #expect(try alter(broker, "t", [("retention.ms", 2, "1")]) == .invalidConfig)
        #expect(try alter(broker, "t", [("no.such", 0, "1")]) == .invalidConfig)
        #expect(try alter(broker, "t", [("retention.ms", 0, nil)]) == .invalidRequest)
        #expect(try alter(broker, "t", [("retention.ms", 0, "1"), ("retention.ms", 1, nil)]) == .invalidRequest)
        #expect(try alter(broker, "u", [("retention.ms", 0, "1")]) == .unknownTopicOrPartition)
        #expect(try alter(broker, "u", [("retention.ms", 0, "forever")]) == .invalidConfig)
        #expect(try alter(broker, "1", [("retention.ms", 0, "1")], type: 4) == .invalidRequest)
    }

    @Test func replacesAllSettings() throws {
        let broker = try TestBroker()
        try broker.createTopic("t", configs: ["retention.ms": "5", "segment.ms": "7"])
        let request = AlterConfigsRequest {
            $0.resources = [
                AlterConfigsRequest.Resource {
                    $0.resourceType = 2
                    $0.resourceName = "t"
                    $0.configs = [
                        AlterConfigsRequest.Config {
                            $0.name = "segment.ms"
                            $0.value = "9"
                        }
                    ]
                }
            ]
        }
        guard case .alterConfigs(let answer)? = try broker.ask(.alterConfigs, .alterConfigs(request)) else {
            throw Missing()
        }
        #expect(answer.resources.map(\.errorCode) == [.none])
        try broker.restart()
        #expect(try value(broker, "segment.ms") == "9")
        #expect(try value(broker, "retention.ms") == "604800000")
    }

    @Test func retentionAndCompactionComeInSteps() throws {
        var settings = BrokerSettings()
        settings.retentionCheckIntervalMs = 1_000
        let broker = try TestBroker(settings, now: 1_000_000)
        try broker.createTopic("t", configs: ["retention.ms": "500"])
        try broker.createTopic("c", configs: ["cleanup.policy": "compact"])
        _ = try broker.produce(batch("a", timestamp: 1_000_000), to: "t")
        for value in ["a", "b", "c"] { _ = try broker.produce(batch(value, timestamp: 1_000_000), to: "c") }
        try broker.pass(999)
        #expect(try broker.values("t") == ["a"])
        #expect(try broker.values("c") == ["a", "b", "c"])
        try broker.pass(1)
        #expect(try broker.listOffset("t", at: -2).offset == 1)
        #expect(try broker.values("c") == ["c"])
        #expect(try broker.listOffset("c", at: -1).offset == 3)
    }

    /// As Kafka's cleaner does, which looks every 15 seconds, while retention is looked at every five minutes.
    @Test func compactionDoesNotWaitForRetention() throws {
        let broker = try TestBroker(now: 1_000_000)
        try broker.createTopic("t", configs: ["retention.ms": "500"])
        try broker.createTopic("c", configs: ["cleanup.policy": "compact"])
        _ = try broker.produce(batch("a", timestamp: 1_000_000), to: "t")
        for value in ["a", "b", "c"] { _ = try broker.produce(batch(value, timestamp: 1_000_000), to: "c") }
        try broker.pass(14_999)
        #expect(try broker.values("c") == ["a", "b", "c"])
        try broker.pass(1)
        #expect(try broker.values("c") == ["c"])
        #expect(try broker.values("t") == ["a"])
        try broker.pass(285_000)
        #expect(try broker.listOffset("t", at: -2).offset == 1)
    }

    @Test func checksDefaults() {
        var settings = BrokerSettings()
        #expect(settings.fault == nil)
        settings.topicDefaults = ["retention.ms": "x"]
        #expect(settings.fault == "Invalid value x for configuration retention.ms")
        settings.topicDefaults = [:]
        settings.partitionsDefault = 0
        #expect(settings.fault == "num.partitions is out of its range")
    }

    @Test func describesTheCluster() throws {
        let broker = try TestBroker()
        func ask(_ fill: (inout DescribeClusterRequest) -> Void) throws -> DescribeClusterResponse {
            guard
                case .describeCluster(let answer)? = try broker.ask(
                    .describeCluster, .describeCluster(DescribeClusterRequest(fill)))
            else { throw Missing() }
            return answer
        }
        let plain = try ask { _ in }
        #expect(plain.brokers.map(\.brokerID) == [1] && plain.brokers.map(\.port) == [9_092])
        #expect(plain.clusterAuthorizedOperations == .min)
        let id = plain.clusterID
        // All of what there is for clusters, topics and groups: Kafka's AclEntry.supportedOperations as bits.
        #expect(try ask { $0.includeClusterAuthorizedOperations = true }.clusterAuthorizedOperations == 8_096)
        #expect(try ask { $0.endpointType = 2 }.errorCode == .mismatchedEndpointType)
        try broker.restart()
        #expect(try ask { _ in }.clusterID == id)
        let find = FindCoordinatorRequest {
            $0.keyType = 1
            $0.coordinatorKeys = ["a", "b"]
        }
        guard case .findCoordinator(let found)? = try broker.ask(.findCoordinator, .findCoordinator(find)) else {
            throw Missing()
        }
        #expect(found.coordinators.map(\.key) == ["a", "b"] && found.coordinators.map(\.nodeID) == [1, 1])
        let old = FindCoordinatorRequest { $0.key = "g" }
        for version in Int16(0)...3 {
            guard
                case .findCoordinator(let found)? = try broker.ask(
                    .findCoordinator, .findCoordinator(old), version: version)
            else { throw Missing() }
            #expect(found.errorCode == .none && found.host == "localhost" && found.port == 9_092)
        }
    }
}
