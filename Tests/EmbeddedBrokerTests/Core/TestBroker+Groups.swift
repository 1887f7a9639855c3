import EmbeddedBroker
import KafkaWire
import Testing

/// Requests of consumer groups and transactions.
extension TestBroker {
    func joinRequest(_ group: String, _ member: String = "", instance: String? = nil) -> JoinGroupRequest {
        JoinGroupRequest {
            $0.groupID = group
            $0.memberID = member
            $0.groupInstanceID = instance
            $0.sessionTimeoutMs = 10_000
            $0.rebalanceTimeoutMs = 20_000
            $0.protocolType = "consumer"
            // ConsumerProtocolSubscription, version 0: the topic "t".
            $0.protocols = [
                JoinGroupRequest.GroupProtocol {
                    $0.name = "range"
                    $0.metadata = hex("0000000000010001740000_0000".filter { $0 != "_" })
                }
            ]
        }
    }

    func join(_ group: String, _ member: String = "", instance: String? = nil, version: Int16 = 9) throws
        -> JoinGroupResponse
    {
        let request = joinRequest(group, member, instance: instance)
        guard case .joinGroup(let response)? = try ask(.joinGroup, .joinGroup(request), version: version) else {
            throw Missing()
        }
        return response
    }

    func sync(_ group: String, _ joined: JoinGroupResponse, _ assignments: [String: [UInt8]] = [:]) throws
        -> SyncGroupResponse
    {
        let request = SyncGroupRequest {
            $0.groupID = group
            $0.generationID = joined.generationID
            $0.memberID = joined.memberID
            $0.protocolType = "consumer"
            $0.protocolName = "range"
            $0.assignments = assignments.map { member, bytes in
                SyncGroupRequest.Assignment {
                    $0.memberID = member
                    $0.assignment = bytes
                }
            }
        }
        guard case .syncGroup(let response)? = try ask(.syncGroup, .syncGroup(request)) else { throw Missing() }
        return response
    }

    /// One member that is alone in its group, which becomes stable.
    func joinAlone(_ group: String) throws -> JoinGroupResponse {
        let first = try join(group)
        #expect(first.errorCode == .memberIDRequired)
        let joined = try join(group, first.memberID)
        #expect(joined.errorCode == .none && joined.leader == joined.memberID)
        let synced = try sync(group, joined, [joined.memberID: [7]])
        #expect(synced.errorCode == .none && synced.assignment == [7])
        return joined
    }

    func heartbeat(_ group: String, _ joined: JoinGroupResponse) throws -> ErrorCode {
        let request = HeartbeatRequest {
            $0.groupID = group
            $0.generationID = joined.generationID
            $0.memberID = joined.memberID
        }
        guard case .heartbeat(let response)? = try ask(.heartbeat, .heartbeat(request)) else { throw Missing() }
        return response.errorCode
    }

    func commit(
        _ group: String, _ topic: String, _ offset: Int64, as joined: JoinGroupResponse? = nil, partition: Int32 = 0
    ) throws -> ErrorCode {
        let request = OffsetCommitRequest {
            $0.groupID = group
            $0.generationID = joined?.generationID ?? -1
            $0.memberID = joined?.memberID ?? ""
            $0.topics = [
                OffsetCommitRequest.Topic {
                    $0.name = topic
                    $0.partitions = [
                        OffsetCommitRequest.Partition {
                            $0.partition = partition
                            $0.committedOffset = offset
                            $0.committedMetadata = "m"
                        }
                    ]
                }
            ]
        }
        guard case .offsetCommit(let response)? = try ask(.offsetCommit, .offsetCommit(request)) else {
            throw Missing()
        }
        return try #require(response.topics.first?.partitions.first).errorCode
    }

    func committed(_ group: String, _ topic: String, partition: Int32 = 0, isStable: Bool = false) throws
        -> OffsetFetchResponse.Partition
    {
        let request = OffsetFetchRequest {
            $0.requireStable = isStable
            $0.groups = [
                OffsetFetchRequest.Group {
                    $0.groupID = group
                    $0.topics = [
                        OffsetFetchRequest.Topic {
                            $0.name = topic
                            $0.partitions = [partition]
                        }
                    ]
                }
            ]
        }
        guard case .offsetFetch(let response)? = try ask(.offsetFetch, .offsetFetch(request)),
            let found = response.groups.first?.topics.first?.partitions.first
        else { throw Missing() }
        return found
    }

    // MARK: - Transactions

