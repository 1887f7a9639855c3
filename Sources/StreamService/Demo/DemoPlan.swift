import ConnectorKit
import KafkaConnector
import StreamCore

/// Which topics a demo writes and watches, and the pipeline as the demo runs it.
struct DemoPlan {
    var config: PipelineConfig
    /// Where the made-up records go.
    let input: TopicName
    /// Where the pipeline's results are read; the first of its Kafka sinks.
    let output: TopicName
    let connection: KafkaConnection

    /// - Throws: `DEMO_PIPELINE` for a pipeline that has nothing for a demo to write or to watch.
    init(_ config: PipelineConfig) throws(StreamError) {
        self.config = config
        var source: (KafkaConnection, TopicName)?
        for entry in config.sources {
            guard case .kafka(let kafka) = entry.input, case .names(let names) = kafka.topics, let first = names.first,
                entry.format == .json
            else { continue }
            source = source ?? (kafka.connection, first)
        }
        var outputs: [TopicName] = []
        for sink in config.sinks {
            if case .kafka(let kafka) = sink.output, case .topic(let topic) = kafka.target { outputs.append(topic) }
        }
        guard let source, let output = outputs.first else {
            throw StreamError(
                "DEMO_PIPELINE",
                "'\(config.file)' cannot be shown: a demo needs a Kafka source with 'topics' and 'format: json', and a "
                    + "Kafka sink with a 'topic'.",
                remedy: "Try examples/clicks/pipeline.yaml.", domain: .user)
        }
        (connection, input) = source
        self.output = output
    }

    /// The same pipeline on other brokers, which know neither TLS nor logins.
    static func moved(_ config: PipelineConfig, to brokers: [String]) -> PipelineConfig {
        config.reconnected { connection in
            var moved = connection
            moved.brokers = brokers
            for name in connection.loginOptions.keys { moved.options[name] = nil }
            return moved
        }
    }
}
