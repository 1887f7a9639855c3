import Testing

@testable import EmbeddedBroker

private let p0 = TopicPartition("t", 0)
private let p1 = TopicPartition("t", 1)

/// Steps of a transactional id, and the error and state they are to bring.
private enum Step {
    /// InitProducerId, with what the producer says it was; the answer is who it is then.
    case begin(expects: (Int64, Int16)? = nil)
    case add(Int64, Int16, TopicPartition = p0)
    case offsets(Int64, Int16, String = "g")
    case end(Int64, Int16, commit: Bool)
    case written
    case at(Int64)
}

private struct Script {
    var machine = TransactionMachine(transactionalId: "x", producerId: 10, timeoutMs: 1_000, now: 0)
    var now: Int64 = 0
    var fresh: Int64 = 20

    mutating func run(_ step: Step) -> String {
        let outcome: TransactionOutcome?
        var answer = ""
        switch step {
        case .begin(let expects):
            let expected = expects.map { ProducerIdentity(id: $0.0, epoch: $0.1) }
            outcome = machine.initialize(expected: expected, timeoutMs: 1_000, freshProducerId: fresh, now: now)
            if outcome?.error == nil { answer = " \(machine.producer.id)/\(machine.producer.epoch)" }
            if machine.producer.id == fresh { fresh += 1 }
        case .add(let id, let epoch, let partition):
            outcome = machine.add(partitions: [partition], producer: ProducerIdentity(id: id, epoch: epoch), now: now)
        case .offsets(let id, let epoch, let group):
            outcome = machine.add(groupId: group, producer: ProducerIdentity(id: id, epoch: epoch), now: now)
        case .end(let id, let epoch, let commit):
            outcome = machine.end(isCommit: commit, producer: ProducerIdentity(id: id, epoch: epoch), now: now)
        case .written: outcome = machine.markersWritten(now: now)
        case .at(let time):
            now = time
            outcome = machine.advance(now: now, expirationMs: 100_000)
        }
        guard let outcome else { return "nothing" }
        var text = (outcome.error.map { "\($0)" } ?? "ok") + answer + " \(machine.state.rawValue)"
        if let order = outcome.markers {
            let places = order.partitions.map { "\($0.topic)\($0.partition)" } + order.groups
            text += " \(order.isCommit ? "commits" : "aborts") \(order.producer.id)/\(order.producer.epoch)"
            text += " at \(places.joined(separator: " "))"
        }
        return text
    }
}

private func check(_ table: [(Step, String)], from epoch: Int16? = nil, _ location: SourceLocation = #_sourceLocation) {
    var script = Script()
    if let epoch { script.machine.value.producer.epoch = epoch }
    for (number, (step, expected)) in table.enumerated() {
        #expect(script.run(step) == expected, "step \(number + 1): \(step)", sourceLocation: location)
    }
}

@Suite struct TransactionMachineTests {
    @Test func aTransactionCommits() {
        check([
            (.begin(), "ok 10/0 Empty"),
            (.add(10, 0), "ok Ongoing"),
            (.add(10, 0, p1), "ok Ongoing"),
            (.offsets(10, 0), "ok Ongoing"),
            (.end(10, 0, commit: true), "ok PrepareCommit commits 10/0 at t0 t1 g"),
            (.end(10, 0, commit: true), "concurrentTransactions PrepareCommit"),
            (.end(10, 0, commit: false), "invalidTxnState PrepareCommit"),
            (.add(10, 0), "concurrentTransactions PrepareCommit"),
            (.offsets(10, 0), "concurrentTransactions PrepareCommit"),
            (.begin(), "concurrentTransactions PrepareCommit"),
            (.written, "ok CompleteCommit"),
            (.written, "invalidTxnState CompleteCommit"),
            (.end(10, 0, commit: true), "ok CompleteCommit"),
            (.end(10, 0, commit: false), "invalidTxnState CompleteCommit"),
            // The next one has none of the first one's partitions.
            (.add(10, 0, p1), "ok Ongoing"),
            (.end(10, 0, commit: false), "ok PrepareAbort aborts 10/0 at t1"),
            (.end(10, 0, commit: false), "concurrentTransactions PrepareAbort"),
            (.end(10, 0, commit: true), "invalidTxnState PrepareAbort"),
            (.written, "ok CompleteAbort"),
            (.end(10, 0, commit: false), "ok CompleteAbort"),
            (.end(10, 0, commit: true), "invalidTxnState CompleteAbort"),
        ])
    }

