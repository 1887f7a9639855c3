import EmbeddedBroker
import KafkaWire
import Testing

/// Every API in every version has an answer that can be written, where all is well and where nothing is.
@Suite struct AllVersionsTests {
    @Test(arguments: APIKey.allCases) func answers(key: APIKey) throws {
        for version in key.versions {
            for names in [["t"], ["absent"], ["a/b"], [""]] {
                let broker = try TestBroker()
                try broker.createTopic("t")
                _ = try broker.produce(batch("a"), to: "t")
                _ = try broker.joinAlone("g")
                let producer = try TestProducer("p", broker)
                #expect(try broker.addPartition(producer, "t") == .none)
                let answer = try broker.ask(key, request(key, names[0]), version: version)
                #expect(answer != nil, "\(key) \(version) \(names)")
                let empty = try broker.ask(key, blank(key), version: version)
                #expect(empty != nil, "\(key) \(version) blank")
                try broker.pass(100)
            }
        }
    }

    /// The coordinators' names are the topic's here.
    private func request(_ key: APIKey, _ name: String) -> Request {
        switch key {
        case .metadata:
            .metadata(
                MetadataRequest {
                    $0.topics = [MetadataRequest.Topic { $0.name = name }]
                    $0.allowAutoTopicCreation = false
                })
        case .produce:
            .produce(
                ProduceRequest {
                    $0.acks = 1
                    $0.topics = [
                        ProduceRequest.Topic {
                            $0.name = name
                            $0.partitions = [ProduceRequest.Partition { $0.records = batch("b")[...] }]
                        }
                    ]
                })
        case .fetch: .fetch(TestBroker.fetchRequest([TopicPartition(name, 0)], from: 0, isCommitted: true))
        case .createTopics:
            .createTopics(
                CreateTopicsRequest {
                    $0.topics = [
                        CreateTopicsRequest.Topic {
                            $0.name = name
                            $0.numPartitions = 1
                            $0.replicationFactor = 1
                        }
                    ]
                })
        case .describeConfigs:
            .describeConfigs(
                DescribeConfigsRequest {
                    $0.resources = [Int8(2), 4, 32].map { type in
                        DescribeConfigsRequest.Resource {
                            $0.resourceType = type
                            $0.resourceName = name
                            $0.configNames = nil
                        }
                    }
                })
        case .joinGroup:
            .joinGroup(
                JoinGroupRequest {
                    $0.groupID = name
                    $0.sessionTimeoutMs = 10_000
                    $0.rebalanceTimeoutMs = 10_000
                    $0.protocolType = "consumer"
                    $0.protocols = [JoinGroupRequest.GroupProtocol { $0.name = "range" }]
                })
        case .initProducerID:
            .initProducerID(
                InitProducerIDRequest {
                    $0.transactionalID = name
                    $0.transactionTimeoutMs = 1_000
                })
        default: coordination(key, name)
        }
    }

    private func coordination(_ key: APIKey, _ name: String) -> Request {
        switch key {
        case .offsetCommit:
            .offsetCommit(
                OffsetCommitRequest {
                    $0.groupID = "h"
                    $0.topics = [
                        OffsetCommitRequest.Topic {
                            $0.name = name
                            $0.partitions = [OffsetCommitRequest.Partition()]
                        }
                    ]
                })
        case .offsetFetch:
            .offsetFetch(
                OffsetFetchRequest {
                    let topic = OffsetFetchRequest.Topic {
                        $0.name = name
                        $0.partitions = [0]
                    }
                    $0.groupID = "g"
                    $0.topics = [topic]
                    $0.groups = [
                        OffsetFetchRequest.Group {
                            $0.groupID = "g"
                            $0.topics = [topic]
                        }, OffsetFetchRequest.Group { $0.topics = nil },
                    ]
                })
        case .describeGroups: .describeGroups(DescribeGroupsRequest { $0.groups = ["g", name] })
        case .deleteGroups: .deleteGroups(DeleteGroupsRequest { $0.groupIDs = ["g", name] })
        case .leaveGroup:
            .leaveGroup(
                LeaveGroupRequest {
                    $0.groupID = "g"
                    $0.members = [LeaveGroupRequest.Member { $0.memberID = name }]
                })
        case .findCoordinator:
            .findCoordinator(
                FindCoordinatorRequest {
                    $0.key = name
                    $0.keyType = name.isEmpty ? 2 : 1
                    $0.coordinatorKeys = [name]
                })
        case .deleteTopics:
            .deleteTopics(
                DeleteTopicsRequest {
                    $0.topics = [DeleteTopicsRequest.Topic { $0.name = name }]
                    $0.topicNames = [name]
                })
        case .describeTransactions:
            .describeTransactions(DescribeTransactionsRequest { $0.transactionalIDs = ["p", name] })
        default: blank(key)
        }
    }

