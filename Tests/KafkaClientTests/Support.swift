import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The real broker, where one was given.
enum RealBroker {
    static var servers: String? {
        guard let value = getenv("MILLRACE_TEST_BROKERS") else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    static var isThere: Bool { servers != nil }
    static let reason: Comment = "needs a real broker: set MILLRACE_TEST_BROKERS"

    static var settings: KafkaSettings {
        KafkaSettings(brokers: (servers ?? "").split(separator: ",").map(String.init))
    }

    /// A name that no other test and no other run has.
    static func unique(_ name: String) -> String { "\(name)-\(UInt32.random(in: 0 ... .max))" }

    /// Makes topics for a test and deletes them afterwards.
    static func withTopics<R>(_ topics: [NewTopic], _ body: () throws -> R) throws -> R {
        let admin = try Admin(settings)
        defer { admin.close() }
        try admin.create(topics)
        let names = topics.map(\.name)
        // Creation is asynchronous: the topics must be seen with all their partitions.
        try wait("topics \(names)") {
            try admin.describe(names).allSatisfy { topic in
                topic.error == nil && topics.contains { $0.name == topic.name && $0.partitions == topic.partitionCount }
            }
        }
        defer { try? admin.delete(names) }
        return try body()
    }
}

struct Timeout: Error, CustomStringConvertible {
    var what: String
    var description: String { "timed out waiting for \(what)" }
}

/// Repeats until a condition holds.
func wait(_ what: String, within: Duration = .seconds(20), _ condition: () throws -> Bool) throws {
    let _: Bool = try waitFor(what, within: within) { try condition() ? true : nil }
}

/// Repeats until there is a value.
func waitFor<R>(_ what: String, within: Duration = .seconds(20), _ body: () throws -> R?) throws -> R {
    let deadline = SystemClock().now + within
    while true {
        if let value = try body() { return value }
        if SystemClock().now > deadline { throw Timeout(what: what) }
        // Leaves the processor to the broker and the client between two looks.
        usleep(1000)
    }
}

/// An input port as a test drives it: everything that it said is kept.
final class InputDriver {
    let port: any InputPort
    var assigned: Set<Split> = []
    var revoking: Set<Split> = []
    var lost: Set<Split> = []
    var values: [String] = []
    var offsets: [Split: [Int64]] = [:]
    var ends: [Split: Position] = [:]
    var resolved: [Split: Position]?
    var asked: [Split: Position]?
    var losses: [(split: Split, at: Position, next: Position)] = []
    var troubles: [StreamError] = []

    init(_ port: any InputPort) { self.port = port }

    func step(bytesMax: Int = 1 << 20) {
        while let event = port.poll(bytesMax: bytesMax) { take(event) }
    }

    func stepOnce(bytesMax: Int) {
        if let event = port.poll(bytesMax: bytesMax) { take(event) }
    }

    private func take(_ event: InputEvent) {
        switch event {
        case .assigned(let splits): assigned.formUnion(splits)
        case .revoking(let splits): revoking.formUnion(splits)
        case .lost(let splits): lost.formUnion(splits)
        case .records(let block):
            for index in 0..<block.count {
                values.append(block.value(index).map { String(decoding: $0, as: UTF8.self) } ?? "<nil>")
                offsets[block.split(index), default: []].append(block.slots[index].offset)
            }
        case .reachedEnd(let split, let position): ends[split] = position
        case .finished: break
        case .resolved(let positions): resolved = positions
        case .ends(let positions): asked = positions
        case .dataLoss(let split, let at, let next): losses.append((split, at, next))
        case .trouble(let error): troubles.append(error)
        }
    }

    func until(_ what: String, within: Duration = .seconds(20), _ condition: (InputDriver) -> Bool) throws {
        do {
            try wait(what, within: within) {
                step()
                return condition(self)
            }
        } catch {
            throw Timeout(
                what: "\(what); assigned \(assigned), values \(values.count), ends \(ends), troubles \(troubles)")
        }
    }

    func release(_ splits: Set<Split>) {
        port.release(splits)
        assigned.subtract(splits)
        revoking.subtract(splits)
        lost.subtract(splits)
    }
}

extension TransactionPort {
    /// Submits a command and waits for its answer.
    func ask(_ command: TransactionCommand, within: Duration = .seconds(40)) throws -> TransactionEvent {
        submit(command)
        return try waitFor("an answer to \(command)", within: within) { poll() }
    }
}

extension TransactionEvent {
    var failure: TransactionFailure? {
        if case .failed(let failure) = self { failure } else { nil }
    }
    var recovered: RecoveredProgress? {
        if case .recovered(let progress) = self { progress } else { nil }
    }
    var isCommitted: Bool {
        if case .committed = self { true } else { false }
    }
    var isInitialized: Bool {
        if case .initialized = self { true } else { false }
    }
}

/// A block of plain text records.
func block(_ topic: TopicName, _ values: [String], partition: Int32 = 0) -> RecordBlock {
    let block = RecordBlock(topics: [topic])
    for value in values { block.slots.append(RecordSlot(value: block.arena.append(value), partition: partition)) }
    return block
}

/// Writes records outside of any transaction.
func fill(_ settings: KafkaSettings, _ topic: TopicName, _ values: [String], partition: Int32 = 0) throws {
    let producer = try Producer(settings, ProducerOptions(linger: .milliseconds(1)))
    defer { producer.close(within: .seconds(5)) }
    try producer.produce(block(topic, values, partition: partition), number: 0, within: .seconds(10))
    try producer.flush(within: .seconds(10))
    if let failure = producer.takeDeliveryFailure() { throw failure }
}

/// All committed values of a split, up to its end.
///
/// A commit is certain before its marker is in the partition: until no transaction is open there, it is read again, for
/// some seconds.
func readAll(_ settings: KafkaSettings, _ split: Split, committed: Bool = true) throws -> [String] {
    let deadline = SystemClock().now + .seconds(5)
    while true {
        let (values, end) = try readToEnd(settings, split, committed: committed)
        guard committed, SystemClock().now < deadline else { return values }
        if try readToEnd(settings, split, committed: false).end <= end { return values }
    }
}

private func readToEnd(
    _ settings: KafkaSettings, _ split: Split, committed: Bool
) throws -> (values: [String], end: Position) {
    let consumer = try Consumer(settings, ConsumerOptions(groupID: "reader", readsCommitted: committed))
    defer { consumer.close(within: .seconds(5)) }
    consumer.open([split: 0])
    var values: [String] = []
    return try waitFor("the end of \(split)") {
        while let event = consumer.poll(bytesMax: 1 << 20) {
            if case .records(let block) = event {
                values += (0..<block.count).map {
                    block.value($0).map { String(decoding: $0, as: UTF8.self) } ?? "<nil>"
                }
            }
            if case .reachedEnd(_, let end) = event { return (values, end) }
        }
        return nil
    }
}
