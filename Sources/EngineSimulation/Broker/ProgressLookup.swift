import CommitProtocol
import EmbeddedBroker
import FoundationEssentials
import KafkaWire
import StreamCore
import StreamTesting

/// Finds the newest committed progress record of a query.
final class ProgressLookup {
    private let split: Split
    private let query: QueryName
    private let connection: Connection
    private let reader: PartitionReader
    private let clock: any EngineClock
    private var search: Search?

    private struct Search {
        var end: Position?
        var newest: ProgressRecord?
        var deadline: MonotonicTime
        var done: (Result<ProgressRecord?, CallFailure>) -> Void
    }

    init(_ topic: TopicName, _ query: QueryName, _ network: SimulatedNetwork, _ clientID: ClientID, seed: UInt64) {
        split = Split(topic, 0)
        self.query = query
        clock = network.clock
        connection = Connection(network, clientID)
        reader = PartitionReader(connection, seed: seed)
    }

    /// - Parameter place: up to the end that a read_uncommitted look shows, what a dead instance left open has to end
    ///   first; up to the end of what is committed, nobody is waited for.
    func find(
        upTo place: OffsetLookup, within: Duration, then done: @escaping (Result<ProgressRecord?, CallFailure>) -> Void
    ) {
        search = Search(deadline: clock.now + within, done: done)
        connection.call(place.request([split]), within: within) { [unowned self] result in
            switch result {
            case .success(.listOffsets(let answer)):
                search?.end = OffsetLookup.positions(answer)[split]
                reader.open([split: 0])
                advance()
            case .success: finish(.failure(.silence))
            case .failure(let failure): finish(.failure(failure))
            }
        }
    }

    func close() {
        search = nil
        connection.close(requestArrives: true)
    }

    private func advance() {
        guard let end = search?.end else { return }
        while case .records(_, let records)? = reader.take(countMax: .max) {
            for record in records where record.key == Array(query.text.utf8) {
                search?.newest = record.value.flatMap { try? JSONDecoder().decode(ProgressRecord.self, from: Data($0)) }
            }
        }
        if let fetched = reader.fetched(split), fetched >= end { finish(.success(search?.newest)) }
    }

    private func finish(_ result: Result<ProgressRecord?, CallFailure>) {
        let done = search?.done
        search = nil
        reader.close([split])
        done?(result)
    }

    // MARK: - The world

    private var isOverdue: Bool { search.map { $0.deadline <= clock.now } ?? false }

    var hasWork: Bool { connection.hasWork || isOverdue }
    var deadline: MonotonicTime { min(connection.deadline, search?.deadline ?? .distantFuture) }

    func act() {
        if connection.hasWork {
            connection.act()
            advance()
        } else if isOverdue {
            // A transaction is still open there.
            connection.reset()
            finish(.failure(.silence))
        }
    }

    // MARK: - Writing

    /// As `KafkaClient` writes it.
    static func block(_ record: ProgressRecord, _ topic: TopicName, _ query: QueryName, writer: String) -> RecordBlock {
        var signed = record
        signed.writer = writer
        let block = RecordBlock(topics: [topic])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let value = (try? encoder.encode(signed)).map { block.arena.append(contentsOf: [UInt8]($0)) }
        let key = block.arena.append(query.text)
        block.slots.append(RecordSlot(key: key, value: value ?? .null, partition: 0))
        return block
    }
}
