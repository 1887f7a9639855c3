import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

@Suite(.enabled(if: RealBroker.isThere, RealBroker.reason), .serialized)
struct RealTransactionTests {
    /// An owner of one split, ready to commit.
    final class Owner {
        let input: InputDriver
        let group: GroupInput
        let output: KafkaTransactions
        let split: Split

        init(_ query: String, from topic: TopicName, to: TopicName, timeout: Duration = .seconds(10), id: String? = nil)
            throws
        {
            split = Split(topic, 0)
            group = try GroupInput(RealBroker.settings, GroupInputOptions(groupID: query, topics: [topic.text]))
            input = InputDriver(group)
            var options = CommitOptions(
                query: QueryName(query), transactionalID: id ?? "\(query)-0", outputTopics: [to])
            options.transactionTimeout = timeout
            output = KafkaTransactions(RealBroker.settings, options, membership: group.membership)
            group.start()
            try input.until("assignment") { [split] in $0.assigned == [split] }
        }

        func close() {
            output.close(within: .seconds(10))
            group.close(within: .seconds(10))
        }
    }

    @Test func roundTrip() throws {
        let query = RealBroker.unique("round")
        let (from, to) = (TopicName("\(query)-in"), TopicName("\(query)-out"))
        try RealBroker.withTopics([NewTopic(from, partitions: 1), NewTopic(to, partitions: 1)]) {
            try fill(RealBroker.settings, from, ["a", "b", "c"])
            let owner = try Owner(query, from: from, to: to)
            defer { owner.close() }
            #expect(try owner.output.ask(.initialize).isInitialized)
            #expect(try owner.output.ask(.recover([owner.split])).recovered == RecoveredProgress(positions: [:]))
            owner.group.open([owner.split: 0])
            try owner.input.until("records") { $0.values == ["a", "b", "c"] && $0.ends[owner.split] == 3 }

            _ = try owner.output.ask(.begin(1))
            _ = try owner.output.ask(.produce(block(to, ["A", "B", "C"])))
            #expect(try owner.output.ask(.commit(EpochCommit(epoch: 1, positions: [owner.split: 3]))).isCommitted)
            #expect(try readAll(RealBroker.settings, Split(to, 0)) == ["A", "B", "C"])
            #expect(try owner.output.ask(.recover([owner.split])).recovered?.positions == [owner.split: 3])

            // What was not committed is not seen, and a new writer goes on where the last commit was.
            _ = try owner.output.ask(.begin(2))
            _ = try owner.output.ask(.produce(block(to, ["dropped"])))
            #expect(try owner.output.ask(.initialize).isInitialized)
            #expect(try owner.output.ask(.recover([owner.split])).recovered?.positions == [owner.split: 3])
            _ = try owner.output.ask(.begin(2))
            _ = try owner.output.ask(.produce(block(to, ["D"])))
            #expect(try owner.output.ask(.commit(EpochCommit(epoch: 2, positions: [owner.split: 4]))).isCommitted)
            #expect(try readAll(RealBroker.settings, Split(to, 0)) == ["A", "B", "C", "D"])
        }
    }

    @Test func fencingBySecondInitialize() throws {
        let query = RealBroker.unique("fence")
        let (from, to) = (TopicName("\(query)-in"), TopicName("\(query)-out"))
        try RealBroker.withTopics([NewTopic(from, partitions: 1), NewTopic(to, partitions: 1)]) {
            let owner = try Owner(query, from: from, to: to)
            defer { owner.close() }
            _ = try owner.output.ask(.initialize)
            _ = try owner.output.ask(.begin(1))
            _ = try owner.output.ask(.produce(block(to, ["zombie"])))

            let options = CommitOptions(query: QueryName(query), transactionalID: "\(query)-0", outputTopics: [to])
            let other = KafkaTransactions(RealBroker.settings, options, membership: owner.group.membership)
            defer { other.close(within: .seconds(10)) }
            #expect(try other.ask(.initialize).isInitialized)

            let answer = try owner.output.ask(.commit(EpochCommit(epoch: 1, positions: [owner.split: 1])))
            #expect(answer.failure?.kind == .fenced, "\(answer)")
            _ = try other.ask(.begin(1))
            _ = try other.ask(.produce(block(to, ["heir"])))
            #expect(try other.ask(.commit(EpochCommit(epoch: 1, positions: [owner.split: 1]))).isCommitted)
            #expect(try readAll(RealBroker.settings, Split(to, 0)) == ["heir"])
        }
    }

