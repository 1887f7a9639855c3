import KafkaWire

extension BrokerCore {
    func deleteTopics(_ request: DeleteTopicsRequest, _ call: Call) -> DeleteTopicsResponse {
        let wanted =
            call.version >= 6
            ? request.topics : request.topicNames.map { name in DeleteTopicsRequest.Topic { $0.name = name } }
        return DeleteTopicsResponse {
            $0.topics = wanted.map { wanted in
                DeleteTopicsResponse.Topic {
                    $0.name = wanted.name
                    $0.topicID = wanted.topicID
                    do throws(Refusal) {
                        let topic = try named(wanted)
                        $0.name = topic.name
                        $0.topicID = topic.id
                        try deleteTopic(topic, now: call.now)
                    } catch {
                        $0.errorCode = error.code
                        $0.errorMessage = error.message
                    }
                }
            }
        }
    }

    private func named(_ wanted: DeleteTopicsRequest.Topic) throws(Refusal) -> Topic {
        guard (wanted.name == nil) != (wanted.topicID == .zero) else {
            throw Refusal(.invalidRequest, "A topic is named by its name or by its id.")
        }
        guard let name = wanted.name else {
            guard let topic = topicNames[wanted.topicID].flatMap({ topics[$0] }) else {
                throw Refusal(.unknownTopicID)
            }
            return topic
        }
        guard let topic = topics[name] else { throw Refusal(.unknownTopicOrPartition) }
        return topic
    }

    func createPartitions(_ request: CreatePartitionsRequest, _ call: Call) -> CreatePartitionsResponse {
        var counts: [String: Int] = [:]
        for topic in request.topics { counts[topic.name, default: 0] += 1 }
        var answered: Set<String> = []
        return CreatePartitionsResponse {
            $0.topics = request.topics.filter { answered.insert($0.name).inserted }.map { wanted in
                CreatePartitionsResponse.Topic {
                    $0.name = wanted.name
                    do throws(Refusal) {
                        guard counts[wanted.name] == 1 else {
                            throw Refusal(.invalidRequest, "Duplicate topic name.")
                        }
                        try grow(wanted, isCheck: request.validateOnly, call.now)
                    } catch {
                        $0.errorCode = error.code
                        $0.errorMessage = error.message
                    }
                }
            }
        }
    }

    private func grow(_ wanted: CreatePartitionsRequest.Topic, isCheck: Bool, _ now: Int64) throws(Refusal) {
        guard let topic = topics[wanted.name] else { throw Refusal(.unknownTopicOrPartition) }
        let count = Int32(clamping: topic.logs.count)
        guard wanted.count > count else {
            throw Refusal(
                .invalidPartitions,
                "The topic \(wanted.name) currently has \(count) partition(s); \(wanted.count) would not be an "
                    + "increase.")
        }
        guard wanted.count <= settings.partitionsMax else {
            throw Refusal(.invalidPartitions, "A topic has at most \(settings.partitionsMax) partitions.")
        }
        if let assignments = wanted.assignments {
            guard assignments.count == Int(wanted.count - count),
                assignments.allSatisfy({ $0.brokerIDs == [settings.nodeId] })
            else {
                throw Refusal(
                    .invalidReplicaAssignment, "Each new partition needs an assignment to \(settings.nodeId).")
            }
        }
        if isCheck { return }
        let added = try makeLogs(of: topic.name, count..<wanted.count, topic.config)
        guard keep([topic.record(partitions: Int(wanted.count))], now: now) else { throw Refusal(.kafkaStorageError) }
        topic.logs += added
    }
}