    @Test func theWrongProducerChangesNothing() {
        check([
            (.begin(), "ok 10/0 Empty"),
            (.end(10, 0, commit: true), "invalidTxnState Empty"),
            (.end(10, 0, commit: false), "invalidTxnState Empty"),
            (.begin(), "ok 10/1 Empty"),
            (.add(10, 0), "producerFenced Empty"),
            (.add(10, 2), "producerFenced Empty"),
            (.add(11, 1), "invalidProducerIdMapping Empty"),
            (.offsets(10, 0), "producerFenced Empty"),
            (.add(10, 1), "ok Ongoing"),
            (.end(10, 0, commit: true), "producerFenced Ongoing"),
            (.end(10, 2, commit: true), "producerFenced Ongoing"),
            (.end(11, 1, commit: false), "invalidProducerIdMapping Ongoing"),
            (.begin(expects: (10, 0)), "producerFenced Ongoing"),
            (.begin(expects: (99, 1)), "producerFenced Ongoing"),
            (.end(10, 1, commit: true), "ok PrepareCommit commits 10/1 at t0"),
        ])
    }

    /// A new instance aborts what the old one left open, under an epoch that nobody has.
    @Test func anOpenTransactionIsAbortedBeforeTheNextProducerBegins() {
        check([
            (.begin(), "ok 10/0 Empty"),
            (.add(10, 0), "ok Ongoing"),
            (.begin(), "concurrentTransactions PrepareAbort aborts 10/1 at t0"),
            (.begin(), "concurrentTransactions PrepareAbort"),
            (.end(10, 0, commit: true), "producerFenced PrepareAbort"),
            (.written, "ok CompleteAbort"),
            (.begin(), "ok 10/2 Empty"),
            (.end(10, 0, commit: true), "producerFenced Empty"),
            (.end(10, 1, commit: false), "producerFenced Empty"),
        ])
    }

    /// KIP-360.
    @Test func aProducerGoesOnWithWhatItWas() {
        check([
            (.begin(), "ok 10/0 Empty"),
            (.begin(expects: (10, 0)), "ok 10/1 Empty"),
            // The answer was lost.
            (.begin(expects: (10, 0)), "ok 10/1 Empty"),
            (.begin(expects: (10, 0)), "ok 10/1 Empty"),
            (.begin(expects: (10, 1)), "ok 10/2 Empty"),
            (.begin(expects: (10, 0)), "producerFenced Empty"),
            // Another instance came: what the first one was is nobody any more.
            (.begin(), "ok 10/3 Empty"),
            (.begin(expects: (10, 2)), "producerFenced Empty"),
            (.begin(expects: (10, 1)), "producerFenced Empty"),
            (.add(10, 3), "ok Ongoing"),
            (.begin(expects: (10, 3)), "concurrentTransactions PrepareAbort aborts 10/4 at t0"),
            (.written, "ok CompleteAbort"),
            (.begin(expects: (10, 3)), "producerFenced CompleteAbort"),
        ])
        // An id that was forgotten, or never was: whoever comes gets the new producer id.
        check([(.begin(expects: (7, 3)), "ok 10/0 Empty")])
    }

