import BrokerServer
import ConnectorKit
import KafkaConnector
import StreamCore

/// The broker inside the process of a pipeline: of `brokers: [embedded]` and of a demo.
struct PipelineBroker {
    /// Nil: all is in memory, and gone with the process.
    let folder: String?
    private let broker: LocalBroker

    /// Where clients find it, as `host:port`.
    var address: String { broker.advertised.description }
    /// Why it stopped by itself; nothing brings it back in this process.
    var failure: StreamError? { broker.failure.map(Self.error) }

    /// Starts it on loopback. Its data are kept beside the query's state, so that the next run goes on where this one
    /// ends.
    /// - Parameter port: 0: the system chooses.
    /// - Parameter topics: made with one partition each if they are not there.
    /// - Parameter onFailure: called on the broker's thread when it has stopped by itself.
    /// - Throws: `StreamError` `EMBEDDED_BROKER`.
    init(
        _ config: PipelineConfig, folder name: String, port: UInt16 = 0, topics: [TopicName] = [],
        environment: ConfigEnvironment, log: any LogHandler, onFailure: @escaping @Sendable () -> Void = {}
    ) throws(StreamError) {
        let state = try? config.stateFolder ?? environment.userStateFolder()
        folder = state.map { "\($0)/\(config.name)-\(name)" }
        var options = LocalBroker.Options()
        options.listen = [BrokerRequest.Address(host: "127.0.0.1", port: port)]
        options.limits.connectionsMax = OpenFileLimit.raised().connections(wanted: options.limits.connectionsMax)
        options.dataFolder = folder
        options.topics = topics.map { ("\($0)", 1) }
        do {
            broker = try LocalBroker(options, log: log) { failure in if failure != nil { onFailure() } }
        } catch {
            throw Self.error(error)
        }
    }

    /// After the clients.
    func stop() { broker.stop(within: .seconds(5)) }

    private static func error(_ error: any Error) -> StreamError {
        let text = BrokerRun.text(of: error, port: "as 'embedded:PORT'", folder: "with 'state-dir'")
        return StreamError(
            "EMBEDDED_BROKER", "The broker inside this process cannot work: \(text)",
            remedy: "Instances that share a cluster need one of their own: 'millrace broker', or Kafka.",
            domain: .external)
    }
}

extension PipelineConfig {
    /// Of the broker inside this process, where a source, a sink or the query itself wants one.
    var embeddedPort: UInt16? {
        (kafkaConnections.map(\.connection) + [cluster].compactMap(\.self)).compactMap(\.embeddedPort).max()
    }

    /// Topics of sources and sinks, which a pipeline does not create by itself.
    var dataTopics: [TopicName] {
        var topics: [TopicName] = []
        for source in sources {
            if case .kafka(let kafka) = source.input, case .names(let names) = kafka.topics { topics += names }
        }
        for sink in sinks {
            if case .kafka(let kafka) = sink.output, case .topic(let topic) = kafka.target { topics.append(topic) }
        }
        return topics.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The same pipeline with other ways to its clusters.
    func reconnected(_ change: (KafkaConnection) -> KafkaConnection) -> PipelineConfig {
        var config = self
        for index in sources.indices {
            guard case .kafka(var kafka) = sources[index].input else { continue }
            kafka.connection = change(kafka.connection)
            config.sources[index].input = .kafka(kafka)
        }
        for index in sinks.indices {
            guard case .kafka(var kafka) = sinks[index].output else { continue }
            kafka.connection = change(kafka.connection)
            config.sinks[index].output = .kafka(kafka)
        }
        config.cluster = cluster.map(change)
        return config
    }
}
