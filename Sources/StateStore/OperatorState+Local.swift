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
            local.needsCount = epochs.contains(nil)
            if epochs.count == 1, let epoch = epochs.first { stateEpoch = epoch }
            for (shard, record) in records {
                for (table, count) in record.rows { local.rows[RowPlace(shard: shard, table: table)] = count }
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
            local.rows.merge(sealed.rows, uniquingKeysWith: +)
            guard let block = sealed.block else { continue }
            for place in LocalOrder.sorted(block.slots.indices, of: block) {
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
    /// - Parameter isLogged: false where what is lost would be read again.
    func writeLocal(_ batch: LocalBatch, epoch: Epoch?, isLogged: Bool = true) throws(StreamError) {
        guard let local else { return }
        let schemas = Dictionary(uniqueKeysWithValues: members.map { ($0.id, $0.schema(layout)) })
        for shard in local.shards {
            guard let place = partitions[split(ofShard: shard)] else { continue }
            var rows: [UInt8: Int] = [:]
            for table in schemas.keys { rows[table] = local.rows[RowPlace(shard: shard, table: table)] }
            local.put(ShardRecord(epoch: epoch, place: place, rows: rows, schemas: schemas), shard: shard, in: batch)
        }
        try local.write(batch, isLogged: isLogged)
    }

    /// Removes a partition's shards from the disk.
    func clearLocal(_ split: Split) throws {
        guard let local else { return }
        let batch = LocalBatch()
        for shard in local.shards where self.split(ofShard: shard) == split { local.remove(shard: shard, in: batch) }
        try writeLocal(batch, epoch: nil)
        countLocal()
    }

    /// Gives the tables the numbers of their keys.
    func countLocal() {
        guard let local else { return }
        for member in members { member.noteRows(local.rowCount(table: member.id)) }
    }
}

/// Changes of a changelog on their way to the disk: the newest of each key in one block.
struct LocalChanges {
    /// Places in the block.
    private var newest: [Int] = []
    private var index = KeyIndex()

    var count: Int { newest.count }

    mutating func note(_ place: Int, in block: RecordBlock) {
        // Safety: the block does not change while it is applied.
        let key = unsafe block.arena.bytes(block.slots[place].key)
        // The half that does not decide the shard.
        let hash = UInt32(truncatingIfNeeded: unsafe StableHash.hash(key) &>> 32)
        let found = index.find(hash) { unsafe key.elementsEqual(block.arena.bytes(block.slots[newest[$0]].key)) }
        if let found {
            newest[found] = place
        } else {
            index.insert(hash, slot: newest.count)
            newest.append(place)
        }
    }

    /// Puts the changes into a batch and counts keys that are new or gone. While many are restored, nobody looks
    /// whether a key is there already, which would take twice as long as writing it: all are counted in the end.
    func put(of block: RecordBlock, in batch: LocalBatch, _ local: LocalOperator) throws(StreamError) {
        if local.isRestoring { local.needsCount = true }
        for place in LocalOrder.sorted(newest, of: block) {
            let slot = block.slots[place]
            // Safety: the block does not change meanwhile.
            let key = unsafe block.arena.bytes(slot.key)
            // Counted like this there are too many, never none where there are some.
            let had = unsafe local.isRestoring ? false : try local.contains(change: key)
            if had == slot.value.isNull {
                let rows = unsafe RowPlace(shard: ChangelogKey.shard(key), table: key[0])
                local.rows[rows, default: 0] += had ? -1 : 1
            }
            unsafe local.put(change: key, slot.value.isNull ? nil : block.arena.bytes(slot.value), in: batch)
        }
    }
}

/// The order in which the disk has keys. RocksDB takes a batch in this order in half the time: each key is looked for
/// from where the one before it went.
enum LocalOrder {
    private struct Entry {
        /// Of the stored key: shard, table and the first bytes of the key.
        var start: UInt64
        var place: Int
    }

    /// - Parameter places: of changes in the block, in their order; equal keys stay in it.
    static func sorted(_ places: some Sequence<Int>, of block: RecordBlock) -> [Int] {
        var entries = places.map { place in
            // Safety: the block does not change meanwhile.
            Entry(start: unsafe start(block.arena.bytes(block.slots[place].key)), place: place)
        }
        entries.sort { one, other in
            if one.start != other.start { return one.start < other.start }
            let order = unsafe compare(
                block.arena.bytes(block.slots[one.place].key), block.arena.bytes(block.slots[other.place].key))
            return order == 0 ? one.place < other.place : order < 0
        }
        return entries.map(\.place)
    }

    private static func start(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var bytes: UInt64 = 0
        for at in 0..<8 { bytes = bytes << 8 | UInt64(unsafe at < key.count ? key[at] : 0) }
        // The change's key has the table in front of the shard's two bytes.
        return bytes << 8 & 0xffff_0000_0000_0000 | bytes >> 16 & 0x0000_ff00_0000_0000 | bytes & 0x0000_00ff_ffff_ffff
    }

    /// As memcmp, and the shorter one first.
    private static func compare(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Int {
        let count = min(one.count, other.count)
        for at in 0..<count where unsafe one[at] != other[at] { return unsafe one[at] < other[at] ? -1 : 1 }
        return one.count - other.count
    }
}
