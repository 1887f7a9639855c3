import StreamCore
import StreamEngine
import Testing

@testable import DStreams

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Which topics can hold a query's state.
@Suite struct ChangelogTopicTests {
    private let need = ChangelogNeed(topic: "q-count-changelog", partitions: 4)

    @Test(arguments: ["compact", nil])
    func compactedWithAllPartitionsIsRight(_ policy: String?) {
        #expect(need.problem(partitionCount: 4, cleanupPolicy: policy) == nil)
    }

    @Test(arguments: ["delete", "compact,delete", "compact, delete", "delete,compact", ""])
    func whatIsDeletedByAgeHoldsNoState(_ policy: String) throws {
        let problem = try #require(need.problem(partitionCount: 4, cleanupPolicy: policy))
        #expect(problem.code == "CHANGELOG_TOPIC" && problem.recovery == .stop && problem.domain == .user)
        #expect(problem.message.contains("'q-count-changelog'") && problem.message.contains("'\(policy)'"))
        #expect(problem.remedy.contains("cleanup.policy=compact"))
    }

    @Test(arguments: [1, 3, 5])
    func otherPartitionsHoldOtherKeys(_ count: Int) throws {
        let problem = try #require(need.problem(partitionCount: count, cleanupPolicy: "compact"))
        #expect(problem.code == "CHANGELOG_TOPIC" && problem.recovery == .stop)
        #expect(problem.message.contains("\(count) partitions") && problem.message.contains("into 4"))
    }
}

/// The same on a cluster.
@Suite(.enabled(if: RealCluster.isThere, "needs a real broker: set MILLRACE_TEST_BROKERS"), .serialized)
struct RealChangelogTopicTests {
    private func needs(_ query: QueryName, partitions: Int = 3, creates: Bool = true) -> QueryNeeds {
        QueryNeeds(
            query: query, inputTopics: [], outputTopics: [], isOwned: true, guarantee: .exactlyOnce, stateFolder: nil,
            memoryBytes: 64 << 20, createsTopics: creates,
            changelogs: [ChangelogNeed(topic: TopicName("\(query)-count-changelog"), partitions: partitions)])
    }

    private func prepare(_ needs: QueryNeeds) throws {
        try QueryTopics(needs, RealCluster.settings, NullLog()).prepare()
    }

    private func withQuery(_ name: String, _ body: (QueryName, TopicName, Admin) throws -> Void) throws {
        let query = QueryName("\(name)-\(UInt32.random(in: 0 ... .max))")
        let changelog = TopicName("\(query)-count-changelog")
        let admin = try Admin(RealCluster.settings)
        defer {
            try? admin.delete([
                changelog, CommitOptions.controlTopic(of: query), CommitOptions.progressTopic(of: query),
            ])
            admin.close()
        }
        try body(query, changelog, admin)
    }

    private func isThere(_ topic: TopicName, _ admin: Admin) throws -> Bool {
        try admin.describe().contains { $0.name == topic && $0.error == nil }
    }

