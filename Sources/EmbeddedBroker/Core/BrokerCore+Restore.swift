import KafkaWire

extension BrokerCore {
    /// Takes over what the broker's own log and the storage have.
    func restore(_ entries: [StateLog.Entry], names: [TopicPartition], now: Int64) throws(StorageError) {
        var known: Set<TopicPartition> = [StateLog.name]
        for entry in entries {
            switch entry.key.kind {
            case .topic:
                let topic = try restoredTopic(entry, names: Set(names))
                insert(topic)
                for partition in topic.logs.indices { known.insert(TopicPartition(topic.name, Int32(partition))) }
            default: break
            }
        }
        // Of topics that were deleted, or whose creation was not finished.
        for name in names where !known.contains(name) { try storage.delete(name) }
        try restoreCoordinators(entries, now: now)
    }

    private func restoredTopic(_ entry: StateLog.Entry, names: Set<TopicPartition>) throws(StorageError) -> Topic {
        let value: StateTopic = try entry.read()
        let config = TopicConfig(own: Dictionary(value.configs.map { ($0.name, $0.value) }) { $1 })
        var logs: [PartitionLog] = []
        for partition in 0..<max(0, value.partitions) {
            let name = TopicPartition(entry.key.name, partition)
            let bytes = names.contains(name) ? try storage.open(name) : try storage.make(name)
            logs.append(try PartitionLog(storage: bytes, config: config.logConfig(settings)))
        }
        return Topic(
            name: entry.key.name, id: WireUUID(high: value.id.high, low: value.id.low), config: config, logs: logs)
    }
}