    @Test func positionsPassTransactionMarkers() throws {
        let query = RealBroker.unique("marker")
        let (from, to) = (TopicName("\(query)-in"), TopicName("\(query)-out"))
        try RealBroker.withTopics([NewTopic(from, partitions: 1), NewTopic(to, partitions: 1)]) {
            let owner = try Owner(query, from: from, to: to)
            defer { owner.close() }
            _ = try owner.output.ask(.initialize)
            for epoch in 1...2 {
                _ = try owner.output.ask(.begin(Epoch(Int64(epoch))))
                _ = try owner.output.ask(.produce(block(to, ["x"])))
                #expect(
                    try owner.output.ask(.commit(EpochCommit(epoch: Epoch(Int64(epoch)), positions: [owner.split: 0])))
                        .isCommitted)
            }
            // Two records and two markers: the end is at 4, and reading gets there.
            let reader = try AssignedInput(RealBroker.settings, groupID: query, topics: [to.text])
            defer { reader.close(within: .seconds(5)) }
            let driver = InputDriver(reader)
            reader.start()
            let split = Split(to, 0)
            try driver.until("assignment") { $0.assigned == [split] }
            reader.open([split: 0])
            reader.requestEnds([split])
            try driver.until("the end") { $0.ends[split] == 4 && $0.asked == [split: 4] }
            #expect(driver.offsets[split] == [0, 2])
        }
    }

    @Test func failedDeliveryIsNamed() throws {
        let query = RealBroker.unique("large")
        let (from, to) = (TopicName("\(query)-in"), TopicName("\(query)-out"))
        let small = NewTopic(to, partitions: 1, config: ["max.message.bytes": "2000"])
        try RealBroker.withTopics([NewTopic(from, partitions: 1), small]) {
            let owner = try Owner(query, from: from, to: to)
            defer { owner.close() }
            _ = try owner.output.ask(.initialize)
            _ = try owner.output.ask(.begin(1))
            // The neighbours are many, and none of them is to blame.
            let values = (0..<500).map { $0 == 321 ? String(repeating: "x", count: 5000) : "value \($0)" }
            let answer = try owner.output.ask(.produce(block(to, values)))
            #expect(answer.failure?.kind == .abortable)
            #expect(answer.failure?.refusedRecord == 321)
            #expect(answer.failure?.refusedBlock == 0)
            _ = try owner.output.ask(.initialize)
            #expect(try readAll(RealBroker.settings, Split(to, 0)) == [])
        }
    }

    /// The broker aborts what is open for too long, and everything goes on from the last commit.
    @Test func expiredTransaction() throws {
        let query = RealBroker.unique("expired")
        let (from, to) = (TopicName("\(query)-in"), TopicName("\(query)-out"))
        try RealBroker.withTopics([NewTopic(from, partitions: 1), NewTopic(to, partitions: 1)]) {
            let owner = try Owner(query, from: from, to: to, timeout: .seconds(1))
            defer { owner.close() }
            _ = try owner.output.ask(.initialize)
            _ = try owner.output.ask(.begin(1))
            _ = try owner.output.ask(.produce(block(to, ["late"])))
            // The record and the broker's abort marker: the end moves from 0 to 2 when it has given up on us.
            let admin = try Admin(RealBroker.settings)
            defer { admin.close() }
            try wait("the broker to abort", within: .seconds(40)) {
                try admin.positions([Split(to, 0): .latest])[Split(to, 0)] == 2
            }
            let answer = try owner.output.ask(.commit(EpochCommit(epoch: 1, positions: [owner.split: 1])))
            #expect(answer.failure?.kind == .expired, "\(answer)")
            #expect(try owner.output.ask(.initialize).isInitialized)
            #expect(try owner.output.ask(.recover([owner.split])).recovered?.positions == [:])
            _ = try owner.output.ask(.begin(1))
            _ = try owner.output.ask(.produce(block(to, ["again"])))
            #expect(try owner.output.ask(.commit(EpochCommit(epoch: 1, positions: [owner.split: 1]))).isCommitted)
            #expect(try readAll(RealBroker.settings, Split(to, 0)) == ["again"])
        }
    }

    /// A member that was thrown out of the group commits nothing, although its producer is in order.
    @Test func staleGenerationIsFenced() throws {
        let query = RealBroker.unique("stale")
        let (from, to) = (TopicName("\(query)-in"), TopicName("\(query)-out"))
        try RealBroker.withTopics([NewTopic(from, partitions: 1), NewTopic(to, partitions: 1)]) {
            final class Stale: GroupMembership {
                let groupID: String
                init(_ groupID: String) { self.groupID = groupID }
                func committed(_ splits: Set<Split>, within: Duration) throws(KafkaError) -> [Split: Position] { [:] }
                func commit(_ positions: [Split: Position], within: Duration) throws(KafkaError) {}
                func addOffsets(
                    _ positions: [Split: Position], to producer: Producer, through gate: CommitGate, within: Duration
                ) throws(KafkaError) {
                    try producer.sendOffsets(
                        positions, .imitation(group: groupID, generation: 0, member: "gone"), within: within)
                }
            }
            let owner = try Owner(query, from: from, to: to)
            defer { owner.close() }
            let options = CommitOptions(query: QueryName(query), transactionalID: "\(query)-zombie", outputTopics: [to])
            let zombie = KafkaTransactions(RealBroker.settings, options, membership: Stale(query))
            defer { zombie.close(within: .seconds(10)) }
            _ = try zombie.ask(.initialize)
            _ = try zombie.ask(.begin(1))
            _ = try zombie.ask(.produce(block(to, ["zombie"])))
            let answer = try zombie.ask(.commit(EpochCommit(epoch: 1, positions: [owner.split: 1])))
            #expect(answer.failure?.kind == .fenced, "\(answer)")
            _ = try zombie.ask(.initialize)
            #expect(try readAll(RealBroker.settings, Split(to, 0)) == [])
        }
    }

    /// What the driver has given up must not be committed, however right everything looks by the time it is sent.
    @Test func whatIsGivenUpIsNotCommitted() throws {
        let query = RealBroker.unique("givenup")
        let (from, to) = (TopicName("\(query)-in"), TopicName("\(query)-out"))
        try RealBroker.withTopics([NewTopic(from, partitions: 1), NewTopic(to, partitions: 1)]) {
            let owner = try Owner(query, from: from, to: to)
            defer { owner.close() }
            _ = try owner.output.ask(.initialize)
            _ = try owner.output.ask(.begin(1))
            _ = try owner.output.ask(.produce(block(to, ["given up"])))
            owner.output.gate.shut()
            let answer = try owner.output.ask(.commit(EpochCommit(epoch: 1, positions: [owner.split: 1])))
            #expect(answer.failure?.kind == .fenced, "\(answer)")
            _ = try owner.output.ask(.initialize)
            _ = try owner.output.ask(.begin(1))
            _ = try owner.output.ask(.produce(block(to, ["kept"])))
            let second = try owner.output.ask(.commit(EpochCommit(epoch: 1, positions: [owner.split: 1])))
            #expect(second.failure == nil, "\(second)")
            #expect(try readAll(RealBroker.settings, Split(to, 0)) == ["kept"])
        }
    }

    /// Nothing is copied, nothing is lost: blocks live until they were sent.
    @Test func recordsWithoutCopies() throws {
        let query = RealBroker.unique("nocopy")
        let (from, to) = (TopicName("\(query)-in"), TopicName("\(query)-out"))
        try RealBroker.withTopics([NewTopic(from, partitions: 1), NewTopic(to, partitions: 1)]) {
            let group = try GroupInput(RealBroker.settings, GroupInputOptions(groupID: query, topics: [from.text]))
            let driver = InputDriver(group)
            group.start()
            try driver.until("assignment") { !$0.assigned.isEmpty }
            var options = CommitOptions(query: QueryName(query), transactionalID: query, outputTopics: [to])
            options.copiesRecords = false
            let output = KafkaTransactions(RealBroker.settings, options, membership: group.membership)
            defer {
                output.close(within: .seconds(10))
                group.close(within: .seconds(10))
            }
            _ = try output.ask(.initialize)
            _ = try output.ask(.begin(1))
            var expected: [String] = []
            for number in 0..<20 {
                let values = (0..<500).map { "value \(number)-\($0)" }
                expected += values
                _ = try output.ask(.produce(block(to, values)))
            }
            #expect(try output.ask(.commit(EpochCommit(epoch: 1, positions: [Split(from, 0): 1]))).isCommitted)
            #expect(try readAll(RealBroker.settings, Split(to, 0)) == expected)
            // Dropped while it is being sent.
            _ = try output.ask(.begin(2))
            output.submit(.produce(block(to, expected)))
            #expect(try output.ask(.initialize).failure == nil)
        }
    }

    @Test func refusalByTheBrokerNamesTheRecord() throws {
        let to = TopicName(RealBroker.unique("refused"))
        try RealBroker.withTopics([NewTopic(to, partitions: 1, config: ["max.message.bytes": "2000"])]) {
            let options = ProducerOptions(linger: .milliseconds(1), recordBytesMax: 10_000, batchBytesMax: 2000)
            let producer = try Producer(RealBroker.settings, options)
            defer { producer.close(within: .seconds(5)) }
            let values = (0..<50).map { $0 == 7 ? String(repeating: "y", count: 5000) : "value \($0)" }
            try producer.produce(block(to, ["first block"]), number: 0, within: .seconds(5))
            try producer.produce(block(to, values), number: 1, within: .seconds(5))
            try producer.flush(within: .seconds(20))
            let failure = try #require(producer.takeDeliveryFailure())
            #expect(failure.error.code == .messageTooLarge)
            #expect(Producer.block(ofTag: failure.tag) == 1)
            #expect(Producer.record(ofTag: failure.tag) == 7)
        }
    }

    @Test func missingOutputTopic() throws {
        let query = RealBroker.unique("missing")
        let from = TopicName("\(query)-in")
        try RealBroker.withTopics([NewTopic(from, partitions: 1)]) {
            let owner = try Owner(query, from: from, to: "no-such-topic")
            defer { owner.close() }
            let answer = try owner.output.ask(.initialize)
            #expect(answer.failure?.kind == .hopeless)
            #expect(answer.failure?.error.description.contains("no-such-topic") == true)
        }
    }

    @Test func progressOfOwnedQueries() throws {
        let query = RealBroker.unique("owned")
        let name = QueryName(query)
        let (control, progress, to) = (
            CommitOptions.controlTopic(of: name), CommitOptions.progressTopic(of: name), TopicName("\(query)-out")
        )
        try RealBroker.withTopics([NewTopic(control, partitions: 1), .compacted(progress), NewTopic(to, partitions: 1)])
        {
            let group = try GroupInput(RealBroker.settings, GroupInputOptions(groupID: query, topics: [control.text]))
            let driver = InputDriver(group)
            group.start()
            try driver.until("ownership") { $0.assigned == [Split(control, 0)] }
            var options = CommitOptions(
                query: name, transactionalID: query, outputTopics: [to], progressTopic: progress)
            options.extraPositions = [Split(control, 0): 0]
            let output = KafkaTransactions(RealBroker.settings, options, membership: group.membership)
            defer {
                output.close(within: .seconds(10))
                group.close(within: .seconds(10))
            }
            let data = Split("elsewhere", 3)
            _ = try output.ask(.initialize)
            #expect(try output.ask(.recover([data])).recovered == RecoveredProgress(positions: [:]))
            var record = ProgressRecord(
                phase: .committed, epoch: 1, ranges: [SplitRange(data, from: 0, to: 7)],
                positions: [SplitPosition(data, 7)], batchTimeMs: 1_700_000_000_000)
            for epoch in 1...3 {
                record.epoch = Epoch(Int64(epoch))
                _ = try output.ask(.begin(record.epoch))
                let commit = EpochCommit(epoch: record.epoch, positions: [:], progress: record)
                #expect(try output.ask(.commit(commit)).isCommitted)
            }
            record.writer = query
            // A fourth one is never committed.
            _ = try output.ask(.begin(4))
            let again = KafkaTransactions(RealBroker.settings, options, membership: group.membership)
            defer { again.close(within: .seconds(10)) }
            _ = try again.ask(.initialize)
            let recovered = try again.ask(.recover([data, Split(control, 0)])).recovered
            #expect(recovered?.progress == record)
            #expect(recovered?.positions == [Split(control, 0): 0])
        }
    }

    /// A killed owner's transaction blocks the group's offsets until its time-out; its successor does not wait so long.
    @Test func anHeirEndsWhatTheOwnerLeftOpen() throws {
        let query = RealBroker.unique("heir")
        let name = QueryName(query)
        let (control, progress) = (CommitOptions.controlTopic(of: name), CommitOptions.progressTopic(of: name))
        try RealBroker.withTopics([NewTopic(control, partitions: 1), .compacted(progress)]) {
            let group = try GroupInput(RealBroker.settings, GroupInputOptions(groupID: query, topics: [control.text]))
            let driver = InputDriver(group)
            group.start()
            let split = Split(control, 0)
            try driver.until("ownership") { $0.assigned == [split] }
            var options = CommitOptions(
                query: name, transactionalID: "\(query)-a", outputTopics: [], progressTopic: progress)
            options.extraPositions = [split: 0]
            options.transactionTimeout = .seconds(60)
            let owner = KafkaTransactions(RealBroker.settings, options, membership: group.membership)
            options.transactionalID = "\(query)-b"
            let heir = KafkaTransactions(RealBroker.settings, options, membership: group.membership)
            defer {
                owner.close(within: .seconds(10))
                heir.close(within: .seconds(10))
                group.close(within: .seconds(10))
            }
            _ = try owner.ask(.initialize)
            let record = ProgressRecord(
                phase: .committed, epoch: 1, ranges: [], positions: [], batchTimeMs: 1_700_000_000_000)
            _ = try owner.ask(.begin(1))
            #expect(try owner.ask(.commit(EpochCommit(epoch: 1, positions: [:], progress: record))).isCommitted)
            owner.close(within: .seconds(10))

            // The owner's identity again, as it was killed: in the middle of a commit.
            let dead = try Producer(
                RealBroker.settings,
                ProducerOptions(transactionalID: "\(query)-a", transactionTimeout: .seconds(60)))
            defer { dead.close(within: .seconds(5)) }
            try dead.initialize(within: .seconds(10))
            try dead.begin()
            try group.membership.addOffsets([split: 0], to: dead, through: CommitGate(), within: .seconds(10))

            _ = try heir.ask(.initialize)
            let recovered = try heir.ask(.recover([split])).recovered
            #expect(recovered?.positions == [split: 0])
            #expect(recovered?.progress?.epoch == 1)
            #expect(throws: KafkaError.self) { try dead.commit(within: .seconds(10)) }
        }
    }
}