    private func code(_ body: () throws -> Void) -> StreamError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? StreamError)?.code
        }
    }

    @Test func missingOnesAreCreatedCompacted() throws {
        try withQuery("created") { query, changelog, admin in
            try prepare(needs(query))
            try RealCluster.wait { try isThere(changelog, admin) }
            let found = try admin.describe().first { $0.name == changelog }
            #expect(found?.partitionCount == 3)
            #expect(try admin.topicConfig(changelog)["cleanup.policy"] == "compact")
            // What is right is left as it is.
            try prepare(needs(query))
            #expect(code { try prepare(needs(query, partitions: 4)) } == "CHANGELOG_TOPIC")
        }
    }

    @Test func oneThatDeletesByAgeIsRefusedAndNothingIsCreated() throws {
        try withQuery("deletes") { query, changelog, admin in
            try admin.create([NewTopic(changelog, partitions: 3, config: ["cleanup.policy": "compact,delete"])])
            try RealCluster.wait { try isThere(changelog, admin) }
            #expect(code { try prepare(needs(query)) } == "CHANGELOG_TOPIC")
            #expect(try !isThere(CommitOptions.progressTopic(of: query), admin))
        }
    }

    @Test func creationCanBeLeftToAnAdministrator() throws {
        try withQuery("asked") { query, changelog, admin in
            let error = try #require(throws: StreamError.self) { try prepare(needs(query, creates: false)) }
            #expect(error.message.contains("\(changelog) (3 partitions, cleanup.policy=compact)"))
            #expect(try !isThere(changelog, admin))
        }
    }

    @Test func progressWithoutItsStateIsRefused() throws {
        try withQuery("gone") { query, changelog, admin in
            try prepare(needs(query))
            try RealCluster.wait { try isThere(changelog, admin) }
            let progress = CommitOptions.progressTopic(of: query)
            // Without progress nothing is lost: it is created again.
            try remove(changelog, admin)
            try prepare(needs(query))
            try RealCluster.wait { try isThere(changelog, admin) }
            var record = ProgressRecord(phase: .committed, epoch: 1, ranges: [], positions: [], batchTimeMs: 0)
            record.changelogs = [TopicName("\(query)-other-changelog")]
            try write(record, of: query, to: progress)
            // Nor is it where the query had no such operator: it begins with an empty one.
            try remove(changelog, admin)
            try prepare(needs(query))
            try RealCluster.wait { try isThere(changelog, admin) }
            record.changelogs = [changelog]
            record.epoch = 2
            try write(record, of: query, to: progress)
            try prepare(needs(query))
            try remove(changelog, admin)
            #expect(code { try prepare(needs(query)) } == "CHANGELOG_MISSING")
            #expect(try !isThere(changelog, admin))
        }
    }

    /// The ports of a query with state bring it back.
    @Test func portsComeWithAChangelog() throws {
        try withQuery("ports") { query, changelog, _ in
            let stop = StopRequest(clock: SystemClock())
            let ports = try #require(
                try KafkaPorts(settings: RealCluster.settings).open(needs(query), log: NullLog(), until: stop))
            defer {
                ports.input.close(within: .seconds(10))
                ports.writer.close(within: .seconds(10))
                ports.changelog?.close(within: .seconds(10))
                ports.close()
            }
            let port = try #require(ports.changelog)
            let splits = (0..<3).map { Split(changelog, PartitionID($0)) }
            port.read(Dictionary(uniqueKeysWithValues: splits.map { ($0, 0) }), .toEnd)
            var ended: [Split: Position] = [:]
            try RealCluster.wait {
                if case .reachedEnd(let split, let position)? = port.poll(bytesMax: 1 << 20) { ended[split] = position }
                return ended.count == 3
            }
            #expect(ended.values.allSatisfy { $0 == 0 })
        }
    }

    private func remove(_ topic: TopicName, _ admin: Admin) throws {
        try admin.delete([topic])
        try RealCluster.wait { try !isThere(topic, admin) }
    }

    private func write(_ record: ProgressRecord, of query: QueryName, to topic: TopicName) throws {
        let input = try GroupInput(
            RealCluster.settings, GroupInputOptions(groupID: query.text, topics: [topic.text]))
        defer { input.close(within: .seconds(10)) }
        var options = CommitOptions(query: query, transactionalID: query.text, outputTopics: [], progressTopic: topic)
        options.keepsGroupOffsets = false
        let writer = KafkaWriter(RealCluster.settings, options, membership: input.membership)
        defer { writer.close(within: .seconds(10)) }
        let commands: [TransactionCommand] = [
            .initialize, .begin(record.epoch),
            .commit(EpochCommit(epoch: record.epoch, positions: [:], progress: record)),
        ]
        for command in commands {
            writer.submit(command)
            var answer: TransactionEvent?
            try RealCluster.wait {
                answer = writer.poll()
                return answer != nil
            }
            if case .failed(let failure)? = answer { throw failure.error }
        }
    }
}

/// The real broker, where one was given.
private enum RealCluster {
    static var settings: KafkaSettings {
        let servers = getenv("MILLRACE_TEST_BROKERS").map { String(cString: $0) } ?? ""
        return KafkaSettings(brokers: servers.split(separator: ",").map(String.init))
    }

    static var isThere: Bool { !settings.brokers.isEmpty }

    /// Repeats until a condition holds.
    static func wait(_ condition: () throws -> Bool) throws {
        let deadline = SystemClock().now + .seconds(20)
        while try !condition() {
            try #require(SystemClock().now < deadline, "timed out")
            // Leaves the processor to the broker between two looks.
            sched_yield()
        }
    }
}
