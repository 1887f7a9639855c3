import KafkaWire

/// Where a setting's value comes from (KIP-226).
enum ConfigSource: Int8 {
    case topic = 1
    case broker = 4
    case initial = 5
}

private enum ResourceType {
    static let topic: Int8 = 2
    static let broker: Int8 = 4
}

extension BrokerCore {
    func described(_ definition: ConfigDefinition, _ config: TopicConfig) -> (value: String, source: ConfigSource) {
        if let own = config.own[definition.name] { return (own, .topic) }
        if let broker = settings.topicDefaults[definition.name] { return (broker, .broker) }
        return (definition.initial, .initial)
    }

    func describeConfigs(_ request: DescribeConfigsRequest) -> DescribeConfigsResponse {
        DescribeConfigsResponse {
            $0.resources = request.resources.map { resource in
                DescribeConfigsResponse.Resource {
                    $0.resourceType = resource.resourceType
                    $0.resourceName = resource.resourceName
                    $0.errorMessage = nil
                    do throws(Refusal) {
                        let wanted = resource.configNames.map(Set.init)
                        $0.configs = try configs(of: resource, request).filter { wanted?.contains($0.name) ?? true }
                    } catch {
                        $0.errorCode = error.code
                        $0.errorMessage = error.message
                    }
                }
            }
        }
    }

    private func configs(of resource: DescribeConfigsRequest.Resource, _ request: DescribeConfigsRequest)
        throws(Refusal) -> [DescribeConfigsResponse.Config]
    {
        switch resource.resourceType {
        case ResourceType.topic:
            let topic = try existing(resource.resourceName)
            return ConfigDefinition.all.map { entry($0, topic.config, request) }
        case ResourceType.broker:
            // The empty name stands for what all brokers would have in common.
            if resource.resourceName.isEmpty { return [] }
            guard resource.resourceName == "\(settings.nodeId)" else {
                throw Refusal(
                    .invalidRequest,
                    "Unexpected broker id, expected \(settings.nodeId), but received "
                        + resource.resourceName)
            }
            return brokerConfigs(request)
        default: throw Refusal(.invalidRequest, "Only topics and brokers have settings here.")
        }
    }

    private func entry(_ definition: ConfigDefinition, _ config: TopicConfig, _ request: DescribeConfigsRequest)
        -> DescribeConfigsResponse.Config
    {
        let (value, source) = described(definition, config)
        return DescribeConfigsResponse.Config {
            $0.name = definition.name
            $0.value = value
            $0.configSource = source.rawValue
            $0.configType = definition.kind.code
            $0.documentation = nil
            guard request.includeSynonyms else { return }
            var synonyms: [(name: String, value: String, source: ConfigSource)] = []
            if let own = config.own[definition.name] { synonyms.append((definition.name, own, .topic)) }
            if let brokerName = definition.brokerName {
                if let broker = settings.topicDefaults[definition.name] {
                    synonyms.append((brokerName, broker, .broker))
                }
                synonyms.append((brokerName, definition.initial, .initial))
            }
            $0.synonyms = synonyms.map { name, value, source in
                DescribeConfigsResponse.Synonym {
                    $0.name = name
                    $0.value = value
                    $0.source = source.rawValue
                }
            }
        }
    }

    /// The broker's settings cannot be changed while it runs.
    private func brokerConfigs(_ request: DescribeConfigsRequest) -> [DescribeConfigsResponse.Config] {
        let own: [(name: String, value: String, type: Int8)] = [
            ("advertised.listeners", "PLAINTEXT://\(settings.advertisedHost):\(settings.advertisedPort)", 2),
            ("auto.create.topics.enable", "\(settings.autoCreatesTopics)", 1),
            ("default.replication.factor", "1", 3),
            ("fetch.max.bytes", "\(settings.fetchBytesMax)", 3),
            ("group.initial.rebalance.delay.ms", "\(settings.groups.initialRebalanceDelayMs)", 3),
            ("group.max.session.timeout.ms", "\(settings.groups.maxSessionTimeoutMs)", 3),
            ("group.min.session.timeout.ms", "\(settings.groups.minSessionTimeoutMs)", 3),
            ("log.cleaner.backoff.ms", "\(settings.compactionCheckIntervalMs)", 5),
            ("log.retention.check.interval.ms", "\(settings.retentionCheckIntervalMs)", 5),
            ("node.id", "\(settings.nodeId)", 3),
            ("num.partitions", "\(settings.partitionsDefault)", 3),
            ("offset.metadata.max.bytes", "\(settings.groups.offsetMetadataMaxBytes)", 3),
            ("offsets.retention.minutes", "\(settings.groups.offsetsRetentionMs / 60_000)", 3),
            ("transaction.max.timeout.ms", "\(settings.transactions.maxTimeoutMs)", 3),
            ("transactional.id.expiration.ms", "\(settings.transactions.expirationMs)", 3),
        ]
        let forTopics = ConfigDefinition.all.compactMap { definition in
            definition.brokerName.map { ($0, described(definition, TopicConfig()).value, definition.kind.code) }
        }
        return (own + forTopics).sorted { $0.0 < $1.0 }.map { name, value, type in
            DescribeConfigsResponse.Config {
                $0.name = name
                $0.value = value
                $0.readOnly = true
                $0.configSource = ConfigSource.broker.rawValue
                $0.configType = type
                $0.documentation = nil
            }
        }
    }

