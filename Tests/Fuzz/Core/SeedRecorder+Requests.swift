import EmbeddedBroker
import KafkaWire

/// The requests of the sessions, each with the fields that matter there.
extension SeedRecorder {
    func createTopic(_ name: String, partitions: Int32 = 1, configs: [String: String] = [:]) {
        let topic = CreateTopicsRequest.Topic {
            $0.name = name
            $0.numPartitions = partitions
            $0.replicationFactor = 1
            $0.configs = configs.sorted { $0.key < $1.key }.map { name, value in
                CreateTopicsRequest.Config {
                    $0.name = name
                    $0.value = value
                }
            }
        }
        ask(.createTopics, .createTopics(CreateTopicsRequest { $0.topics = [topic] }))
    }

    func deleteTopic(_ name: String) {
        let request = DeleteTopicsRequest {
            $0.topics = [DeleteTopicsRequest.Topic { $0.name = name }]
            $0.topicNames = [name]
        }
        ask(.deleteTopics, .deleteTopics(request))
    }

    func createPartitions(_ name: String, _ count: Int32) {
        let topic = CreatePartitionsRequest.Topic {
            $0.name = name
            $0.count = count
            $0.assignments = nil
        }
        ask(.createPartitions, .createPartitions(CreatePartitionsRequest { $0.topics = [topic] }))
    }

    func metadata(_ names: [String]?) {
        let request = MetadataRequest {
            $0.topics = names.map { $0.map { name in MetadataRequest.Topic { $0.name = name } } }
            $0.allowAutoTopicCreation = true
        }
        ask(.metadata, .metadata(request))
    }

    func alter(_ topic: String, _ name: String, _ value: String?, operation: Int8) {
        let config = IncrementalAlterConfigsRequest.Config {
            $0.name = name
            $0.value = value
            $0.operation = operation
        }
        let resource = IncrementalAlterConfigsRequest.Resource {
            $0.resourceType = 2
            $0.resourceName = topic
            $0.configs = [config]
        }
        let request = IncrementalAlterConfigsRequest { $0.resources = [resource] }
        ask(.incrementalAlterConfigs, .incrementalAlterConfigs(request))
    }

    func describe(configsOf topic: String) {
        let resource = DescribeConfigsRequest.Resource {
            $0.resourceType = 2
            $0.resourceName = topic
            $0.configNames = nil
        }
        ask(.describeConfigs, .describeConfigs(DescribeConfigsRequest { $0.resources = [resource] }))
    }

    // MARK: - Records

    func produce(
        _ topic: String, _ records: [UInt8], partition: Int32 = 0, acks: Int16 = -1, transactionalId: String? = nil
    ) {
        let part = ProduceRequest.Partition {
            $0.partition = partition
            $0.records = records[...]
        }
        let request = ProduceRequest {
            $0.acks = acks
            $0.transactionalID = transactionalId
            $0.topics = [
                ProduceRequest.Topic {
                    $0.name = topic
                    $0.partitions = [part]
                }
            ]
        }
        ask(.produce, .produce(request))
    }

    func fetch(_ topic: String, from offset: Int64 = 0, isCommitted: Bool = false, maxWaitMs: Int32 = 0) {
        let part = FetchRequest.Partition {
            $0.fetchOffset = offset
            $0.maxBytes = 1 << 20
        }
        let request = FetchRequest {
            $0.maxWaitMs = maxWaitMs
            $0.minBytes = 1
            $0.isolationLevel = isCommitted ? 1 : 0
            $0.topics = [
                FetchRequest.Topic {
                    $0.name = topic
                    $0.partitions = [part]
                }
            ]
        }
        ask(.fetch, .fetch(request))
    }

    func listOffsets(_ topic: String, at time: Int64) {
        let named = ListOffsetsRequest.Topic {
            $0.name = topic
            $0.partitions = [ListOffsetsRequest.Partition { $0.timestamp = time }]
        }
        ask(.listOffsets, .listOffsets(ListOffsetsRequest { $0.topics = [named] }))
    }

    func deleteRecords(_ topic: String, before offset: Int64) {
        let named = DeleteRecordsRequest.Topic {
            $0.name = topic
            $0.partitions = [DeleteRecordsRequest.Partition { $0.offset = offset }]
        }
        ask(.deleteRecords, .deleteRecords(DeleteRecordsRequest { $0.topics = [named] }))
    }

    // MARK: - Transactions

    func initProducer(_ transactionalId: String?) -> (id: Int64, epoch: Int16) {
        let request = InitProducerIDRequest {
            $0.transactionalID = transactionalId
            $0.transactionTimeoutMs = 10_000
        }
        let answer = ask(.initProducerID, .initProducerID(request))
        guard case .initProducerID(let answer)? = answer else { return (-1, -1) }
        return (answer.producerID, answer.producerEpoch)
    }

    func addPartition(to producer: (id: Int64, epoch: Int16), _ topic: String) {
        let request = AddPartitionsToTxnRequest {
            $0.transactionalID = "p"
            $0.producerID = producer.id
            $0.producerEpoch = producer.epoch
            $0.topics = [
                AddPartitionsToTxnRequest.Topic {
                    $0.name = topic
                    $0.partitions = [0]
                }
            ]
        }
        ask(.addPartitionsToTxn, .addPartitionsToTxn(request))
    }

    func commit(in producer: (id: Int64, epoch: Int16), _ group: String, _ topic: String, _ offset: Int64) {
        let adding = AddOffsetsToTxnRequest {
            $0.transactionalID = "p"
            $0.producerID = producer.id
            $0.producerEpoch = producer.epoch
            $0.groupID = group
        }
        ask(.addOffsetsToTxn, .addOffsetsToTxn(adding))
        let named = TxnOffsetCommitRequest.Topic {
            $0.name = topic
            $0.partitions = [TxnOffsetCommitRequest.Partition { $0.committedOffset = offset }]
        }
        let request = TxnOffsetCommitRequest {
            $0.transactionalID = "p"
            $0.producerID = producer.id
            $0.producerEpoch = producer.epoch
            $0.groupID = group
            $0.topics = [named]
        }
        ask(.txnOffsetCommit, .txnOffsetCommit(request))
    }

    func end(_ producer: (id: Int64, epoch: Int16), isCommit: Bool) {
        let request = EndTxnRequest {
            $0.transactionalID = "p"
            $0.producerID = producer.id
            $0.producerEpoch = producer.epoch
            $0.committed = isCommit
        }
        ask(.endTxn, .endTxn(request))
    }

    func describe(_ topic: String, transactions: [String]) {
        let named = DescribeProducersRequest.Topic {
            $0.name = topic
            $0.partitions = [0]
        }
        ask(.describeProducers, .describeProducers(DescribeProducersRequest { $0.topics = [named] }))
        let request = DescribeTransactionsRequest { $0.transactionalIDs = transactions }
        ask(.describeTransactions, .describeTransactions(request))
        ask(.listTransactions, .listTransactions(ListTransactionsRequest()))
    }
}
