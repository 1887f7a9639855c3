import CommitProtocol
import KafkaClient
import StreamCore

/// Makes sure that a query's topics are there: creates what is missing, and refuses changelogs that cannot hold state.
struct QueryTopics {
    private let needs: QueryNeeds
    private let settings: KafkaSettings
    private let log: any LogHandler
    private static let progressWithin = Duration.seconds(30)

    init(_ needs: QueryNeeds, _ settings: KafkaSettings, _ log: any LogHandler) {
        self.needs = needs
        self.settings = settings
        self.log = log
    }

    /// Blocks. Nothing is created when anything is wrong.
    /// - Throws: `CHANGELOG_TOPIC` or `CHANGELOG_MISSING`, else what the cluster answers: `retry` where it may pass.
    func prepare() throws(StreamError) {
        let found: StreamError?
        do throws(KafkaError) {
            let admin = try Admin(settings, log: log)
            defer { admin.close() }
            let known = try Known(admin)
            found = try problem(known, admin)
            if found == nil { try createMissing(known, admin) }
        } catch {
            throw error.streamError
        }
        if let found { throw found }
    }

    /// The topics that the cluster has.
    private struct Known {
        private let topics: [TopicName: TopicDescription]

        init(_ admin: Admin) throws(KafkaError) {
            topics = try Dictionary(admin.describe().map { ($0.name, $0) }) { $1 }
        }

        subscript(topic: TopicName) -> TopicDescription? { topics[topic] }
    }

    // MARK: - What is wrong

    private func problem(_ known: Known, _ admin: Admin) throws(KafkaError) -> StreamError? {
        for need in needs.changelogs {
            guard let topic = known[need.topic] else { continue }
            // It may have no leader for now, and its partitions cannot be counted.
            if let error = topic.error { throw error }
            let policy = try cleanupPolicy(need.topic, admin)
            if let problem = need.problem(partitionCount: topic.partitionCount, cleanupPolicy: policy) {
                return problem
            }
        }
        let missing = needs.changelogs.filter { known[$0.topic] == nil }
        guard !missing.isEmpty, let progress = try progress(known) else { return nil }
        // Those of operators that the query has had before; a new one begins with an empty topic.
        let lost = missing.first { progress.changelogs?.contains($0.topic) ?? false }
        guard let lost, try Known(admin)[lost.topic] == nil else { return nil }
        return lost.isGone(from: needs.query)
    }

    /// nil where it may not be seen.
    private func cleanupPolicy(_ topic: TopicName, _ admin: Admin) throws(KafkaError) -> String? {
        do throws(KafkaError) {
            return try admin.topicConfig(topic)["cleanup.policy"]
        } catch {
            let isHidden = [.topicAuthorization, .clusterAuthorization, .unsupportedFeature].contains(error.code)
            guard isHidden else { throw error }
            log.warning(
                "Could not check that topic '\(topic)' is compacted, as state needs it: \(error.message)",
                LogField("query", needs.query))
            return nil
        }
    }

    /// What was committed last: every commit of a query with state writes a progress record, the first one before
    /// anything is read.
    private func progress(_ known: Known) throws(KafkaError) -> ProgressRecord? {
        let topic = CommitOptions.progressTopic(of: needs.query)
        guard known[topic] != nil else { return nil }
        let reader = ProgressReader(settings, groupID: needs.query.text, topic: topic, log: log)
        return try reader.newest(of: needs.query, within: Self.progressWithin)
    }

    // MARK: - What is missing

    private func createMissing(_ known: Known, _ admin: Admin) throws(KafkaError) {
        var wanted: [NewTopic] = []
        if needs.isOwned {
            wanted.append(NewTopic(CommitOptions.controlTopic(of: needs.query), partitions: 1))
            wanted.append(.compacted(CommitOptions.progressTopic(of: needs.query)))
        }
        // -1: as many partitions as the cluster gives by default.
        wanted += needs.outputTopics.map { NewTopic($0, partitions: -1) }
        wanted += needs.changelogs.map { .changelog($0.topic, partitions: $0.partitions) }
        let missing = wanted.filter { topic in known[topic.name].map { $0.error != nil } ?? true }
        guard needs.createsTopics || missing.isEmpty else {
            throw KafkaError(
                .unknownTopic, "Topics are missing: \(missing.map(Self.specification).joined(separator: ", ")).",
                remedy: "Create them, or let the program do it with the option 'createsTopics'.", isRetriable: false)
        }
        try admin.create(missing)
    }

    private static func specification(_ topic: NewTopic) -> String {
        var parts: [String] = []
        if topic.partitions > 0 { parts.append("\(topic.partitions) partition\(topic.partitions == 1 ? "" : "s")") }
        if let policy = topic.config["cleanup.policy"] { parts.append("cleanup.policy=\(policy)") }
        return parts.isEmpty ? topic.name.text : "\(topic.name) (\(parts.joined(separator: ", ")))"
    }
}

extension ChangelogNeed {
    /// What keeps an existing topic from holding state, if anything does.
    /// - Parameter cleanupPolicy: nil: unknown, and taken to be right.
    func problem(partitionCount: Int, cleanupPolicy: String?) -> StreamError? {
        if partitionCount != partitions {
            return refusal(
                "it has \(partitionCount) partitions, and the state is divided into \(partitions): keys would be "
                    + "looked for where they are not, and their state would be lost",
                "Run the query with as many shards as before. If there is no state worth keeping, delete the topic "
                    + "and reset the query.")
        }
        let policies = (cleanupPolicy ?? "compact").split(separator: ",").map { $0.drop { $0 == " " } }
        if policies.contains("compact"), !policies.contains("delete") { return nil }
        return refusal(
            "its cleanup.policy is '\(cleanupPolicy ?? "")': records would be deleted by age, and the state of keys "
                + "that change seldom would be lost",
            "Set it with 'kafka-configs.sh --alter --topic \(topic) --add-config cleanup.policy=compact'. If records "
                + "were deleted already, reset the query.")
    }

    /// The topic is not there, and must have been.
    func isGone(from query: QueryName) -> StreamError {
        StreamError(
            "CHANGELOG_MISSING",
            "The changelog topic '\(topic)' is missing, and '\(query)' has committed progress: its state is gone, and "
                + "going on without it would give wrong results.",
            remedy: "Restore the topic, or reset the query to begin anew. If the topic is there, give the user "
                + "DESCRIBE and READ on it.",
            domain: .user)
    }

    private func refusal(_ reason: String, _ remedy: String) -> StreamError {
        StreamError(
            "CHANGELOG_TOPIC", "The changelog topic '\(topic)' cannot hold the query's state: \(reason).",
            remedy: remedy, domain: .user)
    }
}