    @Test func usedUpEpochsBringANewProducerId() {
        check(
            [
                (.begin(expects: (10, 32_765)), "ok 10/32766 Empty"),
                (.begin(expects: (10, 32_765)), "ok 10/32766 Empty"),
                (.begin(expects: (10, 32_766)), "ok 20/0 Empty"),
                (.begin(expects: (10, 32_766)), "ok 20/0 Empty"),
                (.begin(expects: (10, 32_765)), "producerFenced Empty"),
                (.begin(expects: (20, 0)), "ok 20/1 Empty"),
            ], from: 32_765)
        // The last epoch is for fencing.
        check(
            [
                (.add(10, 32_766), "ok Ongoing"),
                (.begin(), "concurrentTransactions PrepareAbort aborts 10/32767 at t0"),
                (.written, "ok CompleteAbort"),
                (.begin(expects: (10, 32_766)), "producerFenced CompleteAbort"),
                (.begin(), "ok 20/0 Empty"),
                (.begin(expects: (10, 32_766)), "producerFenced Empty"),
            ], from: 32_766)
    }

    @Test func aTransactionThatTakesTooLongIsAborted() {
        check([
            (.begin(), "ok 10/0 Empty"),
            (.at(500), "nothing"),
            (.add(10, 0), "ok Ongoing"),
            (.at(1_400), "nothing"),
            // A partition more does not begin it anew.
            (.add(10, 0, p1), "ok Ongoing"),
            (.at(1_500), "nothing"),
            (.at(1_501), "ok PrepareAbort aborts 10/1 at t0 t1"),
            (.at(9_000), "nothing"),
            (.add(10, 0), "producerFenced PrepareAbort"),
            (.end(10, 0, commit: true), "producerFenced PrepareAbort"),
            (.written, "ok CompleteAbort"),
            (.end(10, 0, commit: true), "producerFenced CompleteAbort"),
            (.begin(expects: (10, 0)), "producerFenced CompleteAbort"),
            (.begin(), "ok 10/2 Empty"),
        ])
    }

    /// The epoch that fences is not the answer to a request that is sent again.
    @Test func afterAFenceNobodyGoesOn() {
        check([
            (.begin(), "ok 10/0 Empty"),
            (.begin(expects: (10, 0)), "ok 10/1 Empty"),
            (.add(10, 1), "ok Ongoing"),
            (.at(1_001), "ok PrepareAbort aborts 10/2 at t0"),
            (.written, "ok CompleteAbort"),
            (.begin(expects: (10, 0)), "producerFenced CompleteAbort"),
            (.begin(expects: (10, 1)), "producerFenced CompleteAbort"),
        ])
    }

    @Test func anIdThatNobodyUsesIsForgotten() {
        check([
            (.begin(), "ok 10/0 Empty"),
            (.at(99_999), "nothing"),
            (.at(100_000), "ok Dead"),
            (.add(10, 0), "invalidProducerIdMapping Dead"),
            (.end(10, 0, commit: true), "invalidProducerIdMapping Dead"),
        ])
    }

