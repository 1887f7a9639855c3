internal import ConnectorKit
internal import KafkaConnector
internal import StreamCore

/// What must hold between sections.
extension PipelineBuilder {
    /// Exactly once needs sources that can be read again and sinks that keep an epoch whole.
    mutating func checkGuarantee() {
        guard root.text("guarantee") == PipelineConfig.Guarantee.exactlyOnce.rawValue else { return }
        for entry in root["sources"]?.map ?? [] {
            for spec in reader.registry.specs where entry.value.section?.wasGiven(spec.name) ?? false {
                guard let source = spec.source, !source.isReplayable, let section = entry.value.section else {
                    continue
                }
                let message = "cannot keep exactly-once: it does not give the same records again after a failure; "
                checker.report(section.issue(at: spec.name, message + "set 'guarantee: at-least-once'"))
            }
        }
        for entry in root["sinks"]?.map ?? [] {
            for spec in reader.registry.specs where entry.value.section?.wasGiven(spec.name) ?? false {
                guard let sink = spec.sink, !sink.delivery.keepsExactlyOnce, let section = entry.value.section else {
                    continue
                }
                let message = "cannot keep exactly-once: what an epoch wrote before it failed is written again; "
                checker.report(section.issue(at: spec.name, message + "set 'guarantee: at-least-once'"))
            }
        }
    }

    /// Fills in brokers that were left out. Gives the query's own cluster.
    mutating func connect(_ sources: inout [PipelineConfig.Source], _ sinks: inout [PipelineConfig.Sink])
        -> KafkaConnection?
    {
        let fallback = fallbackBrokers()
        var first: KafkaConnection?
        for index in sources.indices {
            guard case .kafka(var kafka) = sources[index].input else { continue }
            kafka.connection.brokers = chosen(kafka.connection.brokers, else: fallback)
            if kafka.connection.brokers.isEmpty { reportNoBrokers("sources", sources[index].name) }
            sources[index].input = .kafka(kafka)
            first = first ?? kafka.connection
        }
        var own: KafkaConnection?
        for index in sinks.indices {
            guard case .kafka(var kafka) = sinks[index].output else { continue }
            if kafka.connection.brokers.isEmpty, let first {
                // The same cluster, so the same way to log in; what the sink says itself wins.
                kafka.connection.options.merge(first.loginOptions) { mine, _ in mine }
                kafka.connection.brokers = first.brokers
            } else {
                kafka.connection.brokers = chosen(kafka.connection.brokers, else: fallback)
                if kafka.connection.brokers.isEmpty { reportNoBrokers("sinks", sinks[index].name) }
            }
            sinks[index].output = .kafka(kafka)
            own = own ?? kafka.connection
        }
        if let cluster = own ?? first { return cluster }
        return fallback.isEmpty ? nil : KafkaConnection(brokers: fallback)
    }

    /// There is one broker inside a process, and it lets everyone in.
    mutating func checkEmbedded(_ sources: [PipelineConfig.Source], _ sinks: [PipelineConfig.Sink]) {
        var ports: Set<UInt16> = [0]
        for source in sources {
            guard case .kafka(let kafka) = source.input else { continue }
            checkEmbedded(kafka.connection, "sources", source.name, &ports)
        }
        for sink in sinks {
            guard case .kafka(let kafka) = sink.output else { continue }
            checkEmbedded(kafka.connection, "sinks", sink.name, &ports)
        }
    }

    private mutating func checkEmbedded(
        _ connection: KafkaConnection, _ kind: String, _ name: String, _ ports: inout Set<UInt16>
    ) {
        guard let port = connection.embeddedPort, let section = kafkaSection(kind, name) else { return }
        ports.insert(port)
        if ports.count > 2 {
            let message = "there is one embedded broker, and it has another port already"
            checker.report(section.issue(at: "brokers", message))
        }
        if let option = connection.loginOptions.keys.min() {
            let message = "the embedded broker knows neither TLS nor logins: leave out '\(option)'"
            checker.report(section.issue(at: "options", message))
        }
    }

    private func chosen(_ brokers: [String], else fallback: [String]) -> [String] {
        reader.brokers ?? (brokers.isEmpty ? fallback : brokers)
    }

    private func fallbackBrokers() -> [String] {
        reader.brokers ?? KafkaNames.brokers(reader.environment.variables["MILLRACE_BROKERS"] ?? "")
    }

    private func kafkaSection(_ kind: String, _ name: String) -> CheckedSection? {
        root[kind]?.map?.first(where: { $0.key == name })?.value.section?.section("kafka")
    }

    private mutating func reportNoBrokers(_ kind: String, _ name: String) {
        guard let section = kafkaSection(kind, name), !section.wasGiven("brokers") else { return }
        checker.report(section.issue("'brokers' is missing, and MILLRACE_BROKERS is not set"))
    }

    /// A query that reads what it writes never ends.
    mutating func checkTopics(_ sources: [PipelineConfig.Source], _ sinks: [PipelineConfig.Sink]) {
        var inputs: Set<TopicName> = []
        for source in sources {
            if case .kafka(let kafka) = source.input, case .names(let names) = kafka.topics { inputs.formUnion(names) }
        }
        for entry in root["sinks"]?.map ?? [] {
            guard let topic = entry.value.section?.section("kafka")?["topic"], let name = topic.text,
                inputs.contains(TopicName(name))
            else { continue }
            checker.report(topic.issue("the query reads this topic as well, and so its own output", severity: .warning))
        }
        if let topic = root.section("errors")?["topic"], let name = topic.text, inputs.contains(TopicName(name)) {
            checker.report(topic.issue("the query reads this topic: its dead letters would come back for ever"))
        }
    }
}
