public import CommitProtocol
public import StreamCore

/// A Kafka-like input over a `SimulatedCluster`: hands out its splits, gives records in pieces that a seed decides, and
/// can be told to rebalance.
public final class SimulatedInput: InputPort, WorldActor {
    public let name = "input"
    public var onReady: (@Sendable () -> Void)?
    private let cluster: SimulatedCluster
    private var random: StableRandom
    private var events: [InputEvent] = []
    private var pendingEvents: [InputEvent] = []
    private var positions: [Split: Position] = [:]
    private var endsTold: [Split: Position] = [:]
    private var paused: Set<Split> = []
    public private(set) var owned: Set<Split> = []
    /// Losses that were not answered yet: a group assigns nothing of them anew before.
    public private(set) var lost: Set<Split> = []
    public private(set) var isStarted = false
    public private(set) var isClosed = false
    /// A source without a group (as files are): what was released can be opened again. Splits are told of one by one.
    public var isGroupless = false
    /// Somebody else says what is assigned, and hears here what was given back.
    public var isCoordinated = false
    public var onRelease: (Set<Split>) -> Void = { _ in }
    /// So many blocks at a time; then the next ones are on their way for a moment. nil: everything is at hand.
    public var blocksAtHandMax: Int?
    private var blocksTaken = 0
    /// Splits that this source has; nil: all of the cluster.
    public var topic: TopicName?
    /// Every split that was read since it was assigned, for checks.
    public private(set) var releasedCount = 0

    public init(_ cluster: SimulatedCluster, seed: UInt64) {
        self.cluster = cluster
        random = StableRandom(seed: seed)
    }

    // MARK: - InputPort

    public func start() { isStarted = true }

    public func poll(bytesMax: Int) -> InputEvent? {
        if !events.isEmpty { return events.removeFirst() }
        guard bytesMax > 0, blocksTaken < blocksAtHandMax ?? .max, let event = nextRecords() else { return nil }
        if case .records = event { blocksTaken += 1 }
        return event
    }

    public func open(_ positions: [Split: Position]) {
        for (split, position) in positions where owned.contains(split) {
            self.positions[split] = position
            endsTold[split] = nil
        }
    }

    public func release(_ splits: Set<Split>) {
        if !isGroupless { owned.subtract(splits) }
        lost.subtract(splits)
        for split in splits { positions[split] = nil }
        releasedCount += splits.count
        onRelease(splits)
    }

    public func pause(_ splits: Set<Split>) { paused.formUnion(splits) }
    public func resume(_ splits: Set<Split>) { paused.subtract(splits) }

    public func resolve(_ starts: [Split: StartPosition]) {
        var resolved: [Split: Position] = [:]
        for (split, start) in starts {
            switch start {
            case .earliest, .timestamp: resolved[split] = cluster.logStarts[split] ?? 0
            case .latest: resolved[split] = end(of: split)
            case .position(let position): resolved[split] = position
            }
        }
        pendingEvents.append(.resolved(resolved))
    }

    public func requestEnds(_ splits: Set<Split>) {
        var ends: [Split: Position] = [:]
        for split in splits { ends[split] = end(of: split) }
        pendingEvents.append(.ends(ends))
    }

    public func close(within: Duration) { isClosed = true }

    // MARK: - The world

    public var hasWork: Bool {
        guard isStarted, !isClosed else { return false }
        if blocksTaken >= blocksAtHandMax ?? .max { return true }
        if isGroupless { return !pendingEvents.isEmpty || owned != mySplits }
        if isCoordinated { return !pendingEvents.isEmpty }
        return !pendingEvents.isEmpty || (owned.isEmpty && !cluster.input.isEmpty && assigned.isEmpty)
    }

    private var assigned: Set<Split> = []

    private var mySplits: Set<Split> { Set(cluster.input.keys.filter { topic == nil || $0.topic == topic }) }

    public func act() {
        blocksTaken = 0
        if isGroupless, let next = mySplits.subtracting(owned).min() { return assign([next]) }
        if !isCoordinated, assigned.isEmpty, owned.isEmpty { return assign(Set(cluster.input.keys)) }
        if !pendingEvents.isEmpty { events.append(pendingEvents.removeFirst()) }
        onReady?()
    }

    public func assign(_ splits: Set<Split>) {
        let new = splits.subtracting(owned).subtracting(lost)
        guard !new.isEmpty else { return }
        assigned.formUnion(new)
        owned.formUnion(new)
        events.append(.assigned(new))
        onReady?()
    }

    /// The group wants these back; they are ours until `release`.
    public func revoke(_ splits: Set<Split>) {
        let mine = splits.intersection(owned)
        guard !mine.isEmpty else { return }
        assigned.subtract(mine)
        events.append(.revoking(mine))
        onReady?()
    }

    /// The session is over: nothing can be committed with the old generation.
    public func lose(_ splits: Set<Split>) {
        let mine = splits.intersection(owned)
        guard !mine.isEmpty else { return }
        assigned.subtract(mine)
        owned.subtract(mine)
        lost.formUnion(mine)
        events.append(.lost(mine))
        onReady?()
    }

    private func end(of split: Split) -> Position { Position(Int64(cluster.input[split]?.count ?? 0)) }

    private func nextRecords() -> InputEvent? {
        let readable = positions.filter { split, position in
            !paused.contains(split) && (position < end(of: split) || endsTold[split] != position)
        }.keys.sorted()
        guard !readable.isEmpty else { return nil }
        let split = readable[Int(random.next() % UInt64(readable.count))]
        let position = positions[split] ?? 0
        let values = cluster.input[split] ?? []
        if let logStart = cluster.logStarts[split], position < logStart {
            positions[split] = nil
            return .dataLoss(split, at: position, next: logStart)
        }
        let start = Int(position.number)
        guard start < values.count else {
            if endsTold[split] == position { return nil }
            endsTold[split] = position
            return .reachedEnd(split, position)
        }
        let stop = min(values.count, start + 1 + Int(random.next() % 4))
        let block = RecordBlock(topics: [split.topic])
        for offset in start..<stop {
            guard let value = values[offset] else { continue }
            block.slots.append(
                RecordSlot(
                    value: block.arena.append(value), offset: Int64(offset), timestamp: 0, topic: 0,
                    partition: split.partition.number, timestampType: .createTime))
        }
        positions[split] = Position(Int64(stop))
        return block.isEmpty ? .reachedEnd(split, Position(Int64(stop))) : .records(block)
    }
}
