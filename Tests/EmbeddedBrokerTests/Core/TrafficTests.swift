import EmbeddedBroker
import KafkaWire
import Testing

/// Random clients against a model of what they were told, with stops at random writes.
@Suite struct TrafficTests {
    @Test(arguments: 1...12) func holdsWhatItSaid(seed: Int) throws {
        var traffic = try Traffic(seed: UInt64(seed))
        for _ in 0..<25 { try traffic.round() }
        #expect(traffic.commits > 20 && traffic.aborts > 10 && traffic.stops > 3)
    }
}

private struct Traffic {
    private struct Owner {
        var producer: TestProducer
        /// What was written in the open transaction, by partition.
        var written: [TopicPartition: [String]] = [:]
        var partitions: Set<TopicPartition> = []
        var offset: Int64?
        var isOpen: Bool { !partitions.isEmpty || offset != nil }
    }

    private let factory: FaultyFactory
    private let broker: TestBroker
    private var numbers: SeededNumbers
    private var owners: [Owner?]
    /// What a read_committed reader sees, and the offset that each owner's group has.
    private var visible: [TopicPartition: Set<String>] = [:]
    private var committed: [Int64]
    private var nextValue = 0
    private(set) var commits = 0
    private(set) var aborts = 0
    private(set) var stops = 0

    private static let topics = ["t", "u"]
    private static let partitions = topics.flatMap { [TopicPartition($0, 0), TopicPartition($0, 1)] }

    init(seed: UInt64) throws {
        factory = FaultyFactory()
        var settings = BrokerSettings()
        settings.stateDirtyBytesMax = 4_000
        broker = try TestBroker(settings, storage: factory, seed: seed)
        numbers = SeededNumbers(state: seed)
        owners = [nil, nil, nil]
        committed = [-1, -1, -1]
        for topic in Self.topics { #expect(try broker.createTopic(topic, partitions: 2) == .none) }
    }

    /// Some requests, perhaps a stop, and then a look at everything.
    mutating func round() throws {
        if Int.random(in: 0..<2, using: &numbers) == 0 { factory.budget.left = .random(in: 0..<40, using: &numbers) }
        do {
            for _ in 0..<40 {
                try step()
                try broker.pass(.random(in: 0..<50, using: &numbers))
                if broker.core.failure != nil { throw Missing() }
            }
        } catch is Missing {}
        if factory.budget.left != nil {
            factory.budget.left = nil
            stops += 1
            try broker.restart()
        }
        try settle()
        try check()
    }

    // MARK: - Requests

    private mutating func step() throws {
        let at = Int.random(in: 0..<owners.count, using: &numbers)
        guard owners[at] != nil else { return try begin(at) }
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0: try begin(at)
        case 1..<6: try add(at)
        case 6..<12: try write(at)
        case 12..<14: try addOffset(at)
        case 14..<17: try end(at, isCommit: true)
        case 17: try end(at, isCommit: false)
        default: try writeAlone()
        }
    }

    /// A new instance of the owner; the transaction of the one before is aborted.
    private mutating func begin(_ at: Int) throws {
        let answer = try broker.initProducer("p\(at)")
        guard answer.errorCode == .none else { throw Missing() }
        if owners[at]?.isOpen == true { aborts += 1 }
        owners[at] = Owner(producer: try TestProducer("p\(at)", broker))
    }

    private mutating func add(_ at: Int) throws {
        guard let partition = Self.partitions.randomElement(using: &numbers), let producer = owners[at]?.producer
        else { return }
        guard try broker.addPartition(producer, partition.topic, partition.partition) == .none else { throw Missing() }
        owners[at]?.partitions.insert(partition)
    }

    private mutating func write(_ at: Int) throws {
        guard let partition = Self.partitions.randomElement(using: &numbers), var owner = owners[at] else { return }
        nextValue += 1
        let value = "v\(nextValue)"
        let code = try owner.producer.write(value, to: partition.topic, partition.partition, on: broker)
        if owner.partitions.contains(partition) {
            guard code == .none else { throw Missing() }
            owner.written[partition, default: []].append(value)
        } else {
            // Markers that could not be written hold the next transaction up.
            #expect(code == .invalidTxnState || (code == .notEnoughReplicas && factory.budget.left == 0))
        }
        owners[at] = owner
    }

    private mutating func writeAlone() throws {
        guard let partition = Self.partitions.randomElement(using: &numbers) else { return }
        nextValue += 1
        let bytes = batch("v\(nextValue)", timestamp: broker.now)
        let answer = try broker.produce(bytes, to: partition.topic, partition.partition)
        guard answer?.errorCode == ErrorCode.none else { throw Missing() }
        visible[partition, default: []].insert("v\(nextValue)")
    }

    private mutating func addOffset(_ at: Int) throws {
        guard let producer = owners[at]?.producer else { return }
        nextValue += 1
        guard try broker.addOffsets(producer, "g\(at)") == .none else { throw Missing() }
        // The group is a part of the transaction from here on, also if its offset does not come.
        if owners[at]?.offset == nil { owners[at]?.offset = committed[at] }
        let offset = Int64(nextValue)
        guard try broker.commitInTransaction(producer, "g\(at)", "t", offset) == .none else { throw Missing() }
        owners[at]?.offset = offset
    }

    private mutating func end(_ at: Int, isCommit: Bool) throws {
        guard let owner = owners[at], owner.isOpen else { return }
        let code: ErrorCode
        do {
            code = try broker.end(owner.producer, isCommit: isCommit)
        } catch is Missing {
            // It may have been decided or not: the broker says so after its restart.
            factory.budget.left = nil
            stops += 1
            try broker.restart()
            let state = try broker.state(of: owner.producer.transactionalId).state
            #expect(state == "Ongoing" || state == (isCommit ? "CompleteCommit" : "CompleteAbort"))
            if state != "Ongoing" { take(at, owner, isCommit: isCommit) }
            throw Missing()
        }
        guard code == .none else { throw Missing() }
        take(at, owner, isCommit: isCommit)
    }

    private mutating func take(_ at: Int, _ owner: Owner, isCommit: Bool) {
        owners[at] = Owner(producer: owner.producer)
        guard isCommit else {
            aborts += 1
            return
        }
        commits += 1
        for (partition, values) in owner.written { visible[partition, default: []].formUnion(values) }
        if let offset = owner.offset { committed[at] = offset }
    }

    // MARK: - Looking

    /// Ends all that is open, so that the last stable offset is the end.
    private mutating func settle() throws {
        for at in owners.indices {
            if owners[at]?.isOpen == true { aborts += 1 }
            owners[at] = Owner(producer: try TestProducer("p\(at)", broker))
        }
    }

    private mutating func check() throws {
        for partition in Self.partitions {
            let seen = try broker.values(partition.topic, partition.partition, isCommitted: true)
            let known = visible[partition, default: []]
            // A record outside of transactions may be there without an answer: it is the last that was sent.
            let more = Set(seen).subtracting(known)
            #expect(more.isSubset(of: ["v\(nextValue)"]))
            #expect(Set(seen).count == seen.count && known.isSubset(of: seen))
            visible[partition, default: []].formUnion(more)
            let stable = try broker.listOffset(partition.topic, partition.partition, at: -1, isCommitted: true)
            #expect(try broker.listOffset(partition.topic, partition.partition, at: -1).offset == stable.offset)
        }
        for at in committed.indices {
            #expect(try broker.committed("g\(at)", "t", isStable: true).committedOffset == committed[at])
        }
    }
}
