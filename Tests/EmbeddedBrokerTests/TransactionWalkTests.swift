import Testing

@testable import EmbeddedBroker

private struct TransactionWalk {
    enum Phase {
        case idle, open
        case ending(isCommit: Bool)
    }

    var random: SeededRandom
    var machine: TransactionMachine
    var kept: TransactionSnapshot?
    var now: Int64 = 0
    var fresh: Int64 = 2
    /// Everybody who was ever told to be the producer; the last one is the present one.
    var producers: [ProducerIdentity] = []
    var highest = ProducerIdentity(id: -1, epoch: -1)
    /// What the transaction is to hold, by what was asked for and granted.
    var phase = Phase.idle
    var partitions: Set<TopicPartition> = []
    var groups: Set<String> = []
    var ended = (commits: 0, aborts: 0)

    init(seed: UInt64) {
        random = SeededRandom(state: seed)
        machine = TransactionMachine(transactionalId: "x", producerId: 1, timeoutMs: 50, now: 0)
        // Some walks come to the end of the epochs.
        if seed.isMultiple(of: 3) { machine.value.producer.epoch = 32_755 }
    }

    mutating func step() {
        now += Int64.random(in: 0..<6, using: &random)
        let before = machine.value
        let client = Bool.random(using: &random) ? producers.last : producers.randomElement(using: &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0: begin(expected: nil)
        case 1: begin(expected: client)
        case 2..<6:
            guard let client else { return }
            let partition = TopicPartition("t", Int32.random(in: 0..<4, using: &random))
            let outcome = machine.add(partitions: [partition], producer: client, now: now)
            granted(outcome, to: client, before) { $0.partitions.insert(partition) }
        case 6:
            guard let client else { return }
            let outcome = machine.add(groupId: "g", producer: client, now: now)
            granted(outcome, to: client, before) { $0.groups.insert("g") }
        case 7..<9:
            guard let client else { return }
            let isCommit = Bool.random(using: &random)
            end(machine.end(isCommit: isCommit, producer: client, now: now), isCommit, client, before)
        case 9:
            // A restart: what was kept is all that there is.
            if let kept { machine = TransactionMachine(transactionalId: "x", restoring: kept) }
        case 10: write()
        default:
            if let outcome = machine.advance(now: now, expirationMs: 1_000_000) {
                #expect(before.state == .ongoing && now > before.startTimestampMs + 50)
                keep(outcome)
                decided(outcome, isCommit: false)
            }
        }
        check()
    }

    mutating func keep(_ outcome: TransactionOutcome) {
        if let record = outcome.record { kept = record.value }
    }

    /// Of a client that is not the present producer nothing is taken.
    func refused(_ outcome: TransactionOutcome, _ client: ProducerIdentity, _ before: TransactionSnapshot) {
        guard client != before.producer else { return }
        #expect(outcome.error == (client.id == before.producer.id ? .producerFenced : .invalidProducerIdMapping))
        #expect(machine.value == before)
    }

    mutating func granted(
        _ outcome: TransactionOutcome, to client: ProducerIdentity, _ before: TransactionSnapshot,
        _ change: (inout Self) -> Void
    ) {
        keep(outcome)
        refused(outcome, client, before)
        guard outcome.error == nil else { return #expect(machine.value == before) }
        if case .idle = phase { phase = .open }
        change(&self)
    }

    mutating func end(
        _ outcome: TransactionOutcome, _ isCommit: Bool, _ client: ProducerIdentity, _ before: TransactionSnapshot
    ) {
        keep(outcome)
        refused(outcome, client, before)
        if before.state == .ongoing && client == before.producer {
            #expect(outcome.error == nil)
            decided(outcome, isCommit: isCommit)
        } else {
            #expect(outcome.markers == nil && machine.value == before)
        }
    }

    /// One order of markers for each transaction, for all that is in it.
    mutating func decided(_ outcome: TransactionOutcome, isCommit: Bool) {
        guard case .open = phase, let order = outcome.markers else {
            #expect(Bool(false), "an end was decided without a transaction, or without markers")
            return
        }
        #expect(order.isCommit == isCommit)
        #expect(order.partitions == partitions.sorted() && order.groups == groups.sorted())
        #expect(order.producer == machine.producer)
        phase = .ending(isCommit: isCommit)
    }

    mutating func begin(expected: ProducerIdentity?) {
        let before = machine.value
        let outcome = machine.initialize(expected: expected, timeoutMs: 50, freshProducerId: fresh, now: now)
        keep(outcome)
        if machine.producer.id == fresh { fresh += 1 }
        switch outcome.error {
        case nil:
            #expect(machine.state == .empty)
            guard case .idle = phase else { return #expect(Bool(false), "a producer began in a transaction") }
            if producers.last != machine.producer { producers.append(machine.producer) }
        case .concurrentTransactions:
            // Either it waits for the markers, or it has just asked for them.
            if before.state == .ongoing { decided(outcome, isCommit: false) }
            #expect(before.state == .ongoing || machine.value == before)
        default:
            #expect(outcome.error == .producerFenced && expected != before.producer && machine.value == before)
        }
    }

    mutating func write() {
        guard case .ending(let isCommit) = phase else {
            #expect(machine.pendingMarkers == nil)
            return
        }
        let order = machine.pendingMarkers
        #expect(order?.isCommit == isCommit && order?.partitions == partitions.sorted())
        #expect(order?.groups == groups.sorted())
        keep(machine.markersWritten(now: now))
        #expect(machine.state == (isCommit ? .completeCommit : .completeAbort))
        if isCommit { ended.commits += 1 } else { ended.aborts += 1 }
        phase = .idle
        partitions = []
        groups = []
    }

    mutating func check() {
        // The kept record is the live state.
        if let kept { #expect(kept == machine.value) }
        let producer = machine.producer
        #expect(
            producer.id > highest.id || (producer.id == highest.id && producer.epoch >= highest.epoch))
        highest = producer
        switch phase {
        case .idle: #expect(!machine.state.isPrepared && machine.state != .ongoing)
        case .open: #expect(machine.state == .ongoing)
        case .ending: #expect(machine.state.isPrepared)
        }
        #expect(producers.allSatisfy { $0.epoch < .max })
    }
}

@Suite struct TransactionWalkTests {
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func everyTransactionEndsOnce(seed: UInt64) {
        var walk = TransactionWalk(seed: seed)
        for _ in 0..<600 { walk.step() }
        #expect(walk.ended.commits > 0 && walk.ended.aborts > 0)
        // The epochs of some were used up, and their next producer id was taken.
        #expect(walk.fresh > 2 || !seed.isMultiple(of: 3))
    }
}
