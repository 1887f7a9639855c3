import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

/// A changelog port as a test drives it: everything that it said is kept.
final class ChangelogDriver {
    let port: KafkaChangelog
    var began: [Split: Position]?
    var values: [Split: [String]] = [:]
    var offsets: [Split: [Int64]] = [:]
    var ends: [Split: Position] = [:]
    var stable: [Split: Position]?
    var lost: [Split] = []
    var troubles: [StreamError] = []
    var blockBytesMax = 0
    /// A new topic may have no leader for a moment.
    var onlyWaited: Bool { troubles.allSatisfy { $0.recovery == .retry } }

    init(_ settings: KafkaSettings, _ group: String = "changelog", memoryBytes: Int = 16 << 20) throws {
        port = try KafkaChangelog(settings, groupID: group, memoryBytes: memoryBytes)
    }

    func close() { port.close(within: .seconds(10)) }

    /// Begins a reading; what was said before is forgotten.
    func read(_ positions: [Split: Position], _ mode: ChangelogMode) {
        port.read(positions, mode)
        began = nil
        values = [:]
        offsets = [:]
        ends = [:]
        lost = []
    }

    func step(bytesMax: Int = 64 << 20) {
        while let event = port.poll(bytesMax: bytesMax) { take(event) }
    }

    private func take(_ event: ChangelogEvent) {
        switch event {
        case .began(let found): began = found
        case .records(let block):
            blockBytesMax = max(blockBytesMax, block.arena.count)
            for index in 0..<block.count {
                let split = block.split(index)
                values[split, default: []].append(
                    block.value(index).map { String(decoding: $0, as: UTF8.self) } ?? "<nil>")
                offsets[split, default: []].append(block.slots[index].offset)
            }
        case .reachedEnd(let split, let position): ends[split] = position
        case .stableEnds(let found): stable = found
        case .positionLost(let split): lost.append(split)
        case .trouble(let error): troubles.append(error)
        }
    }

    func until(_ what: String, within: Duration = .seconds(20), _ condition: (ChangelogDriver) -> Bool) throws {
        do {
            try wait(what, within: within) {
                step()
                return condition(self)
            }
        } catch {
            throw Timeout(
                what: "\(what); began \(began ?? [:]), values \(values.mapValues(\.count)), ends \(ends), "
                    + "lost \(lost), troubles \(troubles)")
        }
    }
}

/// A block of records as compacted topics want them, each its own key unless one is given.
func keyed(_ split: Split, _ values: [String], key: String? = nil) -> RecordBlock {
    let block = RecordBlock(topics: [split.topic])
    for value in values {
        block.slots.append(
            RecordSlot(
                key: block.arena.append(key ?? value), value: block.arena.append(value),
                partition: split.partition.number))
    }
    return block
}

/// Writes such records outside of any transaction.
func fillKeyed(_ split: Split, _ values: [String], key: String? = nil) throws {
    let producer = try Producer(RealBroker.settings, ProducerOptions(linger: .milliseconds(1)))
    defer { producer.close(within: .seconds(5)) }
    try producer.produce(keyed(split, values, key: key), number: 0, within: .seconds(10))
    try producer.flush(within: .seconds(10))
    if let failure = producer.takeDeliveryFailure() { throw failure }
}

/// Writes transactions that a test ends as it likes.
final class Transactions {
    private let id = RealBroker.unique("writer")
    private var producer: Producer?

    private func current() throws -> Producer {
        if let producer { return producer }
        let made = try Producer(
            RealBroker.settings,
            ProducerOptions(transactionalID: id, transactionTimeout: .seconds(60), linger: .milliseconds(1)))
        producer = made
        try made.initialize(within: .seconds(20))
        return made
    }

    /// Leaves a transaction open that holds these records.
    func begin(_ split: Split, _ values: [String]) throws {
        let producer = try current()
        try producer.prepare([split.topic], within: .seconds(10))
        try producer.begin()
        try producer.produce(keyed(split, values), number: 0, within: .seconds(10))
        try producer.flush(within: .seconds(10))
    }

    func commit() throws { try current().commit(within: .seconds(20)) }

    func commit(_ split: Split, _ values: [String]) throws {
        try begin(split, values)
        try commit()
    }

    /// A successor of the same identity ends what was left open.
    func abort() throws {
        close()
        _ = try current()
    }

    func abort(_ split: Split, _ values: [String]) throws {
        try begin(split, values)
        try abort()
    }

    func close() {
        producer?.close(within: .seconds(5))
        producer = nil
    }
}
