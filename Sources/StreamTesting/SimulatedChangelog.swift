public import CommitProtocol
public import StreamCore

/// Reads the changelogs of a `SimulatedCluster`, in its own time.
///
/// A transaction of another producer that is still open holds up `toEnd`, as on Kafka.
public final class SimulatedChangelog: ChangelogPort, WorldActor {
    public let name = "changelog"
    public var onReady: (@Sendable () -> Void)?
    private let cluster: SimulatedCluster
    private var random: StableRandom
    private var positions: [Split: Position] = [:]
    private var ends: [Split: Position] = [:]
    private var mode = ChangelogMode.toEnd
    private var told: [Split: Position] = [:]
    private var events: [ChangelogEvent] = []
    public private(set) var isClosed = false

    public init(_ cluster: SimulatedCluster, seed: UInt64) {
        self.cluster = cluster
        random = StableRandom(seed: seed)
    }

    public func read(_ positions: [Split: Position], _ mode: ChangelogMode) {
        self.mode = mode
        self.positions = positions
        told = [:]
        events.removeAll()
        ends = positions.mapValues { _ in 0 }
        for split in positions.keys { ends[split] = cluster.changelogEnd(split) }
        events.append(.began(ends: ends))
        onReady?()
    }

    public func stop() {
        positions.removeAll()
        events.removeAll()
    }

    public func requestStableEnds(_ splits: Set<Split>) {
        var ends: [Split: Position] = [:]
        for split in splits { ends[split] = cluster.stableEnd(split) }
        events.append(.stableEnds(ends))
        onReady?()
    }

    public func poll(bytesMax: Int) -> ChangelogEvent? {
        guard let first = events.first else { return nil }
        if case .records = first, bytesMax == 0 { return nil }
        return events.removeFirst()
    }

    public func close(within: Duration) {
        stop()
        isClosed = true
    }

    // MARK: - The world

    public var hasWork: Bool { !isClosed && !readable.isEmpty }

    /// Partitions of which something new can be told.
    private var readable: [Split] {
        positions.keys.filter { split in
            let position = positions[split] ?? 0
            let stable = cluster.stableEnd(split)
            if position < stable { return true }
            // A transaction that is open holds up the end.
            let end = mode == .toEnd ? ends[split] ?? 0 : stable
            return position >= end && told[split] != end
        }.sorted()
    }

    public func act() {
        let choices = readable
        let split = choices[Int(random.next() % UInt64(choices.count))]
        let stable = cluster.stableEnd(split)
        let end = mode == .toEnd ? ends[split] ?? 0 : stable
        let from = Int((positions[split] ?? 0).number)
        let to = min(Int(max(stable, Position(Int64(from))).number), from + 1 + Int(random.next() % 5))
        let block = RecordBlock(topics: [split.topic])
        for offset in from..<to {
            guard let change = cluster.committedChange(split, offset) else { continue }
            block.slots.append(
                RecordSlot(
                    key: block.arena.append(contentsOf: change.key),
                    value: change.value.map { block.arena.append(contentsOf: $0) } ?? .null, offset: Int64(offset),
                    partition: split.partition.number))
        }
        positions[split] = Position(Int64(to))
        if !block.isEmpty { events.append(.records(block)) }
        if to >= Int(end.number) {
            told[split] = end
            events.append(.reachedEnd(split, Position(Int64(to))))
            if mode == .toEnd { positions[split] = nil }
        }
        onReady?()
    }
}
