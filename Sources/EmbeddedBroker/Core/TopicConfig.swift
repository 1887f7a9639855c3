/// The settings of a topic: its own, and the broker's for those that it does not have.
struct TopicConfig: Equatable {
    private(set) var own: [String: String]

    init(own: [String: String] = [:]) {
        self.own = own
    }

    /// Sets one; nil goes back to the broker's.
    mutating func set(_ name: String, to value: String?) {
        own[name] = value?.trimmed
    }

    /// What is wrong with them, or nil.
    func fault(defaults: [String: String]) -> String? {
        for name in own.keys.sorted() {
            guard let definition = ConfigDefinition.byName[name] else { return "Unknown topic config name: \(name)" }
            if let value = own[name], let fault = definition.fault(in: value) { return fault }
        }
        if value("remote.storage.enable", defaults) == "true" {
            return "Tiered storage functionality is disabled in the broker."
        }
        let lags = ["min.compaction.lag.ms", "max.compaction.lag.ms"].map { Int64(value($0, defaults)) ?? 0 }
        return lags[0] > lags[1]
            ? "conflict topic config setting min.compaction.lag.ms (\(lags[0])) > max.compaction.lag.ms (\(lags[1]))"
            : nil
    }

    /// The value in force.
    func value(_ name: String, _ defaults: [String: String]) -> String {
        own[name] ?? defaults[name] ?? ConfigDefinition.byName[name]?.initial ?? ""
    }

    /// What the topic's logs follow.
    func logConfig(_ settings: BrokerSettings) -> LogConfig {
        func number(_ name: String) -> Int64 { Int64(value(name, settings.topicDefaults)) ?? 0 }
        var config = LogConfig()
        let policies = ConfigDefinition.items(of: value("cleanup.policy", settings.topicDefaults))
        config.isDeleted = policies.contains("delete")
        config.isCompacted = policies.contains("compact")
        config.messageBytesMax = Int(number("max.message.bytes"))
        let isAppendTime = value("message.timestamp.type", settings.topicDefaults) == "LogAppendTime"
        config.timestampType = isAppendTime ? .logAppendTime : .createTime
        config.timestampBeforeMsMax = number("message.timestamp.before.max.ms")
        config.timestampAfterMsMax = number("message.timestamp.after.max.ms")
        let retentionMs = number("retention.ms")
        config.retentionMs = retentionMs < 0 ? nil : retentionMs
        let retentionBytes = number("retention.bytes")
        config.retentionBytes = retentionBytes < 0 ? nil : retentionBytes
        config.deleteRetentionMs = number("delete.retention.ms")
        config.producerIdExpirationMs = settings.producerIdExpirationMs
        return config
    }
}
