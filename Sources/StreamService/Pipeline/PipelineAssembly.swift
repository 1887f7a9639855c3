import CommitProtocol
import ConnectorKit
import KafkaClient
import KafkaConnector
import StreamCore
import StreamEngine

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Puts a pipeline's parts together: input, writer, stage, sinks.
struct PipelineAssembly {
    let config: PipelineConfig
    let registry: ConnectorRegistry
    let identity: InstanceIdentity
    let preparation: ClusterPreparation.Answer
    let log: any LogHandler
    let clock: any EngineClock

    /// What runs, and what must be closed after it.
    struct Assembled {
        var query: StreamQuery
        var writers: [String: SinkWriter]
    }

    func assemble(_ onProgress: @escaping @Sendable (EpochProgress) -> Void) throws -> Assembled {
        let sql = try PipelineQuery(config)
        let writers = try openSinks()
        let options = config.queryOptions(reading: sql.source)
        let (input, membership) = try makeInput(sql.source, readsHeaders: sql.readsHeaders(config))
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let taskCount = options.taskCount ?? StreamQuery.defaultTaskCount(cores: cores)
        let query = try StreamQuery(
            options: options, input: input, writer: makeWriter(membership, reading: sql.source),
            stages: [
                Stage(taskCount: taskCount) { _ in
                    try sql.makeProgram(config, writers: writers, recordBytesMax: preparation.recordBytesMax)
                }
            ],
            clock: clock, log: log, onProgress: onProgress)
        return Assembled(query: query, writers: writers)
    }

    // MARK: - Input

    private func makeInput(
        _ source: PipelineConfig.Source, readsHeaders: Bool
    ) throws -> (any InputPort, (any GroupMembership)?) {
        if !config.isOwned, case .kafka(let kafka) = source.input {
            let input = try groupInput(kafka.connection, topics: kafka.topicTexts, readsHeaders: readsHeaders)
            return (input, input.membership)
        }
        let membership = try config.cluster.map {
            try groupInput($0, topics: [CommitOptions.controlTopic(of: config.name).text], readsHeaders: false)
        }
        let data: any InputPort
        switch source.input {
        case .kafka(let kafka):
            data = try AssignedInput(
                settings(kafka.connection), groupID: config.name.text, topics: kafka.topicTexts,
                readsHeaders: readsHeaders, log: log)
        case .connector(let name, let section):
            guard let connector = registry[name] else { throw Self.unknown(name) }
            let context = ConnectorContext(name: source.name, clock: clock, log: log)
            data = try connector.makeSource(section, context).makeInput()
        }
        return (OwnedInput(membership: membership, sources: [data]), membership?.membership)
    }

    private func groupInput(
        _ connection: KafkaConnection, topics: [String], readsHeaders: Bool
    ) throws -> GroupInput {
        var options = GroupInputOptions(groupID: config.name.text, topics: topics)
        options.readsHeaders = readsHeaders
        // A process of its own each time would be waited for in vain after every stop.
        if identity.isStable { options.instanceID = identity.name }
        return try GroupInput(settings(connection), options, log: log)
    }

    /// The client's queues take their part of the query's memory.
    private func settings(_ connection: KafkaConnection) -> KafkaSettings {
        var settings = connection.settings
        let shares = MemoryShares(total: config.memoryBytes)
        settings.fetchBytesMax = shares.fetchBytes
        settings.sendBytesMax = shares.sendBytes
        return settings
    }

    // MARK: - Output

    private func makeWriter(
        _ membership: (any GroupMembership)?, reading source: PipelineConfig.Source
    ) throws -> any TransactionPort {
        guard let cluster = config.cluster, let membership else {
            return try LocalProgress(query: config.name, folder: config.stateFolder)
        }
        var options = CommitOptions(
            query: config.name, transactionalID: identity.name, outputTopics: outputTopics,
            progressTopic: config.isOwned ? CommitOptions.progressTopic(of: config.name) : nil)
        if config.isOwned {
            options.extraPositions = [Split(CommitOptions.controlTopic(of: config.name), 0): 0]
            if case .connector = source.input { options.keepsGroupOffsets = false }
        }
        switch config.guarantee {
        case .exactlyOnce:
            // A commit flushes at once, so lingering costs latency only inside an epoch.
            options.linger = min(.milliseconds(5), config.latencyTarget / 4)
            return KafkaTransactions(settings(sinkConnection ?? cluster), options, membership: membership, log: log)
        case .atLeastOnce:
            options.linger = .microseconds(500)
            return KafkaWriter(settings(sinkConnection ?? cluster), options, membership: membership, log: log)
        }
    }

    private var sinkConnection: KafkaConnection? {
        config.sinks.lazy.compactMap { if case .kafka(let kafka) = $0.output { kafka.connection } else { nil } }.first
    }

    private var outputTopics: [TopicName] {
        var topics: [TopicName] = config.sinks.compactMap { sink in
            if case .kafka(let kafka) = sink.output, case .topic(let topic) = kafka.target { topic } else { nil }
        }
        if let letters = config.errors.topic { topics.append(letters) }
        return topics
    }

    private func openSinks() throws -> [String: SinkWriter] {
        var writers: [String: SinkWriter] = [:]
        for sink in config.sinks {
            guard case .connector(let name, let section) = sink.output else { continue }
            guard let connector = registry[name] else { throw Self.unknown(name) }
            let context = ConnectorContext(name: sink.name, clock: clock, log: log)
            writers[sink.name] = SinkWriter(try connector.makeSink(section, context))
        }
        return writers
    }

    private static func unknown(_ name: String) -> StreamError {
        StreamError("UNKNOWN_CONNECTOR", "There is no connector '\(name)'.", domain: .user)
    }
}

extension KafkaSourceConfig {
    /// As librdkafka subscribes: names, or one regular expression for whole names.
    var topicTexts: [String] {
        switch topics {
        case .names(let names): names.map(\.text)
        case .pattern(let pattern): [TopicSelection.expression(forWhole: pattern)]
        }
    }
}
