import EmbeddedBroker
import KafkaWire
import Testing

@Suite struct CoreTransactionTests {
    @Test func commitsAndAborts() throws {
        let broker = try TestBroker()
        try broker.createTopic("t", partitions: 2)
        var producer = try TestProducer("p", broker)
        #expect(producer.identity == ProducerIdentity(id: 0, epoch: 0))
        #expect(try broker.addPartition(producer, "t") == .none)
        #expect(try producer.write("a", to: "t", on: broker) == .none)
        #expect(try broker.values("t") == ["a"])
        #expect(try broker.values("t", isCommitted: true).isEmpty)
        #expect(try broker.listOffset("t", at: -1).offset == 1)
        #expect(try broker.listOffset("t", at: -1, isCommitted: true).offset == 0)
        #expect(try broker.state(of: "p").state == "Ongoing")
        #expect(try broker.end(producer, isCommit: true) == .none)
        #expect(try broker.state(of: "p").state == "CompleteCommit")
        #expect(try broker.values("t", isCommitted: true) == ["a"])
        // The same again is told that all is well; the other end is not (EndTxn of version 1).
        #expect(try broker.end(producer, isCommit: true) == .none)
        #expect(try broker.end(producer, isCommit: false) == .invalidTxnState)

        #expect(try broker.addPartition(producer, "t") == .none)
        #expect(try broker.addPartition(producer, "t", 1) == .none)
        #expect(try producer.write("b", to: "t", on: broker) == .none)
        #expect(try producer.write("c", to: "t", 1, on: broker) == .none)
        #expect(try broker.end(producer, isCommit: false) == .none)
        #expect(try broker.values("t", isCommitted: true) == ["a"])
        #expect(try broker.values("t", 1, isCommitted: true).isEmpty)
        #expect(try broker.values("t", 1) == ["c"])
        let part = try broker.fetch("t", from: 2, isCommitted: true)
        #expect(part.abortedTransactions?.map(\.producerID) == [0])
        #expect(part.abortedTransactions?.map(\.firstOffset) == [2])
    }

    /// KIP-890, part 1: what was not added to the transaction is not written.
    @Test func writesOnlyWhatWasAdded() throws {
        let broker = try TestBroker()
        try broker.createTopic("t", partitions: 2)
        var producer = try TestProducer("p", broker)
        #expect(try producer.write("a", to: "t", on: broker) == .invalidTxnState)
        #expect(try broker.addPartition(producer, "t") == .none)
        #expect(try producer.write("a", to: "t", on: broker) == .none)
        #expect(try producer.write("b", to: "t", 1, on: broker) == .invalidTxnState)
        #expect(try broker.end(producer, isCommit: true) == .none)
        // The transaction is over: for what repeats one of its batches, too, and before anybody looks at the records.
        #expect(try producer.write("c", to: "t", on: broker) == .invalidTxnState)
        for time in [broker.now, .max] {
            let again = batch("a", timestamp: time, producerId: 0, epoch: 0, sequence: 0, isTransactional: true)
            #expect(try broker.produce(again, to: "t", transactionalId: "p")?.errorCode == .invalidTxnState)
        }
        #expect(try broker.values("t", isCommitted: true) == ["a"])
        // Without a transactional id nobody can say.
        let bytes = batch("d", producerId: 0, epoch: 0, sequence: 1, isTransactional: true)
        #expect(try broker.produce(bytes, to: "t")?.errorCode == .transactionalIDAuthorizationFailed)
    }

