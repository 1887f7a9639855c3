package import StreamCore

/// The state of one operator in one task: its tables and panes, the epoch they are at, and how far their changelog is
/// contained in them.
///
/// An epoch is: changes, `seal` (its block goes into the epoch's transaction), `commit`. The next epoch may be open or
/// sealed while one commits. Whatever happens, `recover` tells what to read from the changelog so that the state is
/// that of a committed epoch again. Confined to its task's thread.
package final class OperatorState {
    package let topic: TopicName
    /// The epoch whose committed state this is; nil when that is not known.
    package internal(set) var stateEpoch: Epoch?

    let query: QueryName
    let operatorID: OperatorID
    let layout: ShardLayout
    let clock: any EngineClock
    /// Whether a shard is this task's.
    let isOwned: [Bool]
    /// By id, in rising order: the order in which changes are written is the same in every run.
    var members: [any StateMember] = []
    var partitions: [Split: ChangelogPlace] = [:]
    /// Sealed, not yet committed.
    var sealedEpochs: [SealedEpoch] = []
    var pendingEnds: [PendingEnds] = []
    /// When the reading that `recover` asked for began.
    var readingSinceMs: Int64?
    /// Changes that were applied since, towards a committed epoch; nil: this follows another instance, or nothing is
    /// being read.
    var restoredChanges: Int?
    /// From so many changes of a restore on they are collected for the disk.
    let collectingFrom: Int
    /// For tests alone.
    package var breakages: ProtocolBreakage = []
    /// What the changelog is known to say about its tables.
    var schemas: Set<SchemaPlace> = []

    /// The part on the disk; nil: memory has everything.
    let local: LocalOperator?
    /// What was found there, until `prepare` has looked at it.
    var storedRecords: [Int: ShardRecord] = [:]
    /// Why the disk could not be read.
    var openFailure: (any Error)?

    /// - Parameters:
    ///   - task: of `taskCount`: whose shards this holds.
    ///   - local: where committed state is kept too, and values that memory has no room for.
    ///   - cacheBytes: with `local`, about what the tables keep of committed state in memory.
    ///   - collectingFrom: so many changes in one restore come to the disk in files of their own. (All do where it has
    ///     nothing yet.)
    ///   - clock: for the age of what is known about the changelog.
    package init(
        query: QueryName, operatorID: OperatorID, layout: ShardLayout, task: Int, taskCount: Int,
        local store: LocalStore? = nil, cacheBytes: Int = 64 << 20, collectingFrom: Int = 50_000,
        clock: any EngineClock
    ) {
        precondition(task >= 0 && task < taskCount, "a task is one of them")
        self.collectingFrom = collectingFrom
        self.query = query
        self.operatorID = operatorID
        self.layout = layout
        self.clock = clock
        topic = TopicName("\(query)-\(operatorID)-changelog")
        isOwned = (0..<layout.shards).map { layout.task(ofShard: $0, taskCount: taskCount) == task }
        local = store.map {
            LocalOperator(
                $0, operatorID, layout, shards: layout.shards(ofTask: task, taskCount: taskCount),
                cacheBytes: cacheBytes)
        }
        let now = clock.wallMilliseconds
        for shard in isOwned.indices where isOwned[shard] {
            partitions[split(ofShard: shard)] = ChangelogPlace(position: 0, knownMs: now)
        }
        openLocal()
    }

    // MARK: - Tables

    /// The table with this id, made here; before the first recovery.
    package func table<Key: Hashable & StateCodable, Value: StateCodable>(
        id: UInt8, _ key: Key.Type = Key.self, _ value: Value.Type = Value.self
    ) -> StateTable<Key, Value> {
        let table = StateTable<Key, Value>(id: id)
        register(table)
        return table
    }

    /// The panes with this id, made here; before the first recovery.
    package func panes<Element: StateCodable>(
        id: UInt8, _ element: Element.Type = Element.self
    ) -> PaneStore<Element> {
        let panes = PaneStore<Element>(id: id)
        register(panes)
        return panes
    }

    /// The ordered table with this id, made here; before the first recovery.
    package func orderedTable(id: UInt8) -> OrderedTable {
        let table = OrderedTable(id: id, layout: layout)
        register(table)
        return table
    }

    /// Whether `rowCount` is right: after a long restore it is when some more epochs have been committed.
    package var isCounted: Bool { local?.needsCount != true }
    /// Keys with a value and elements of panes.
    package var rowCount: Int { members.reduce(0) { $0 + $1.rowCount } }
    /// About what the state costs in memory.
    package var byteSize: Int { members.reduce(0) { $0 + $1.byteSize } }

    // MARK: - Epochs

    /// Closes the open epoch and gives its changes for the epoch's transaction; nil when there are none.
    /// - Throws: `STATE_ENCODING`, `STATE_TOO_LARGE`; then `recover` is the way on.
    package func seal(_ epoch: Epoch) throws -> RecordBlock? {
        try prepare()
        let writer = ChangelogWriter(topic: topic, layout: layout)
        let missing = missingSchemas()
        for place in missing {
            guard let member = member(place.table) else { continue }
            try writer.append(schema: member.schema(layout), table: place.table, partition: place.partition)
        }
        let schemaCount = writer.block.count
        for member in members { try member.seal(epoch, into: writer) }
        let hasChanges = writer.block.count > schemaCount
        var sealed = SealedEpoch(epoch: epoch, schemas: hasChanges ? missing : [])
        if local != nil {
            sealed.block = hasChanges ? writer.block : nil
            sealed.rows = writer.rows
        }
        sealedEpochs.append(sealed)
        return hasChanges ? writer.block : nil
    }

    /// `epoch` and those before it are durable. Repeats do nothing; an epoch that had nothing to do here raises
    /// `stateEpoch` like any other, once that is known.
    /// - Throws: `STATE_STORE` where the disk does not take it; then nothing is committed here.
    package func commit(_ epoch: Epoch) throws {
        let isSealedHere = sealedEpochs.contains { $0.epoch <= epoch }
        // An epoch of an attempt that was undone here, told late: the changelog says what became of it.
        guard isSealedHere || stateEpoch != nil else { return }
        let newEpoch = max(stateEpoch ?? epoch, epoch)
        if stateEpoch != newEpoch || isSealedHere {
            try writeLocal(epoch, stateEpoch: newEpoch)
        }
        for member in members { member.commit(epoch) }
        while let first = sealedEpochs.first, first.epoch <= epoch {
            schemas.formUnion(first.schemas)
            sealedEpochs.removeFirst()
        }
        stateEpoch = newEpoch
        for pending in pendingEnds where pending.inFlight <= epoch { raise(pending.ends, knownMs: pending.knownMs) }
        pendingEnds.removeAll { $0.inFlight <= epoch }
        try continueCounting()
    }

    /// Undoes what was changed since the last seal.
    package func rollbackOpen() {
        if breakages.contains(.stateNotRolledBack) || breakages.contains(.undoJournalLost) { return }
        for member in members { member.rollbackOpen() }
    }

    // MARK: -

    private func register(_ member: any StateMember) {
        precondition(member.id != ChangelogKey.schemaTable, "the last id is reserved")
        precondition(self.member(member.id) == nil, "an id is given once")
        attachLocal(member)
        members.append(member)
        members.sort { $0.id < $1.id }
    }

    func member(_ id: UInt8) -> (any StateMember)? { members.first { $0.id == id } }

    func split(ofShard shard: Int) -> Split {
        Split(topic, PartitionID(Int32(layout.partition(ofShard: shard))))
    }

    /// What no committed or sealed epoch has written yet.
    private func missingSchemas() -> [SchemaPlace] {
        let known = sealedEpochs.reduce(schemas) { $0.union($1.schemas) }
        return partitions.keys.sorted().flatMap { split in
            members.map { SchemaPlace(partition: Int(split.partition.number), table: $0.id) }
        }.filter { !known.contains($0) }
    }

    /// Everything below these ends is contained in the state.
    func raise(_ ends: [Split: Position], knownMs: Int64) {
        for (split, end) in ends {
            guard let place = partitions[split], end >= place.position else { continue }
            partitions[split] = ChangelogPlace(position: end, knownMs: max(place.knownMs, knownMs))
        }
    }
}

/// How far a changelog partition is contained in the state.
struct ChangelogPlace: Hashable {
    /// The state has every change below; 0 with an empty state where nothing is known.
    var position: Position
    /// A deletion that stands behind `position` was written, or could first have been compacted, at this time or later.
    var knownMs: Int64
}

/// Where a schema record is or goes.
struct SchemaPlace: Hashable {
    var partition: Int
    var table: UInt8
}

struct SealedEpoch {
    var epoch: Epoch
    /// The records about tables that its block has.
    var schemas: [SchemaPlace]
    /// What goes to the disk when it is committed; the block is then only read.
    var block: RecordBlock?
    var rows: [RowPlace: Int] = [:]

    init(epoch: Epoch, schemas: [SchemaPlace]) {
        self.epoch = epoch
        self.schemas = schemas
    }
}

/// Ends that count as soon as an epoch is committed.
struct PendingEnds {
    var ends: [Split: Position]
    var inFlight: Epoch
    var knownMs: Int64
}
