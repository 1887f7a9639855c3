import CommitProtocol
import EmbeddedBroker
import KafkaWire
import StreamCore
import StreamTesting

/// Reads changelogs of a broker: to the end that a read_uncommitted look shows, or on and on.
final class BrokerChangelog: ChangelogPort, WorldActor {
    let name = "changelog"
    var onReady: (@Sendable () -> Void)?
    private let data: Connection
    private let lookups: Connection
    private let reader: PartitionReader
    private var mode = ChangelogMode.toEnd
    private var ends: [Split: Position] = [:]
    private var events: [ChangelogEvent] = []
    /// Of the present reading.
    private var number = 0

    init(_ network: SimulatedNetwork, _ clientID: ClientID, seed: UInt64) {
        data = Connection(network, clientID)
        lookups = Connection(network, clientID)
        reader = PartitionReader(data, seed: seed)
        reader.onPositionLost = { [unowned self] in events.append(.positionLost($0)) }
    }

    func read(_ positions: [Split: Position], _ mode: ChangelogMode) {
        stop()
        self.mode = mode
        lookUpEnds(positions, number)
    }

    private func lookUpEnds(_ positions: [Split: Position], _ number: Int) {
        lookups.call(OffsetLookup.end.request(Set(positions.keys))) { [unowned self] result in
            guard number == self.number else { return }
            guard case .success(.listOffsets(let answer)) = result else { return lookUpEnds(positions, number) }
            ends = OffsetLookup.positions(answer)
            events.append(.began(ends: ends))
            reader.open(positions)
        }
    }

    func stop() {
        number += 1
        events.removeAll()
        reader.close(reader.splits)
    }

    func requestStableEnds(_ splits: Set<Split>) {
        lookups.call(OffsetLookup.stableEnd.request(splits)) { [unowned self] result in
            guard case .success(.listOffsets(let answer)) = result else { return requestStableEnds(splits) }
            events.append(.stableEnds(OffsetLookup.positions(answer)))
        }
    }

    func poll(bytesMax: Int) -> ChangelogEvent? {
        if !events.isEmpty { return events.removeFirst() }
        guard bytesMax > 0 else { return nil }
        while let piece = reader.take(countMax: 5) {
            switch piece {
            case .records(let split, let records): return .records(RecordBlock(records, of: split))
            case .reachedEnd(let split, let position):
                guard mode == .toEnd else { return .reachedEnd(split, position) }
                // A transaction that is open holds up the end.
                guard position >= ends[split] ?? 0 else { continue }
                reader.close([split])
                return .reachedEnd(split, position)
            }
        }
        return nil
    }

    func close(within: Duration) { die(requestArrives: true) }

    func die(requestArrives: Bool) {
        stop()
        data.close(requestArrives: requestArrives)
        lookups.close(requestArrives: requestArrives)
    }

    // MARK: - The world

    var hasWork: Bool { data.hasWork || lookups.hasWork }
    var deadline: MonotonicTime { min(data.deadline, lookups.deadline) }

    func act() {
        if lookups.hasWork { lookups.act() } else { data.act() }
        onReady?()
    }
}