    @Test func fencesAPredecessor() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        var old = try TestProducer("p", broker)
        #expect(try broker.addPartition(old, "t") == .none)
        #expect(try old.write("a", to: "t", on: broker) == .none)
        // Epoch 1 is that of the abort, as in Kafka.
        var new = try TestProducer("p", broker)
        #expect(new.identity == ProducerIdentity(id: 0, epoch: 2))
        #expect(try broker.values("t", isCommitted: true).isEmpty)
        #expect(try broker.listOffset("t", at: -1, isCommitted: true).offset == 2)
        #expect(try old.write("b", to: "t", on: broker) == .invalidProducerEpoch)
        #expect(try broker.addPartition(old, "t") == .producerFenced)
        #expect(try broker.end(old, isCommit: true) == .producerFenced)
        #expect(try broker.addOffsets(old, "g") == .producerFenced)
        #expect(try broker.commitInTransaction(old, "g", "t", 1) == .invalidProducerEpoch)
        #expect(try broker.initProducer("p", as: old.identity).errorCode == .producerFenced)
        #expect(try broker.addPartition(new, "t") == .none)
        #expect(try old.write("b", to: "t", on: broker) == .invalidProducerEpoch)
        #expect(try new.write("c", to: "t", on: broker) == .none)
        #expect(try broker.end(new, isCommit: true) == .none)
        #expect(try broker.values("t", isCommitted: true) == ["c"])
    }

    @Test func abortsWhatTakesTooLong() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        var producer = try TestProducer("p", broker, timeoutMs: 5_000)
        #expect(try broker.addPartition(producer, "t") == .none)
        #expect(try producer.write("a", to: "t", on: broker) == .none)
        #expect(try broker.addOffsets(producer, "g") == .none)
        #expect(try broker.commitInTransaction(producer, "g", "t", 1) == .none)
        #expect(try broker.committed("g", "t", isStable: true).errorCode == .unstableOffsetCommit)
        try broker.pass(5_000)
        #expect(try broker.state(of: "p").state == "Ongoing")
        try broker.pass(1)
        #expect(try broker.state(of: "p").state == "CompleteAbort")
        #expect(try broker.listOffset("t", at: -1, isCommitted: true).offset == 2)
        #expect(try broker.values("t", isCommitted: true).isEmpty)
        #expect(try broker.committed("g", "t", isStable: true).committedOffset == -1)
        #expect(try broker.end(producer, isCommit: true) == .producerFenced)
        #expect(try producer.write("b", to: "t", on: broker) == .invalidProducerEpoch)
    }

    /// KIP-447: offsets are in the transaction, and who reads them waits for its end.
    @Test func commitsOffsetsInATransaction() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        let member = try broker.joinAlone("g")
        #expect(try broker.commit("g", "t", 3, as: member) == .none)
        let producer = try TestProducer("p", broker)
        #expect(try broker.commitInTransaction(producer, "g", "t", 5, as: member) == .invalidTxnState)
        #expect(try broker.addOffsets(producer, "g") == .none)
        #expect(try broker.commitInTransaction(producer, "g", "t", 5, as: member) == .none)
        #expect(try broker.committed("g", "t").committedOffset == 3)
        #expect(try broker.committed("g", "t", isStable: true).errorCode == .unstableOffsetCommit)
        #expect(try broker.end(producer, isCommit: true) == .none)
        #expect(try broker.committed("g", "t", isStable: true).committedOffset == 5)
        #expect(try broker.addOffsets(producer, "g") == .none)
        #expect(try broker.commitInTransaction(producer, "g", "t", 9, as: member) == .none)
        #expect(try broker.end(producer, isCommit: false) == .none)
        #expect(try broker.committed("g", "t", isStable: true).committedOffset == 5)
        // A member of an earlier generation, and one that is not known.
        #expect(try broker.addOffsets(producer, "g") == .none)
        var other = member
        other.generationID += 1
        #expect(try broker.commitInTransaction(producer, "g", "t", 9, as: other) == .illegalGeneration)
        other.memberID = "x"
        #expect(try broker.commitInTransaction(producer, "g", "t", 9, as: other) == .unknownMemberID)
        #expect(try broker.commitInTransaction(producer, "g", "u", 9, as: member) == .unknownTopicOrPartition)
    }

    @Test func refusesWhatIsWrong() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        #expect(try broker.initProducer("").errorCode == .invalidRequest)
        #expect(try broker.initProducer("p", timeoutMs: 900_001).errorCode == .invalidTransactionTimeout)
        #expect(try broker.initProducer("p", as: ProducerIdentity(id: 1, epoch: -1)).errorCode == .invalidRequest)
        var producer = try TestProducer("p", broker)
        #expect(try broker.addPartition(producer, "u") == .unknownTopicOrPartition)
        #expect(try broker.end(producer, isCommit: true) == .invalidTxnState)
        producer.identity.id += 1
        #expect(try broker.addPartition(producer, "t") == .invalidProducerIDMapping)
        #expect(try producer.write("a", to: "t", on: broker) == .invalidProducerIDMapping)
        #expect(try broker.state(of: "q").errorCode == .transactionalIDNotFound)
        // One that is not there keeps the others from being added.
        let request = AddPartitionsToTxnRequest {
            $0.transactionalID = "p"
            $0.topics = ["t", "u"].map { name in
                AddPartitionsToTxnRequest.Topic {
                    $0.name = name
                    $0.partitions = [0]
                }
            }
        }
        guard case .addPartitionsToTxn(let answer)? = try broker.ask(.addPartitionsToTxn, .addPartitionsToTxn(request))
        else { throw Missing() }
        #expect(
            answer.topics.flatMap { $0.partitions.map(\.errorCode) }
                == [.operationNotAttempted, .unknownTopicOrPartition])
    }

    @Test func showsTransactionsAndProducers() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        var producer = try TestProducer("p", broker)
        let idempotent = try broker.initProducer(nil)
        #expect(idempotent.errorCode == .none && idempotent.producerID == 1 && idempotent.producerEpoch == 0)
        #expect(try broker.addPartition(producer, "t") == .none)
        #expect(try producer.write("a", to: "t", on: broker) == .none)
        let shown = try broker.state(of: "p")
        #expect(shown.producerID == 0 && shown.timeoutMs == 60_000 && shown.startTimeMs == broker.now)
        #expect(shown.topics.map(\.name) == ["t"] && shown.topics.first?.partitions == [0])
        func list(_ fill: (inout ListTransactionsRequest) -> Void) throws -> ListTransactionsResponse {
            guard
                case .listTransactions(let answer)? = try broker.ask(
                    .listTransactions, .listTransactions(ListTransactionsRequest(fill)))
            else { throw Missing() }
            return answer
        }
        #expect(try list { _ in }.transactions.map(\.transactionalID) == ["p"])
        #expect(try list { $0.stateFilters = ["Ongoing"] }.transactions.map(\.state) == ["Ongoing"])
        #expect(try list { $0.stateFilters = ["Empty", "X"] }.unknownStateFilters == ["X"])
        #expect(try list { $0.stateFilters = ["Empty", "X"] }.transactions.isEmpty)
        #expect(try list { $0.producerIDFilters = [7] }.transactions.isEmpty)
        #expect(try list { $0.durationFilterMs = 10 }.transactions.isEmpty)
        broker.now += 11
        #expect(try list { $0.durationFilterMs = 10 }.transactions.count == 1)
        let request = DescribeProducersRequest {
            $0.topics = [
                DescribeProducersRequest.Topic {
                    $0.name = "t"
                    $0.partitions = [0, 1]
                }
            ]
        }
        guard case .describeProducers(let answer)? = try broker.ask(.describeProducers, .describeProducers(request))
        else { throw Missing() }
        let parts = answer.topics.flatMap(\.partitions)
        #expect(parts.map(\.errorCode) == [.none, .unknownTopicOrPartition])
        let active = try #require(parts.first?.activeProducers.first)
        #expect(active.producerID == 0 && active.lastSequence == 0 && active.currentTxnStartOffset == 0)
    }
}
