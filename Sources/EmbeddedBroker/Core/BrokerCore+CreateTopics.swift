import KafkaWire

extension BrokerCore {
    func createTopics(_ request: CreateTopicsRequest, _ call: Call) -> CreateTopicsResponse {
        var counts: [String: Int] = [:]
        var partitions = 0
        for topic in request.topics {
            counts[topic.name, default: 0] += 1
            partitions += max(topic.assignments.count, Int(topic.numPartitions), 1)
        }
        let isTooMuch = partitions > Int(settings.partitionsMax)
        var response = CreateTopicsResponse()
        var answered: Set<String> = []
        for topic in request.topics where answered.insert(topic.name).inserted {
            response.topics.append(
                CreateTopicsResponse.Topic {
                    $0.name = topic.name
                    do throws(Refusal) {
                        guard counts[topic.name] == 1 else {
                            throw Refusal(.invalidRequest, "Duplicate topic name.")
                        }
                        guard !isTooMuch else {
                            throw Refusal(.policyViolation, "Excessively large number of partitions per request.")
                        }
                        try create(topic, isCheck: request.validateOnly, &$0, call)
                    } catch {
                        $0.errorCode = error.code
                        $0.errorMessage = error.message
                        $0.configs = call.version >= 5 ? nil : []
                    }
                })
        }
        return response
    }

    private func create(
        _ wanted: CreateTopicsRequest.Topic, isCheck: Bool, _ answer: inout CreateTopicsResponse.Topic, _ call: Call
    ) throws(Refusal) {
        let partitions = try partitions(of: wanted)
        var config = TopicConfig()
        for entry in wanted.configs {
            guard let value = entry.value else {
                throw Refusal(.invalidConfig, "Null value not supported for topic configs: \(entry.name)")
            }
            config.set(entry.name, to: value)
        }
        if isCheck {
            try checkNewTopic(wanted.name, partitions: partitions, config: config)
        } else {
            answer.topicID = try createTopic(wanted.name, partitions: partitions, config: config, now: call.now).id
        }
        answer.errorMessage = nil
        answer.numPartitions = partitions
        answer.replicationFactor = 1
        answer.configs = ConfigDefinition.all.map { definition in
            let entry = described(definition, config)
            return CreateTopicsResponse.Config {
                $0.name = definition.name
                $0.value = entry.value
                $0.configSource = entry.source.rawValue
            }
        }
    }

    /// How many partitions a topic shall have; the name's faults come before those of the numbers, as in Kafka.
    private func partitions(of wanted: CreateTopicsRequest.Topic) throws(Refusal) -> Int32 {
        if let fault = TopicName.fault(in: wanted.name) { throw Refusal(.invalidTopic, fault) }
        guard topics[wanted.name] == nil else {
            throw Refusal(.topicAlreadyExists, "Topic '\(wanted.name)' already exists.")
        }
        guard wanted.assignments.isEmpty else { return try assignedPartitions(of: wanted) }
        guard wanted.replicationFactor == -1 || wanted.replicationFactor > 0 else {
            throw Refusal(
                .invalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.")
        }
        guard wanted.numPartitions == -1 || wanted.numPartitions > 0 else {
            throw Refusal(
                .invalidPartitions, "Number of partitions must be larger than 0, or -1 to use the default value.")
        }
        guard wanted.replicationFactor <= 1 else {
            throw Refusal(
                .invalidReplicationFactor,
                "Unable to replicate the partition \(wanted.replicationFactor) time(s): only 1 broker is there.")
        }
        return wanted.numPartitions == -1 ? settings.partitionsDefault : wanted.numPartitions
    }

    private func assignedPartitions(of wanted: CreateTopicsRequest.Topic) throws(Refusal) -> Int32 {
        guard wanted.replicationFactor == -1, wanted.numPartitions == -1 else {
            throw Refusal(
                .invalidRequest, "Partitions and replication factor must be -1 where there is a manual assignment.")
        }
        let numbers = wanted.assignments.map(\.partition).sorted()
        guard numbers == Array(0..<Int32(clamping: numbers.count)) else {
            throw Refusal(.invalidReplicaAssignment, "Partitions must be numbered from 0 on without a gap.")
        }
        guard wanted.assignments.allSatisfy({ $0.brokerIDs == [settings.nodeId] }) else {
            throw Refusal(.invalidReplicaAssignment, "The only broker has the id \(settings.nodeId).")
        }
        return Int32(clamping: numbers.count)
    }
}
