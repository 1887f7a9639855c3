import CommitProtocol
import ConnectorKit
import KafkaClient
import KafkaConnector
import StreamCore
import StreamSQL

/// `millrace plan`: what a pipeline would do, without connecting to anything.
struct PlanWriter {
    let config: PipelineConfig

    func answer() throws -> PlanAnswer {
        let query = try PipelineQuery(config)
        let compiled = CompiledQuery(query.plan)
        let permissions = permissions
        let topics = topics
        return PlanAnswer(
            text: text(query, compiled, topics, permissions), json: try json(query, compiled, topics, permissions))
    }

    private struct Topic {
        var name: String
        var role: String
        var settings: String
    }

    private struct Permission {
        var resource: String
        var operations: [String]
    }

    // MARK: - What is needed of Kafka

    private var topics: [Topic] {
        ClusterPreparation(config: config, log: NullLog()).internalTopics.map { topic in
            let settings = topic.config.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return Topic(
                name: topic.name.text, role: topic.name == config.errors.topic ? "dead letters" : "internal",
                settings: (["partitions=\(topic.partitions)"] + settings).joined(separator: " "))
        }
    }

    private var permissions: [Permission] {
        guard config.cluster != nil else { return [] }
        var result: [Permission] = []
        for source in config.sources {
            guard case .kafka(let kafka) = source.input else { continue }
            for topic in kafka.topicTexts {
                result.append(Permission(resource: "Topic \(topic)", operations: ["Read", "Describe"]))
            }
        }
        for sink in config.sinks {
            guard case .kafka(let kafka) = sink.output else { continue }
            let name =
                if case .topic(let topic) = kafka.target { topic.text } else { "(every value of the topic column)" }
            result.append(Permission(resource: "Topic \(name)", operations: ["Write", "Describe", "DescribeConfigs"]))
        }
        for topic in topics {
            let creates = config.createTopics ? ["Create"] : []
            result.append(
                Permission(resource: "Topic \(topic.name)", operations: ["Read", "Write", "Describe"] + creates))
        }
        result.append(Permission(resource: "Group \(config.name)", operations: ["Read", "Describe"]))
        if config.guarantee == .exactlyOnce {
            result.append(
                Permission(resource: "TransactionalId \(config.name)- (prefix)", operations: ["Write", "Describe"]))
        }
        return result
    }

    // MARK: - Text

    private func text(
        _ query: PipelineQuery, _ compiled: CompiledQuery, _ topics: [Topic], _ permissions: [Permission]
    ) -> String {
        var lines = [
            "query \(config.name): \(config.guarantee.rawValue), trigger \(triggerText), "
                + (config.isOwned ? "one owner at a time, others stand by" : "instances share the input's partitions"),
            "",
        ]
        for sink in config.sinks {
            lines.append("sink \(sink.name): \(Self.describe(sink.output)), format \(sink.format.rawValue)")
        }
        lines += Self.operators(query.plan).enumerated().map { depth, text in
            String(repeating: "  ", count: depth + 1) + "<- " + text
        }
        lines += ["", "decoded columns: \(compiled.requiredSchema)", "result columns: \(compiled.outputSchema)"]
        lines += ["", "faulty records: \(errorText)"]
        if !topics.isEmpty {
            lines += [
                "",
                "topics of the query"
                    + (config.createTopics
                        ? " (created where missing):" : " (create-topics is false: an administrator creates them):"),
            ]
            lines += topics.map { "  \($0.name)  \($0.role)  \($0.settings)" }
        }
        if !permissions.isEmpty {
            lines +=
                ["", "permissions:"] + permissions.map { "  \($0.resource): \($0.operations.joined(separator: ", "))" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var triggerText: String {
        switch config.trigger {
        case .asap: "asap"
        case .interval(let interval): "every \(interval)"
        case .once: "once"
        case .availableNow: "available-now"
        }
    }

    private var errorText: String {
        switch config.errors.policy {
        case .fail: "the first stops the query"
        case .skip: "counted and dropped"
        case .deadLetter: "to topic \(config.errors.topic?.text ?? "")"
        }
    }

    private static func describe(_ output: PipelineConfig.Output) -> String {
        switch output {
        case .connector(let name, _): name
        case .kafka(let kafka):
            switch kafka.target {
            case .topic(let topic): "Kafka topic \(topic)"
            case .column(let column): "Kafka topic of column \(column)"
            }
        }
    }

    /// From the last operator to the source.
    private static func operators(_ plan: LogicalPlan) -> [String] {
        switch plan {
        case .oneRow: ["one row"]
        case .scan(let table, _): ["source \(table)"]
        case .filter(let input, _): ["filter"] + operators(input)
        case .project(let input, let items):
            ["project " + items.map(\.name).joined(separator: ", ")] + operators(input)
        }
    }

    // MARK: - JSON

    private func json(
        _ query: PipelineQuery, _ compiled: CompiledQuery, _ topics: [Topic], _ permissions: [Permission]
    ) throws -> JSONText {
        func columns(_ schema: Schema) -> JSONText {
            .array(schema.fields.map { ["name": .string($0.name), "type": .string($0.type.name)] })
        }
        return [
            "name": .string(config.name.text), "guarantee": .string(config.guarantee.rawValue),
            "trigger": .string(triggerText), "owned": .bool(config.isOwned),
            "operators": .array(Self.operators(query.plan).reversed().map { .string($0) }),
            "sinks": .array(
                config.sinks.map { ["name": .string($0.name), "output": .string(Self.describe($0.output))] }),
            "decoded": columns(compiled.requiredSchema), "result": columns(compiled.outputSchema),
            "errors": .string(errorText), "createTopics": .bool(config.createTopics),
            "topics": .array(
                topics.map { ["name": .string($0.name), "role": .string($0.role), "settings": .string($0.settings)] }),
            "permissions": .array(
                permissions.map {
                    ["resource": .string($0.resource), "operations": .array($0.operations.map { .string($0) })]
                }),
        ]
    }
}
