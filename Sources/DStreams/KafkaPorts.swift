import CommitProtocol
import KafkaClient
import StreamCore
import StreamEngine

/// Connects a query to a Kafka cluster: makes sure that its topics are there, takes a slot, joins the group.
struct KafkaPorts: QueryPortSource {
    /// nil: the brokers that `MILLRACE_BROKERS` names.
    let settings: KafkaSettings?
    private static let retryMax = Duration.seconds(10)
    /// An eighth of the memory, as for input, which is not read while state is restored.
    private static let changelogShare = 8

    /// Whether a cluster is named, so that the progress goes there also where no topic is read or written.
    var hasLastingProgress: Bool { settings != nil || Machine.environment("MILLRACE_BROKERS") != nil }

    func open(_ needs: QueryNeeds, log: any LogHandler, until stop: StopRequest) throws -> QueryPorts? {
        if !needs.usesKafka, !hasLastingProgress {
            return try LocalPorts.open(needs, folder: needs.stateFolder ?? Machine.environment("MILLRACE_STATE_DIR"))
        }
        let settings = try resolvedSettings()
        if let problem = settings.problems().first {
            throw StreamError("KAFKA_SETTINGS", "The Kafka settings cannot be used: \(problem.message).", domain: .user)
        }
        let folder = needs.stateFolder ?? Machine.environment("MILLRACE_STATE_DIR")
        let identity = try InstanceIdentity(query: needs.query, folder: folder)
        guard try prepareTopics(needs, settings, log, until: stop) else { return nil }
        do throws(KafkaError) {
            return try connect(needs, settings, identity, folder, log)
        } catch {
            throw error.streamError
        }
    }

    private func resolvedSettings() throws -> KafkaSettings {
        if let settings { return settings }
        guard let brokers = Machine.environment("MILLRACE_BROKERS") else {
            throw StreamError(
                "NO_BROKERS", "No Kafka cluster is named.",
                remedy: "Give the context 'kafka: KafkaSettings(brokers: …)' or set MILLRACE_BROKERS to 'host:port'.",
                domain: .user)
        }
        return KafkaSettings(brokers: brokers.split(separator: ",").map(String.init))
    }

    // MARK: - Topics

    /// Creates what is missing, and waits for a cluster that is away.
    /// - Returns: false if the stop came first.
    private func prepareTopics(
        _ needs: QueryNeeds, _ settings: KafkaSettings, _ log: any LogHandler, until stop: StopRequest
    ) throws -> Bool {
        var pause = Duration.milliseconds(200)
        while !stop.isRequested {
            do throws(StreamError) {
                try QueryTopics(needs, settings, log).prepare()
                return true
            } catch {
                guard error.recovery == .retry else { throw error }
                log.warning("\(error) Trying again in \(pause).", LogField("query", needs.query))
            }
            if stop.wait(for: pause) { break }
            pause = min(pause * 2, Self.retryMax)
        }
        return false
    }

    // MARK: - Ports

    private func connect(
        _ needs: QueryNeeds, _ settings: KafkaSettings, _ identity: InstanceIdentity, _ folder: String?,
        _ log: any LogHandler
    ) throws(KafkaError) -> QueryPorts {
        var settings = settings
        let shares = MemoryShares(total: needs.memoryBytes)
        settings.fetchBytesMax = min(settings.fetchBytesMax, shares.fetchBytes)
        settings.sendBytesMax = min(settings.sendBytesMax, shares.sendBytes)
        let query = needs.query
        let topics = needs.inputTopics.map(\.text)
        let control = CommitOptions.controlTopic(of: query)
        var groupOptions = GroupInputOptions(
            groupID: query.text, instanceID: identity.isStable ? identity.name : nil,
            topics: needs.isOwned ? [control.text] : topics)
        groupOptions.readsHeaders = needs.readsHeaders
        let group = try GroupInput(settings, groupOptions, log: log)
        // Changelogs as well: the first commit waits a second for topics whose metadata was not asked for before.
        var commits = CommitOptions(
            query: query, transactionalID: identity.name,
            outputTopics: needs.outputTopics + needs.changelogs.map(\.topic))
        var input: any InputPort = group
        if needs.isOwned {
            commits.progressTopic = CommitOptions.progressTopic(of: query)
            // Without it a commit of no split would fence nobody.
            commits.extraPositions = [Split(control, 0): 0]
            commits.keepsGroupOffsets = !topics.isEmpty
            var sources = needs.inputs.map { $0.open() }
            if !topics.isEmpty {
                sources.append(
                    try AssignedInput(
                        settings, groupID: query.text, topics: topics, readsHeaders: needs.readsHeaders, log: log))
            }
            input = OwnedInput(membership: group, sources: sources)
        }
        var writer: any TransactionPort =
            switch needs.guarantee {
            case .exactlyOnce: KafkaTransactions(settings, commits, membership: group.membership, log: log)
            case .atLeastOnce: KafkaWriter(settings, commits, membership: group.membership, log: log)
            }
        let changelog: KafkaChangelog? =
            needs.changelogs.isEmpty
            ? nil
            : try KafkaChangelog(
                settings, groupID: query.text, memoryBytes: needs.memoryBytes / Self.changelogShare, log: log)
        if !needs.inputs.isEmpty { writer = GroupSplitsOnly(writer, without: Set(needs.inputs.map(\.name))) }
        // The slot is ours as long as its identity is held.
        return QueryPorts(
            input: input, writer: writer, changelog: changelog,
            localStateFolder: identity.isStable ? folder.map { "\($0)/state/\(identity.name)" } : nil
        ) { withExtendedLifetime(identity) {} }
    }
}