    @Test func aPreparedTransactionResumesItsMarkers() {
        var script = Script()
        for step in [.begin(), .add(10, 0), .offsets(10, 0)] as [Step] { _ = script.run(step) }
        let outcome = script.machine.end(isCommit: true, producer: ProducerIdentity(id: 10, epoch: 0), now: 5)
        guard let value = outcome.record?.value else { return #expect(Bool(false), "no record") }
        var restored = TransactionMachine(transactionalId: "x", restoring: value)
        #expect(restored.pendingMarkers != nil && restored.pendingMarkers == outcome.markers)
        #expect(restored.markersWritten(now: 6).record?.value?.state == .completeCommit)
        #expect(restored.pendingMarkers == nil)
    }

    @Test func onlyTheProducerWritesAndOnlyWhereItSaid() {
        var script = Script()
        let producer = ProducerIdentity(id: 10, epoch: 0)
        for step in [.begin(), .add(10, 0), .offsets(10, 0)] as [Step] { _ = script.run(step) }
        #expect(script.machine.isOpen(for: producer, p0) && script.machine.isOpen(for: producer, groupId: "g"))
        #expect(!script.machine.isOpen(for: producer, p1) && !script.machine.isOpen(for: producer, groupId: "h"))
        #expect(!script.machine.isOpen(for: ProducerIdentity(id: 10, epoch: 1), p0))
        _ = script.run(.end(10, 0, commit: true))
        #expect(!script.machine.isOpen(for: producer, p0) && !script.machine.isOpen(for: producer, groupId: "g"))
    }

    @Test func olderClientsAreToldOfAnInvalidEpoch() {
        #expect(CoordinationError.producerFenced.asAnswered(knowsProducerFenced: false) == .invalidProducerEpoch)
        #expect(CoordinationError.producerFenced.asAnswered(knowsProducerFenced: true) == .producerFenced)
        #expect(CoordinationError.invalidTxnState.asAnswered(knowsProducerFenced: false) == .invalidTxnState)
    }
}

@Suite struct TransactionCoordinatorTests {
    @Test func requestsAreChecked() {
        var coordinator = TransactionCoordinator()
        let producer = ProducerIdentity(id: 0, epoch: 0)
        #expect(coordinator.initialize("", timeoutMs: 1, now: 0).outcome.error == .invalidRequest)
        for timeout in [0, -1, 900_001] as [Int32] {
            let error = coordinator.initialize("x", timeoutMs: timeout, now: 0).outcome.error
            #expect(error == .invalidTransactionTimeout)
        }
        #expect(coordinator.add("", groupId: "g", producer: producer, now: 0).error == .invalidRequest)
        #expect(coordinator.end("x", isCommit: true, producer: producer, now: 0).error == .invalidProducerIdMapping)
        #expect(coordinator.nextProducerId == 0)
    }

    @Test func everyIdHasItsOwnProducer() {
        var coordinator = TransactionCoordinator(nextProducerId: 5)
        #expect(coordinator.allocateProducerId() == 5)
        #expect(coordinator.initialize("x", timeoutMs: 10, now: 0).producer == ProducerIdentity(id: 6, epoch: 0))
        #expect(coordinator.initialize("y", timeoutMs: 10, now: 0).producer == ProducerIdentity(id: 7, epoch: 0))
        #expect(coordinator.initialize("x", timeoutMs: 10, now: 0).producer == ProducerIdentity(id: 6, epoch: 1))
        #expect(coordinator.nextProducerId == 8)
    }

    @Test func usedUpEpochsTakeAProducerIdFromAll() throws {
        var coordinator = TransactionCoordinator()
        var value = TransactionSnapshot(
            producer: ProducerIdentity(id: 3, epoch: 32_766), timeoutMs: 10, lastUpdateTimestampMs: 0)
        value.state = .completeCommit
        coordinator.restore(TransactionRecord(transactionalId: "x", value: value))
        #expect(coordinator.nextProducerId == 4)
        #expect(coordinator.initialize("x", timeoutMs: 10, now: 0).producer == ProducerIdentity(id: 4, epoch: 0))
        #expect(coordinator.allocateProducerId() == 5)
    }

    @Test func deadlinesAndMarkersAreGathered() throws {
        var coordinator = TransactionCoordinator()
        for id in ["x", "y"] {
            let producer = try #require(coordinator.initialize(id, timeoutMs: 100, now: 0).producer)
            _ = coordinator.add(id, partitions: [TopicPartition("t", 0)], producer: producer, now: id == "x" ? 0 : 50)
        }
        #expect(coordinator.nextDeadline == 101)
        #expect(coordinator.advance(now: 101).compactMap(\.markers).map(\.transactionalId) == ["x"])
        #expect(coordinator.pendingMarkers.map(\.transactionalId) == ["x"])
        #expect(coordinator.markersWritten("x", now: 102).error == nil)
        #expect(coordinator.pendingMarkers == [])
        _ = coordinator.advance(now: 151)
        _ = coordinator.markersWritten("y", now: 151)
        let forgotten = coordinator.advance(now: 1_000_000_000)
        #expect(forgotten.compactMap(\.record).allSatisfy { $0.value == nil } && forgotten.count == 2)
        #expect(coordinator.transactionalIds == [])
    }
}