    private func blank(_ key: APIKey) -> Request {
        switch key {
        // What waits for no answer, or for others, is not blank here.
        case .produce: .produce(ProduceRequest { $0.acks = 1 })
        case .fetch: .fetch(FetchRequest())
        case .listOffsets: .listOffsets(ListOffsetsRequest())
        case .metadata: .metadata(MetadataRequest { $0.topics = [] })
        case .offsetCommit: .offsetCommit(OffsetCommitRequest())
        case .offsetFetch: .offsetFetch(OffsetFetchRequest())
        case .findCoordinator: .findCoordinator(FindCoordinatorRequest())
        case .joinGroup: .joinGroup(JoinGroupRequest())
        case .heartbeat: .heartbeat(HeartbeatRequest())
        case .leaveGroup: .leaveGroup(LeaveGroupRequest())
        case .syncGroup: .syncGroup(SyncGroupRequest())
        case .describeGroups: .describeGroups(DescribeGroupsRequest())
        case .listGroups: .listGroups(ListGroupsRequest())
        case .apiVersions: .apiVersions(APIVersionsRequest())
        case .createTopics: .createTopics(CreateTopicsRequest())
        case .deleteTopics: .deleteTopics(DeleteTopicsRequest())
        case .deleteRecords: .deleteRecords(DeleteRecordsRequest())
        case .initProducerID: .initProducerID(InitProducerIDRequest { $0.transactionalID = nil })
        case .offsetForLeaderEpoch: .offsetForLeaderEpoch(OffsetForLeaderEpochRequest())
        case .addPartitionsToTxn: .addPartitionsToTxn(AddPartitionsToTxnRequest())
        case .addOffsetsToTxn: .addOffsetsToTxn(AddOffsetsToTxnRequest())
        case .endTxn: .endTxn(EndTxnRequest())
        case .txnOffsetCommit: .txnOffsetCommit(TxnOffsetCommitRequest())
        case .describeConfigs: .describeConfigs(DescribeConfigsRequest())
        case .alterConfigs: .alterConfigs(AlterConfigsRequest())
        case .createPartitions: .createPartitions(CreatePartitionsRequest())
        case .deleteGroups: .deleteGroups(DeleteGroupsRequest())
        case .incrementalAlterConfigs: .incrementalAlterConfigs(IncrementalAlterConfigsRequest())
        case .offsetDelete: .offsetDelete(OffsetDeleteRequest())
        case .describeCluster: .describeCluster(DescribeClusterRequest())
        case .describeProducers: .describeProducers(DescribeProducersRequest())
        case .describeTransactions: .describeTransactions(DescribeTransactionsRequest())
        case .listTransactions: .listTransactions(ListTransactionsRequest())
        }
    }

    @Test func answersApiVersionsOfANewerClient() throws {
        let broker = try TestBroker()
        let header = RequestHeader(key: .apiVersions, version: 99, correlationID: 1, clientID: nil)
        broker.core.handle(
            RequestFrame(header: header, request: .unsupportedAPIVersions), from: ConnectionID(rawValue: 1), slot: 1,
            nowMs: 0)
        guard case .apiVersions(let answer)? = broker.core.takeAnswers().first?.response else { throw Missing() }
        #expect(answer.errorCode == .unsupportedVersion && answer.apis.count == APIKey.allCases.count)
    }
}
