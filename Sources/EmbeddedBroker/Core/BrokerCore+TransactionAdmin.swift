import KafkaWire

extension BrokerCore {
    func describeTransactions(_ request: DescribeTransactionsRequest) -> DescribeTransactionsResponse {
        DescribeTransactionsResponse {
            $0.transactions = request.transactionalIDs.map { transactionalId in
                DescribeTransactionsResponse.Transaction {
                    $0.transactionalID = transactionalId
                    guard let machine = transactions.machine(transactionalId), machine.state != .dead else {
                        $0.errorCode = transactionalId.isEmpty ? .invalidRequest : .transactionalIDNotFound
                        return
                    }
                    let value = machine.value
                    $0.state = value.state.rawValue
                    $0.timeoutMs = value.timeoutMs
                    $0.startTimeMs = value.startTimestampMs
                    $0.producerID = value.producer.id
                    $0.producerEpoch = value.producer.epoch
                    let byTopic = Dictionary(grouping: value.partitions.sorted(), by: \.topic)
                    $0.topics = byTopic.keys.sorted().map { name in
                        DescribeTransactionsResponse.Topic {
                            $0.name = name
                            $0.partitions = byTopic[name, default: []].map(\.partition)
                        }
                    }
                }
            }
        }
    }

    func listTransactions(_ request: ListTransactionsRequest, _ call: Call) -> ListTransactionsResponse {
        ListTransactionsResponse {
            let unknown = request.stateFilters.filter { TransactionState(rawValue: $0) == nil }
            $0.unknownStateFilters = unknown
            let states = Set(request.stateFilters)
            let producers = Set(request.producerIDFilters)
            // Names that are not known match nothing, even if there are no others.
            $0.transactions = transactions.transactionalIds.compactMap { transactionalId in
                guard let machine = transactions.machine(transactionalId), machine.state != .dead,
                    states.isEmpty || states.contains(machine.state.rawValue),
                    producers.isEmpty || producers.contains(machine.producer.id),
                    request.durationFilterMs < 0 || isOlder(machine, than: request.durationFilterMs, call.now)
                else { return nil }
                return ListTransactionsResponse.Transaction {
                    $0.transactionalID = transactionalId
                    $0.producerID = machine.producer.id
                    $0.state = machine.state.rawValue
                }
            }
        }
    }

    private func isOlder(_ machine: TransactionMachine, than duration: Int64, _ now: Int64) -> Bool {
        let start = machine.value.startTimestampMs
        return start >= 0 && now &- start > duration
    }

    func describeProducers(_ request: DescribeProducersRequest) -> DescribeProducersResponse {
        DescribeProducersResponse {
            $0.topics = request.topics.map { topic in
                DescribeProducersResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { producers(topic.name, $0) }
                }
            }
        }
    }

    private func producers(_ topic: String, _ partition: Int32) -> DescribeProducersResponse.Partition {
        DescribeProducersResponse.Partition {
            $0.partition = partition
            guard let log = log(topic, partition) else {
                $0.errorCode = .unknownTopicOrPartition
                return
            }
            $0.activeProducers = log.producers.entries.sorted { $0.key < $1.key }.map { id, entry in
                DescribeProducersResponse.Producer {
                    $0.producerID = id
                    $0.producerEpoch = Int32(entry.epoch)
                    $0.lastSequence = entry.lastSequence
                    $0.lastTimestamp = entry.lastTimestamp
                    $0.coordinatorEpoch = entry.coordinatorEpoch
                    $0.currentTxnStartOffset = entry.transactionFirstOffset ?? -1
                }
            }
        }
    }
}
