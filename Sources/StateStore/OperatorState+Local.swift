internal import StreamCore

/// What an operator's state has on the disk: committed epochs, each written at once with what is known of its shards.
extension OperatorState {
    /// Takes epoch and places from the disk. What cannot be read is told by the first call that may throw.
    func openLocal() {
        guard let local else { return }
        do {
            let records = try local.records()
            storedRecords = records
            guard !records.isEmpty else { return }
            for (split, place) in partitions {
                let shards = local.shards.filter { self.split(ofShard: $0) == split }
                // A shard that was never here has to be read from the beginning.
                let places = shards.map { records[$0]?.place ?? ChangelogPlace(position: 0, knownMs: place.knownMs) }
                partitions[split] = ChangelogPlace(
                    position: places.map(\.position).min() ?? 0,
                    knownMs: places.map(\.knownMs).min() ?? place.knownMs)
            }
            let epochs = Set(local.shards.map { records[$0]?.epoch })
            if epochs.count == 1, let epoch = epochs.first { stateEpoch = epoch }
            for (shard, record) in records {
                for (table, count) in record.rows {
                    if count < 0 { local.needsCount = true }
                    local.rows[RowPlace(shard: shard, table: table)] = abs(count)
                }
            }
        } catch {
            openFailure = error
        }
    }

    /// Gives a new member what the disk has of it.
    func attachLocal(_ member: any StateMember) {
        guard let local, openFailure == nil else { return }
        do {
            for record in storedRecords.values {
                if let schema = record.schemas[member.id] { try check(schema, of: member, table: member.id) }
            }
            try member.attach(local)
        } catch {
            openFailure = error
        }
    }

    /// Before the first use: tells what could not be read, and sees that the program has every table of the disk.
    func prepare() throws {
        if let openFailure { throw openFailure }
        for record in storedRecords.values {
            for (table, schema) in record.schemas { try check(schema, of: member(table), table: table) }
        }
        storedRecords = [:]
    }

    /// Writes the sealed epochs up to this one.
    func writeLocal(_ epoch: Epoch, stateEpoch: Epoch) throws {
        guard let local else { return }
        let batch = LocalBatch()
        let rowsBefore = local.rows
        for sealed in sealedEpochs where sealed.epoch <= epoch {
            for (place, change) in sealed.rows { local.note(change, at: place) }
            guard let block = sealed.block else { continue }
            for place in LocalChanges.sorted(block.slots.indices, of: block) {
                let slot = block.slots[place]
                // Safety: the bytes are copied before the block changes.
                let key = unsafe block.arena.bytes(slot.key)
                guard key.count >= 3, unsafe key[0] != ChangelogKey.schemaTable else { continue }
                unsafe local.put(
                    change: key, slot.value.isNull ? nil : block.arena.bytes(slot.value), in: batch)
            }
        }
        do {
            try writeLocal(batch, epoch: stateEpoch)
        } catch {
            local.rows = rowsBefore
            throw error
        }
    }

    /// Writes a batch with what is known of the shards.
    func writeLocal(_ batch: LocalBatch, epoch: Epoch?) throws(StreamError) {
        guard let local else { return }
        for (shard, record) in records(epoch) { local.put(record, shard: shard, in: batch) }
        try local.write(batch)
    }

    /// Begins to write what a restore has collected.
    func writeCollected() throws {
        try local?.writeCollected { records(nil) }
    }

    /// What is known of each of this task's shards.
    private func records(_ epoch: Epoch?) -> [(shard: Int, record: ShardRecord)] {
        guard let local else { return [] }
        let schemas = Dictionary(uniqueKeysWithValues: members.map { ($0.id, $0.schema(layout)) })
        return local.shards.compactMap { shard in
            guard let place = partitions[split(ofShard: shard)] else { return nil }
            var rows: [UInt8: Int] = [:]
            for table in schemas.keys {
                let count = local.rows[RowPlace(shard: shard, table: table)] ?? 0
                // Panes are counted by nobody, and may come out below nothing here.
                rows[table] = local.needsCount ? -1 : max(0, count)
            }
            return (shard, ShardRecord(epoch: epoch, place: place, rows: rows, schemas: schemas))
        }
    }

    /// Removes a partition's shards from the disk.
    func clearLocal(_ split: Split) throws {
        guard let local else { return }
        try writeCollected()
        try local.finishCollected()
        let batch = LocalBatch()
        for shard in local.shards where self.split(ofShard: shard) == split { local.remove(shard: shard, in: batch) }
        try writeLocal(batch, epoch: nil)
        countLocal()
    }

    /// Gives the tables the numbers of their keys.
    func countLocal() {
        guard let local else { return }
        for member in members { member.noteRows(local.rowCount(table: member.id), isExact: !local.needsCount) }
    }

    /// Goes on counting what was restored, a few milliseconds at a time.
    func continueCounting() throws {
        guard let local, local.needsCount else { return }
        let before = members.map { local.rowCount(table: $0.id) }
        // In ten thousand commits at most, since the pass holds on to files that were merged meanwhile.
        guard try local.count(max(3_000, before.reduce(0, +) / 10_000)) else { return }
        for (member, count) in zip(members, before) { member.correctRows(by: local.rowCount(table: member.id) - count) }
    }
}

/// Changes of a changelog on their way to the disk: the newest of each key in one block.
struct LocalChanges {
    /// Places in the block.
    private var newest: [Int] = []
    private var index = KeyIndex()

    mutating func note(_ place: Int, in block: RecordBlock) {
        // Safety: the block does not change while it is applied.
        let key = unsafe block.arena.bytes(block.slots[place].key)
        let hash = KeyIndex.part(unsafe StableHash.hash(key))
        let found = index.find(hash) {
            unsafe ByteOrder.compare(key, block.arena.bytes(block.slots[newest[$0]].key)) == 0
        }
        if let found {
            newest[found] = place
        } else {
            index.insert(hash, slot: newest.count)
            newest.append(place)
        }
    }

    /// Puts the changes into a batch and counts keys that are new or gone.
    func put(of block: RecordBlock, in batch: LocalBatch, _ local: LocalOperator) throws(StreamError) {
        for place in Self.sorted(newest, of: block) {
            let slot = block.slots[place]
            // Safety: the block does not change meanwhile.
            let key = unsafe block.arena.bytes(slot.key)
            if unsafe try local.contains(change: key) == slot.value.isNull {
                let place = unsafe RowPlace(shard: ChangelogKey.shard(key), table: key[0])
                local.note(slot.value.isNull ? -1 : 1, at: place)
            }
            unsafe local.put(change: key, slot.value.isNull ? nil : block.arena.bytes(slot.value), in: batch)
        }
    }
}

extension LocalChanges {
    /// - Parameter places: of changes in the block, in their order; equal keys stay in it.
    /// - Returns: the places in the order in which the disk has their keys.
    static func sorted(_ places: some Sequence<Int>, of block: RecordBlock) -> [Int] {
        // Safety: the block does not change meanwhile.
        ByteOrder.sorted(places) { place in
            // A change's key has the table in front of the shard's two bytes.
            let bytes = unsafe ByteOrder.start(block.arena.bytes(block.slots[place].key))
            return bytes << 8 & 0xffff_0000_0000_0000 | bytes >> 16 & 0x0000_ff00_0000_0000
                | bytes & 0x0000_00ff_ffff_ffff
        } compare: { one, other in
            unsafe ByteOrder.compare(
                block.arena.bytes(block.slots[one].key), block.arena.bytes(block.slots[other].key))
        }
    }
}
