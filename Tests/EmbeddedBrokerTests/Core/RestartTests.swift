import EmbeddedBroker
import KafkaWire
import Testing

@Suite struct RestartTests {
    /// What a client that runs the script was told.
    private final class Client {
        var member: JoinGroupResponse?
        var producer: TestProducer?
        var visible: [String] = []
        var committed: Int64 = -1
        var topics: Set<String> = []
        var producerIds: [Int64] = []
    }

    private typealias Step = (TestBroker, Client) throws -> Void

    private func expect(_ code: ErrorCode) throws {
        if code != .none { throw Missing() }
    }

    private func transaction(_ value: String, offset: Int64, isCommit: Bool) -> [Step] {
        [
            { broker, client in try expect(try broker.addPartition(try #require(client.producer), "t", 0)) },
            { broker, client in try expect(try broker.addPartition(try #require(client.producer), "t", 1)) },
            { broker, client in
                try expect(try client.producer?.write(value, to: "t", 0, on: broker) ?? .unknownServerError)
            },
            { broker, client in
                try expect(try client.producer?.write(value, to: "t", 1, on: broker) ?? .unknownServerError)
            },
            { broker, client in try expect(try broker.addOffsets(try #require(client.producer), "g")) },
            { broker, client in
                try expect(
                    try broker.commitInTransaction(
                        try #require(client.producer), "g", "in", offset, as: client.member))
            },
            { broker, client in
                try expect(try broker.end(try #require(client.producer), isCommit: isCommit))
                if isCommit {
                    client.visible.append(value)
                    client.committed = offset
                }
            },
        ]
    }

    private var script: [Step] {
        var steps: [Step] = ["t", "in", "gone"].map { name in
            { broker, client in
                try expect(try broker.createTopic(name, partitions: 2))
                client.topics.insert(name)
            }
        }
        steps.append { broker, client in client.member = try broker.joinAlone("g") }
        steps.append { broker, client in
            client.producerIds.append(try broker.initProducer(nil).producerID)
            let answer = try broker.initProducer("p")
            try expect(answer.errorCode)
            client.producer = try TestProducer("p", broker)
        }
        steps.append { broker, client in
            try expect(try broker.commit("g", "in", 1, as: client.member))
            client.committed = 1
        }
        steps += transaction("a", offset: 2, isCommit: true)
        steps += transaction("b", offset: 3, isCommit: false)
        steps.append { broker, client in
            let request = DeleteTopicsRequest { $0.topics = [DeleteTopicsRequest.Topic { $0.name = "gone" }] }
            guard case .deleteTopics(let answer)? = try broker.ask(.deleteTopics, .deleteTopics(request)) else {
                client.topics.remove("gone")
                throw Missing()
            }
            try expect(answer.topics[0].errorCode)
            client.topics.remove("gone")
        }
        steps += transaction("c", offset: 4, isCommit: true)
        return steps
    }

    /// The broker is opened anew after each request, and the client goes on.
    @Test func goesOnAfterARestartAtEveryStep() throws {
        let broker = try TestBroker(storage: FaultyFactory())
        let client = Client()
        let cluster = try broker.metadata(nil).clusterID
        for step in script {
            try step(broker, client)
            try broker.restart()
            try check(broker, client)
            #expect(try broker.metadata(nil).clusterID == cluster)
        }
        #expect(client.visible == ["a", "c"] && client.committed == 4)
        #expect(try broker.values("t", 1) == ["a", "b", "c"])
    }

    /// The process ends at any write, within requests too: what was answered is there, and a transaction is there as a
    /// whole, its offsets with it, or not at all.
    @Test func survivesAStopAtEveryWrite() throws {
        let whole = FaultyFactory()
        let complete = try TestBroker(storage: whole)
        let client = Client()
        for step in script { try step(complete, client) }
        #expect(whole.budget.used >= 50)
        for writes in 0..<whole.budget.used {
            let factory = FaultyFactory()
            factory.budget.left = writes
            let client = Client()
            let known = stop(factory, client)
            factory.budget.left = nil
            let broker = try TestBroker(storage: factory, now: 1_000_000, seed: 2)
            if let known { #expect(known == broker.core.clusterId) }
            try check(broker, client, isExact: false)
            // A client that begins anew finds all in order.
            if client.topics.isSuperset(of: ["t", "in"]) { try goOn(broker, client) }
        }
    }

    /// Runs the script until nothing can be written any more; returns the cluster's id if there was a broker.
    private func stop(_ factory: FaultyFactory, _ client: Client) -> String? {
        guard let broker = try? TestBroker(storage: factory) else { return nil }
        for step in script {
            do { try step(broker, client) } catch { break }
        }
        return broker.core.clusterId
    }

    private func check(_ broker: TestBroker, _ client: Client, isExact: Bool = true) throws {
        let topics = Set(try broker.metadata(nil).topics.compactMap(\.name))
        #expect(topics.isSuperset(of: client.topics))
        if isExact { #expect(topics == client.topics) }
        guard client.topics.isSuperset(of: ["t", "in"]) else { return }
        let seen = try broker.values("t", 0, isCommitted: true)
        #expect(try broker.values("t", 1, isCommitted: true) == seen)
        let committed = try broker.committed("g", "in").committedOffset
        if isExact {
            #expect(seen == client.visible && committed == client.committed)
        } else {
            #expect(seen == client.visible || seen == ["a"] || seen == ["a", "c"])
            #expect(seen.starts(with: client.visible))
            // The offset that goes with what is seen.
            #expect(seen == ["a", "c"] ? committed == 4 : seen == ["a"] ? committed == 2 : committed <= 1)
            #expect(committed >= client.committed)
        }
        if let member = client.member { #expect(try broker.heartbeat("g", member) == .none) }
    }

    private func goOn(_ broker: TestBroker, _ client: Client) throws {
        let before = try broker.values("t", 0, isCommitted: true)
        var producer = try TestProducer("p", broker)
        #expect(!client.producerIds.contains(producer.identity.id))
        #expect(try broker.committed("g", "in", isStable: true).errorCode == .none)
        if let old = client.producer {
            #expect(producer.identity.id == old.identity.id && producer.identity.epoch > old.identity.epoch)
        }
        #expect(try broker.addPartition(producer, "t") == .none)
        #expect(try producer.write("z", to: "t", on: broker) == .none)
        #expect(try broker.end(producer, isCommit: true) == .none)
        #expect(try broker.values("t", 0, isCommitted: true) == before + ["z"])
        let fresh = try broker.initProducer(nil).producerID
        #expect(!client.producerIds.contains(fresh) && fresh != producer.identity.id)
    }

    /// That a topic is gone is kept before its bytes go.
    @Test func deletesWhatAStopLeftOfATopic() throws {
        let factory = FaultyFactory()
        let broker = try TestBroker(storage: factory)
        try broker.createTopic("t")
        _ = try broker.produce(batch("a"), to: "t")
        factory.budget.left = 1
        let request = DeleteTopicsRequest { $0.topics = [DeleteTopicsRequest.Topic { $0.name = "t" }] }
        _ = try broker.ask(.deleteTopics, .deleteTopics(request))
        #expect(try factory.list() == [StateLog.name, TopicPartition("t", 0)])
        factory.budget.left = nil
        try broker.restart()
        #expect(try broker.metadata(nil).topics.isEmpty)
        #expect(try factory.list() == [StateLog.name])
    }

    /// A marker that a log does not take comes later, and holds back who goes on meanwhile.
    @Test func writesMarkersThatFailedAgain() throws {
        let factory = FaultyFactory()
        let broker = try TestBroker(storage: factory)
        try broker.createTopic("t")
        var producer = try TestProducer("p", broker)
        #expect(try broker.addPartition(producer, "t") == .none)
        #expect(try producer.write("a", to: "t", on: broker) == .none)
        #expect(try broker.addOffsets(producer, "g") == .none)
        #expect(try broker.commitInTransaction(producer, "g", "t", 1) == .none)
        factory.budget.left = 1
        #expect(try broker.end(producer, isCommit: true) == .none)
        factory.budget.left = nil
        #expect(try broker.end(producer, isCommit: true) == .concurrentTransactions)
        #expect(try broker.addPartition(producer, "t") == .concurrentTransactions)
        #expect(try producer.write("b", to: "t", on: broker) == .notEnoughReplicas)
        #expect(try broker.commitInTransaction(producer, "g", "t", 2) == .coordinatorLoadInProgress)
        #expect(try broker.values("t", isCommitted: true).isEmpty)
        try broker.pass(1_000)
        #expect(try broker.values("t", isCommitted: true) == ["a"])
        #expect(try broker.committed("g", "t", isStable: true).committedOffset == 1)
        #expect(try broker.end(producer, isCommit: true) == .none)
    }

    /// A broker whose own log is lost does not take the topics' logs for garbage.
    @Test func doesNotOpenWithoutItsOwnLog() throws {
        let storage = MemoryStorageFactory()
        let broker = try TestBroker(storage: storage)
        try broker.createTopic("t")
        _ = try broker.produce(batch("a"), to: "t")
        try storage.delete(StateLog.name)
        #expect(throws: StorageError.self) { try broker.restart() }
        #expect(try storage.list() == [TopicPartition("t", 0)])
    }

    /// The broker's own log stays small, and nothing of it is lost by that.
    @Test func compactsItsOwnLog() throws {
        var settings = BrokerSettings()
        settings.stateDirtyBytesMax = 10_000
        let storage = MemoryStorageFactory()
        let broker = try TestBroker(settings, storage: storage)
        try broker.createTopic("t")
        try broker.createTopic("u")
        for offset in Int64(0)..<2_000 {
            #expect(try broker.commit("g", "t", offset) == .none)
            if offset % 10 == 0 { try broker.pass(1) }
        }
        let own = try storage.open(StateLog.name)
        #expect(own.endPosition - own.startPosition < 25_000)
        try broker.restart()
        #expect(try broker.committed("g", "t").committedOffset == 1_999)
        #expect(try broker.metadata(nil).topics.map(\.name) == ["t", "u"])
    }

    /// After a loss of power the broker's own log may be shorter than a topic's: nobody ends that transaction.
    @Test func abortsTransactionsThatNobodyKnows() throws {
        let storage = MemoryStorageFactory()
        let log = try PartitionLog(storage: try storage.make(TopicPartition("t", 0)))
        _ = try log.append(
            batch("a", producerId: 70, epoch: 3, sequence: 0, isTransactional: true)[...], at: 1_000)
        let other = MemoryStorageFactory()
        let broker = try TestBroker(storage: other)
        try broker.createTopic("t")
        try copy(storage, TopicPartition("t", 0), to: other)
        try broker.restart()
        #expect(try broker.listOffset("t", at: -1, isCommitted: true).offset == 2)
        #expect(try broker.values("t", isCommitted: true).isEmpty)
        #expect(try broker.initProducer(nil).producerID == 71)
    }

    /// A damage that the checksum holds for must not make as many logs as a number says.
    @Test(arguments: [Int32.max, 10_001, -1]) func refusesATopicOfTooManyPartitions(count: Int32) throws {
        let storage = MemoryStorageFactory()
        let broker = try TestBroker(storage: storage)
        try broker.createTopic("t")
        let log = try PartitionLog(storage: storage.open(StateLog.name))
        let read = try log.read(from: 0, bytesMax: 1 << 20, isolation: .readUncommitted)
        let record = try #require(try LogRecord.records(ofBatches: read.records[...]).last)
        var value = try #require(record.value)
        // Behind the topic's id: one partition.
        #expect(value[16..<20] == [0, 0, 0, 1])
        for byte in 0..<4 { value[16 + byte] = UInt8(truncatingIfNeeded: count >> (24 - 8 * Int32(byte))) }
        var builder = RecordBatchBuilder()
        builder.add(key: record.key, value: value, timestamp: 1_000)
        _ = try log.append(builder.build()[...], at: 1_000)
        #expect(throws: StorageError.failed("a topic of the broker's own log has \(count) partitions")) {
            try broker.restart()
        }
    }

    private func copy(_ from: MemoryStorageFactory, _ name: TopicPartition, to: MemoryStorageFactory) throws {
        let old = try from.open(name)
        var new = try to.make(name)
        let bytes = try old.read(at: old.startPosition, count: Int(old.endPosition - old.startPosition))
        try new.append(bytes[...], baseOffset: 0, maxTimestamp: 1_000)
    }
}