    func initProducer(
        _ id: String?, timeoutMs: Int32 = 60_000, as producer: ProducerIdentity = ProducerIdentity(id: -1, epoch: -1)
    ) throws -> InitProducerIDResponse {
        let request = InitProducerIDRequest {
            $0.transactionalID = id
            $0.transactionTimeoutMs = timeoutMs
            $0.producerID = producer.id
            $0.producerEpoch = producer.epoch
        }
        guard case .initProducerID(let response)? = try ask(.initProducerID, .initProducerID(request)) else {
            throw Missing()
        }
        return response
    }

    func addPartition(_ producer: TestProducer, _ topic: String, _ partition: Int32 = 0) throws -> ErrorCode {
        let request = AddPartitionsToTxnRequest {
            $0.transactionalID = producer.transactionalId
            $0.producerID = producer.identity.id
            $0.producerEpoch = producer.identity.epoch
            $0.topics = [
                AddPartitionsToTxnRequest.Topic {
                    $0.name = topic
                    $0.partitions = [partition]
                }
            ]
        }
        guard case .addPartitionsToTxn(let response)? = try ask(.addPartitionsToTxn, .addPartitionsToTxn(request))
        else { throw Missing() }
        return try #require(response.topics.first?.partitions.first).errorCode
    }

    func addOffsets(_ producer: TestProducer, _ group: String) throws -> ErrorCode {
        let request = AddOffsetsToTxnRequest {
            $0.transactionalID = producer.transactionalId
            $0.producerID = producer.identity.id
            $0.producerEpoch = producer.identity.epoch
            $0.groupID = group
        }
        guard case .addOffsetsToTxn(let response)? = try ask(.addOffsetsToTxn, .addOffsetsToTxn(request)) else {
            throw Missing()
        }
        return response.errorCode
    }

    func commitInTransaction(
        _ producer: TestProducer, _ group: String, _ topic: String, _ offset: Int64, as joined: JoinGroupResponse? = nil
    ) throws -> ErrorCode {
        let request = TxnOffsetCommitRequest {
            $0.transactionalID = producer.transactionalId
            $0.producerID = producer.identity.id
            $0.producerEpoch = producer.identity.epoch
            $0.groupID = group
            $0.generationID = joined?.generationID ?? -1
            $0.memberID = joined?.memberID ?? ""
            $0.topics = [
                TxnOffsetCommitRequest.Topic {
                    $0.name = topic
                    $0.partitions = [
                        TxnOffsetCommitRequest.Partition {
                            $0.partition = 0
                            $0.committedOffset = offset
                        }
                    ]
                }
            ]
        }
        guard case .txnOffsetCommit(let response)? = try ask(.txnOffsetCommit, .txnOffsetCommit(request)) else {
            throw Missing()
        }
        return try #require(response.topics.first?.partitions.first).errorCode
    }

    func end(_ producer: TestProducer, isCommit: Bool) throws -> ErrorCode {
        let request = EndTxnRequest {
            $0.transactionalID = producer.transactionalId
            $0.producerID = producer.identity.id
            $0.producerEpoch = producer.identity.epoch
            $0.committed = isCommit
        }
        guard case .endTxn(let response)? = try ask(.endTxn, .endTxn(request)) else { throw Missing() }
        return response.errorCode
    }

    func state(of transactionalId: String) throws -> DescribeTransactionsResponse.Transaction {
        let request = DescribeTransactionsRequest { $0.transactionalIDs = [transactionalId] }
        guard
            case .describeTransactions(let response)? = try ask(
                .describeTransactions, .describeTransactions(request)), let found = response.transactions.first
        else { throw Missing() }
        return found
    }
}

/// A transactional producer: who it is, and its sequence numbers.
struct TestProducer {
    let transactionalId: String
    var identity: ProducerIdentity
    private var sequences: [TopicPartition: Int32] = [:]

    init(_ transactionalId: String, _ broker: TestBroker, timeoutMs: Int32 = 60_000) throws {
        self.transactionalId = transactionalId
        let answer = try broker.initProducer(transactionalId, timeoutMs: timeoutMs)
        #expect(answer.errorCode == .none)
        identity = ProducerIdentity(id: answer.producerID, epoch: answer.producerEpoch)
    }

    /// Writes one record in the transaction; the sequence number is used up where it was taken.
    mutating func write(_ value: String, to topic: String, _ partition: Int32 = 0, on broker: TestBroker) throws
        -> ErrorCode
    {
        let name = TopicPartition(topic, partition)
        let bytes = batch(
            value, timestamp: broker.now, producerId: identity.id, epoch: identity.epoch,
            sequence: sequences[name, default: 0], isTransactional: true)
        let answer = try broker.produce(bytes, to: topic, partition, transactionalId: transactionalId)
        let code = try #require(answer).errorCode
        if code == .none { sequences[name, default: 0] += 1 }
        return code
    }
}
