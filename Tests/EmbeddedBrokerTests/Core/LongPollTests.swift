import EmbeddedBroker
import KafkaWire
import Testing

@Suite struct LongPollTests {
    private func waiting(
        _ broker: TestBroker, _ topics: [String] = ["t"], from offset: Int64 = 0, isCommitted: Bool = false,
        minBytes: Int32 = 1, connection: Int = 1
    ) throws -> Int {
        let request = TestBroker.fetchRequest(
            topics.map { TopicPartition($0, 0) }, from: offset, isCommitted: isCommitted, maxWaitMs: 500,
            minBytes: minBytes)
        return try broker.send(.fetch, .fetch(request), from: connection)
    }

    private func counts(_ response: Response?) -> [Int]? {
        guard case .fetch(let fetch)? = response else { return nil }
        return fetch.topics.map { $0.partitions.first?.records?.count ?? 0 }
    }

    @Test func answersWhenDataCome() throws {
        let broker = try TestBroker()
        for topic in ["t", "u"] { try broker.createTopic(topic) }
        let slot = try waiting(broker, ["t", "u"])
        #expect(broker.answer(to: slot) == nil)
        let bytes = batch("a")
        _ = try broker.produce(bytes, to: "u")
        #expect(counts(broker.answer(to: slot)) == [0, bytes.count])
    }

    @Test func answersEmptyWhenTheTimeIsOver() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        let slot = try waiting(broker)
        #expect(broker.core.nextDeadlineMs == broker.now + 500)
        try broker.pass(499)
        #expect(broker.answer(to: slot) == nil)
        try broker.pass(1)
        #expect(counts(broker.answer(to: slot)) == [0])
    }

    @Test func waitsForEnoughBytes() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        let bytes = batch("a")
        let slot = try waiting(broker, minBytes: Int32(2 * bytes.count))
        _ = try broker.produce(bytes, to: "t")
        #expect(broker.answer(to: slot) == nil)
        _ = try broker.produce(bytes, to: "t")
        #expect(counts(broker.answer(to: slot)) == [2 * bytes.count])
        // What there is goes out when the time is over.
        let late = try waiting(broker, minBytes: 100_000)
        try broker.pass(500)
        #expect(counts(broker.answer(to: late)) == [2 * bytes.count])
    }

    @Test func readCommittedWaitsForTheMarker() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        var producer = try TestProducer("p", broker)
        #expect(try broker.addPartition(producer, "t") == .none)
        let committed = try waiting(broker, isCommitted: true)
        let uncommitted = try waiting(broker)
        #expect(try producer.write("a", to: "t", on: broker) == .none)
        #expect(broker.answer(to: committed) == nil)
        #expect(broker.answer(to: uncommitted) != nil)
        #expect(try broker.end(producer, isCommit: true) == .none)
        // The record's batch and the marker of 78 bytes.
        let size = batch("a").count + 78
        #expect(counts(broker.answer(to: committed)) == [size])
    }

    @Test func hearsThatATopicVanished() throws {
        let broker = try TestBroker()
        for topic in ["t", "u"] { try broker.createTopic(topic) }
        let slot = try waiting(broker, ["t", "u"])
        let request = DeleteTopicsRequest { $0.topics = [DeleteTopicsRequest.Topic { $0.name = "t" }] }
        _ = try broker.ask(.deleteTopics, .deleteTopics(request))
        guard case .fetch(let fetch)? = broker.answer(to: slot) else { throw Missing() }
        #expect(fetch.topics.flatMap { $0.partitions.map(\.errorCode) } == [.unknownTopicOrPartition, .none])
        // With nothing else to wait for there is an answer at once.
        let alone = try waiting(broker, ["t"])
        #expect(broker.answer(to: alone) != nil)
    }

    @Test func hearsThatRecordsWereDeleted() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        _ = try broker.produce(batch("a", "b"), to: "t")
        let slot = try waiting(broker, from: 2)
        let request = DeleteRecordsRequest {
            $0.topics = [
                DeleteRecordsRequest.Topic {
                    $0.name = "t"
                    $0.partitions = [DeleteRecordsRequest.Partition { $0.offset = -1 }]
                }
            ]
        }
        guard case .deleteRecords(let answer)? = try broker.ask(.deleteRecords, .deleteRecords(request)) else {
            throw Missing()
        }
        #expect(answer.topics.first?.partitions.first?.lowWatermark == 2)
        #expect(broker.answer(to: slot) == nil)
        #expect(try broker.fetch("t", from: 1).errorCode == .offsetOutOfRange)
        #expect(try broker.listOffset("t", at: -2).offset == 2)
    }

    @Test func forgetsWhoHasGone() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        let gone = try waiting(broker, connection: 2)
        let there = try waiting(broker, connection: 3)
        broker.core.disconnected(ConnectionID(rawValue: 2), nowMs: broker.now)
        _ = try broker.produce(batch("a"), to: "t")
        #expect(broker.answer(to: gone) == nil)
        #expect(broker.answer(to: there) != nil)
    }

    /// KIP-74: the limits hold but for the first batch of the answer.
    @Test func keepsToTheLimits() throws {
        let broker = try TestBroker()
        for topic in ["t", "u"] { try broker.createTopic(topic) }
        let bytes = batch("a")
        for topic in ["t", "u"] { for _ in 0..<3 { _ = try broker.produce(bytes, to: topic) } }
        func sizes(total: Int, part: Int) throws -> [Int]? {
            let request = TestBroker.fetchRequest(
                ["t", "u"].map { TopicPartition($0, 0) }, from: 0, maxBytes: Int32(total),
                partitionMaxBytes: Int32(part))
            return try broker.fetch(request).flatMap { counts(.fetch($0)) }
        }
        let size = bytes.count
        #expect(try sizes(total: 1, part: 1) == [size, 0])
        #expect(try sizes(total: 10 * size, part: 2 * size) == [2 * size, 2 * size])
        #expect(try sizes(total: 4 * size, part: 3 * size) == [3 * size, size])
        #expect(try sizes(total: 10 * size, part: 1) == [size, 0])
    }

    /// A session is refused: every request is a full one (KIP-227).
    @Test func hasNoSessions() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        var request = TestBroker.fetchRequest([TopicPartition("t", 0)], from: 0)
        request.sessionEpoch = 0
        let answer = try #require(try broker.fetch(request))
        #expect(answer.errorCode == .none && answer.sessionID == 0)
        request.sessionEpoch = 1
        #expect(try broker.fetch(request)?.errorCode == .fetchSessionIDNotFound)
        request = TestBroker.fetchRequest([TopicPartition("t", 0)], from: 0)
        request.topics[0].partitions[0].currentLeaderEpoch = 1
        #expect(try broker.fetch(request)?.topics.first?.partitions.first?.errorCode == .unknownLeaderEpoch)
    }
}
