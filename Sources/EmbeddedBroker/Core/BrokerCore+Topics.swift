import KafkaWire

extension BrokerCore {
    /// Makes a topic, or says why not. Its logs come before its record: empty logs without one are deleted when the
    /// broker is opened.
    func createTopic(_ name: String, partitions: Int32, config: TopicConfig, now: Int64) throws(Refusal) -> Topic {
        try checkNewTopic(name, partitions: partitions, config: config)
        let logs = try makeLogs(of: name, 0..<partitions, config)
        let topic = Topic(name: name, id: freshTopicId(), config: config, logs: logs)
        guard keep([topic.record(partitions: logs.count)], now: now) else { throw Refusal(.kafkaStorageError) }
        insert(topic)
        return topic
    }

    func checkNewTopic(_ name: String, partitions: Int32, config: TopicConfig) throws(Refusal) {
        if let fault = TopicName.fault(in: name) { throw Refusal(.invalidTopic, fault) }
        guard name != StateLog.name.topic else {
            throw Refusal(.invalidTopic, "Topic name is invalid: '\(name)' is the broker's own")
        }
        guard topics[name] == nil else { throw Refusal(.topicAlreadyExists, "Topic '\(name)' already exists.") }
        if let other = collisions[TopicName.collisionKey(name)] {
            throw Refusal(.invalidTopic, "Topic '\(name)' collides with existing topic: \(other)")
        }
        guard partitions >= 1 else {
            throw Refusal(.invalidPartitions, "Number of partitions was set to an invalid non-positive value.")
        }
        guard partitions <= settings.partitionsMax else {
            throw Refusal(.policyViolation, "A topic has at most \(settings.partitionsMax) partitions.")
        }
        if let fault = config.fault(defaults: settings.topicDefaults) { throw Refusal(.invalidConfig, fault) }
    }

    /// Empty logs for new partitions; all of them, or none.
    func makeLogs(of name: String, _ partitions: Range<Int32>, _ config: TopicConfig) throws(Refusal)
        -> [PartitionLog]
    {
        var logs: [PartitionLog] = []
        do throws(StorageError) {
            for partition in partitions {
                let bytes = try storage.make(TopicPartition(name, partition))
                logs.append(try PartitionLog(storage: bytes, config: config.logConfig(settings)))
            }
        } catch {
            deleteLogs(of: name, partitions)
            throw Refusal(error)
        }
        return logs
    }

    /// False where some are still there.
    @discardableResult
    func deleteLogs(of name: String, _ partitions: Range<Int32>) -> Bool {
        var isDone = true
        for partition in partitions {
            do throws(StorageError) { try storage.delete(TopicPartition(name, partition)) } catch { isDone = false }
        }
        return isDone
    }

    func insert(_ topic: Topic) {
        topics[topic.name] = topic
        topicNames[topic.id] = topic.name
        collisions[TopicName.collisionKey(topic.name)] = topic.name
    }

    /// Deletes a topic with the offsets that groups have committed in it. That it is gone is kept before its bytes
    /// go; what cannot be deleted now is deleted when the broker is opened, or when a topic takes its name.
    func deleteTopic(_ topic: Topic, now: Int64) throws(Refusal) {
        let offsets = groups.removeOffsets(ofTopics: [topic.name]).flatMap(records)
        guard keep([topic.record(partitions: topic.logs.count, isDeleted: true)] + offsets, now: now) else {
            throw Refusal(.kafkaStorageError)
        }
        topics[topic.name] = nil
        topicNames[topic.id] = nil
        collisions[TopicName.collisionKey(topic.name)] = nil
        if deleteLogs(of: topic.name, 0..<Int32(clamping: topic.logs.count)) {
            keep([StateRecord(StateKey(.topic, topic.name), nil)], now: now)
        }
        for partition in topic.logs.indices { fetches.force(TopicPartition(topic.name, Int32(clamping: partition))) }
    }

    /// A topic by the name of a request that may make it.
    func topic(_ name: String, creates: Bool, now: Int64) throws(Refusal) -> Topic {
        if let topic = topics[name] { return topic }
        if let fault = TopicName.fault(in: name) { throw Refusal(.invalidTopic, fault) }
        guard creates, settings.autoCreatesTopics else { throw Refusal(.unknownTopicOrPartition) }
        return try createTopic(name, partitions: settings.partitionsDefault, config: TopicConfig(), now: now)
    }

    private func freshTopicId() -> WireUUID {
        var id = WireUUID.random(random)
        while topicNames[id] != nil { id.low &+= 1 }
        return id
    }
}