    // MARK: - Changes

    func alterConfigs(_ request: AlterConfigsRequest, _ call: Call) -> AlterConfigsResponse {
        AlterConfigsResponse {
            $0.resources = request.resources.map { resource in
                AlterConfigsResponse.Resource {
                    $0.resourceType = resource.resourceType
                    $0.resourceName = resource.resourceName
                    $0.errorMessage = nil
                    do throws(Refusal) {
                        try change(resource.resourceType, resource.resourceName, request.validateOnly, call.now) {
                            (config) throws(Refusal) in
                            config = TopicConfig()
                            for entry in resource.configs { config.set(entry.name, to: entry.value) }
                        }
                    } catch {
                        $0.errorCode = error.code
                        $0.errorMessage = error.message
                    }
                }
            }
        }
    }

    func incrementalAlterConfigs(_ request: IncrementalAlterConfigsRequest, _ call: Call)
        -> IncrementalAlterConfigsResponse
    {
        IncrementalAlterConfigsResponse {
            $0.resources = request.resources.map { resource in
                IncrementalAlterConfigsResponse.Resource {
                    $0.resourceType = resource.resourceType
                    $0.resourceName = resource.resourceName
                    $0.errorMessage = nil
                    do throws(Refusal) {
                        guard Set(resource.configs.map(\.name)).count == resource.configs.count else {
                            throw Refusal(.invalidRequest, "Error due to duplicate config keys")
                        }
                        try change(resource.resourceType, resource.resourceName, request.validateOnly, call.now) {
                            (config) throws(Refusal) in
                            for entry in resource.configs { try apply(entry, to: &config) }
                        }
                    } catch {
                        $0.errorCode = error.code
                        $0.errorMessage = error.message
                    }
                }
            }
        }
    }

    private func apply(_ entry: IncrementalAlterConfigsRequest.Config, to config: inout TopicConfig) throws(Refusal) {
        guard let definition = ConfigDefinition.byName[entry.name] else {
            throw Refusal(.invalidConfig, "Unknown topic config name: \(entry.name)")
        }
        guard entry.value != nil || entry.operation == 1 else {
            throw Refusal(.invalidRequest, "Null value not supported for : \(entry.name)")
        }
        let value = entry.value ?? ""
        switch entry.operation {
        case 0: config.set(entry.name, to: value)
        case 1: config.set(entry.name, to: nil)
        case 2, 3:
            guard definition.isList else {
                throw Refusal(
                    .invalidConfig, "Config value append is not allowed for config key: \(entry.name)")
            }
            var items = ConfigDefinition.items(of: config.value(entry.name, settings.topicDefaults))
            let named = ConfigDefinition.items(of: value)
            items.removeAll { named.contains($0) }
            config.set(entry.name, to: (entry.operation == 2 ? items + named : items).joined(separator: ","))
        default: throw Refusal(.invalidRequest, "Unknown operation \(entry.operation).")
        }
    }

    private func change(
        _ type: Int8, _ name: String, _ isCheck: Bool, _ now: Int64,
        _ body: (inout TopicConfig) throws(Refusal) -> Void
    ) throws(Refusal) {
        guard type == ResourceType.topic else {
            throw Refusal(.invalidRequest, "Only topics have settings that can be changed here.")
        }
        // Kafka's order: a wrong value is told of a topic that is not there, too.
        var config = topics[name]?.config ?? TopicConfig()
        try body(&config)
        if let fault = TopicName.fault(in: name) { throw Refusal(.invalidTopic, fault) }
        if let fault = config.fault(defaults: settings.topicDefaults) { throw Refusal(.invalidConfig, fault) }
        let topic = try existing(name)
        if isCheck { return }
        topic.config = config
        guard keep([topic.record(partitions: topic.logs.count)], now: now) else { throw Refusal(.kafkaStorageError) }
        for log in topic.logs { log.config = config.logConfig(settings) }
    }

    /// A topic by its name, which has to be there.
    func existing(_ name: String) throws(Refusal) -> Topic {
        if let topic = topics[name] { return topic }
        if let fault = TopicName.fault(in: name) { throw Refusal(.invalidTopic, fault) }
        throw Refusal(.unknownTopicOrPartition)
    }
}
