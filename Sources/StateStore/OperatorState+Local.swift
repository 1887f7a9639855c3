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
            for index in block.slots.indices {
                guard let bytes = block.key(index), bytes.first != ChangelogKey.schemaTable else { continue }
                let key = try ChangelogKey(bytes)
                local.put(block.value(index), shard: key.shard, table: key.table, key: key.key, in: batch)
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
        let schemas = Dictionary(uniqueKeysWithValues: members.map { ($0.id, $0.schema(layout)) })
        for shard in local.shards {
            guard let place = partitions[split(ofShard: shard)] else { continue }
            var rows: [UInt8: Int] = [:]
            for table in schemas.keys { rows[table] = local.rows[RowPlace(shard: shard, table: table)] }
            local.put(ShardRecord(epoch: epoch, place: place, rows: rows, schemas: schemas), shard: shard, in: batch)
        }
        try local.write(batch)
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

/// Changes of a changelog on their way to the disk: the newest of each key, for one batch.
struct LocalChanges {
    struct Key: Hashable {
        var shard: Int
        var table: UInt8
        var bytes: ArraySlice<UInt8>
    }

    private var values: [Key: [UInt8]?] = [:]

    mutating func note(_ key: ChangelogKey, _ value: [UInt8]?) {
        values[Key(shard: key.shard, table: key.table, bytes: key.key)] = .some(value)
    }

    /// Puts the changes into a batch and counts keys that are new or gone.
    func put(in batch: LocalBatch, _ local: LocalOperator) throws(StreamError) {
        for (key, value) in values {
            let had = try local.contains(shard: key.shard, table: key.table, key: key.bytes)
            if had != (value != nil) {
                local.rows[RowPlace(shard: key.shard, table: key.table), default: 0] += had ? -1 : 1
            }
            local.put(value, shard: key.shard, table: key.table, key: key.bytes, in: batch)
        }
    }
}
