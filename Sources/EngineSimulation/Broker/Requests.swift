import CommitProtocol
import EmbeddedBroker
import KafkaWire
import StreamCore

/// Requests that several parts make.
extension Request {
    /// One partition, at once.
    static func read(_ split: Split, from position: Position, isCommitted: Bool) -> Request {
        .fetch(
            FetchRequest { request in
                request.isolationLevel = isCommitted ? 1 : 0
                request.topics = [
                    FetchRequest.Topic { topic in
                        topic.name = split.topic.text
                        topic.partitions = [
                            FetchRequest.Partition {
                                $0.partition = split.partition.number
                                $0.fetchOffset = position.number
                                $0.maxBytes = 1 << 20
                            }
                        ]
                    }
                ]
            })
    }

    static func initialize(_ transactionalID: String) -> Request {
        .initProducerID(
            InitProducerIDRequest {
                $0.transactionalID = transactionalID
                $0.transactionTimeoutMs = Int32(
                    clamping: BrokerWriter.Options.transactionTimeout.nanoseconds / 1_000_000)
            })
    }

    static func produce(_ batches: [(split: Split, bytes: [UInt8])], _ transactionalID: String?) -> Request {
        .produce(
            ProduceRequest { request in
                request.acks = -1
                request.timeoutMs = 1_000
                request.transactionalID = transactionalID
                request.topics = Set(batches.map(\.split.topic)).sorted().map { topic in
                    ProduceRequest.Topic {
                        $0.name = topic.text
                        $0.partitions = batches.filter { $0.split.topic == topic }.map { batch in
                            ProduceRequest.Partition {
                                $0.partition = batch.split.partition.number
                                $0.records = batch.bytes[...]
                            }
                        }
                    }
                }
            })
    }

    /// Waits out transactions that hold offsets (KIP-447).
    static func committed(_ splits: Set<Split>, of groupID: String, isStable: Bool = true) -> Request {
        .offsetFetch(
            OffsetFetchRequest { request in
                request.requireStable = isStable
                request.groups = [
                    OffsetFetchRequest.Group { group in
                        group.groupID = groupID
                        group.topics = Set(splits.map(\.topic)).sorted().map { topic in
                            OffsetFetchRequest.Topic {
                                $0.name = topic.text
                                $0.partitions = splits.filter { $0.topic == topic }.map(\.partition.number).sorted()
                            }
                        }
                    }
                ]
            })
    }

    /// Positions on their way into a transaction.
    static func commit(
        _ positions: [Split: Position], as identity: GroupIdentity, in producer: ProducerIdentity,
        _ transactionalID: String
    ) -> Request {
        .txnOffsetCommit(
            TxnOffsetCommitRequest { request in
                request.transactionalID = transactionalID
                request.groupID = identity.groupID
                request.producerID = producer.id
                request.producerEpoch = producer.epoch
                request.generationID = identity.generation
                request.memberID = identity.memberID
                request.groupInstanceID = identity.instanceID
                request.topics = Set(positions.keys.map(\.topic)).sorted().map { topic in
                    TxnOffsetCommitRequest.Topic {
                        $0.name = topic.text
                        $0.partitions = positions.of(topic).map { split, position in
                            TxnOffsetCommitRequest.Partition {
                                $0.partition = split.partition.number
                                $0.committedOffset = position.number
                            }
                        }
                    }
                }
            })
    }

    /// The same outside of any transaction.
    static func commit(_ positions: [Split: Position], as identity: GroupIdentity) -> Request {
        .offsetCommit(
            OffsetCommitRequest { request in
                request.groupID = identity.groupID
                request.generationID = identity.generation
                request.memberID = identity.memberID
                request.groupInstanceID = identity.instanceID
                request.topics = Set(positions.keys.map(\.topic)).sorted().map { topic in
                    OffsetCommitRequest.Topic {
                        $0.name = topic.text
                        $0.partitions = positions.of(topic).map { split, position in
                            OffsetCommitRequest.Partition {
                                $0.partition = split.partition.number
                                $0.committedOffset = position.number
                            }
                        }
                    }
                }
            })
    }
}

extension [Split: Position] {
    /// Those of one topic, in order.
    fileprivate func of(_ topic: TopicName) -> [(Split, Position)] {
        filter { $0.key.topic == topic }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension OffsetFetchResponse {
    var positions: [Split: Position] {
        var positions: [Split: Position] = [:]
        for topic in groups.flatMap(\.topics) {
            for found in topic.partitions where found.committedOffset >= 0 {
                positions[Split(TopicName(topic.name), PartitionID(found.partition))] = Position(found.committedOffset)
            }
        }
        return positions
    }
}
