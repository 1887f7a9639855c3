internal import StreamCore

/// The part of a `LocalStore` that one operator has in one task.
///
/// Keys are the operator's id with its length, the shard (two bytes, big endian), the table and the key's bytes, so
/// that a shard can move to another task as it is; values are those of the changelog. Beside them, as the last "table"
/// of each shard, is its `ShardRecord`.
final class LocalOperator {
    let layout: ShardLayout
    /// This task's.
    let shards: [Int]
    /// Keys with a value, by shard and table; written with each change.
    var rows: [RowPlace: Int] = [:]
    /// What the tables keep in memory together.
    let cache: CacheBudget

    let store: LocalStore
    /// Of all its keys.
    let prefix: [UInt8]
    /// The key that is asked for or written: one array for all.
    @safe @exclusivity(unchecked) private var scratch: [UInt8]
    /// Changes of a long restore that are not on the disk yet: they become a file. By shard, table and key.
    private var collected = EncodedRows(keepsDeletions: true)
    /// What was collected before that and is being written; or could not be written, and comes first the next time.
    private var older: (file: CollectedRows, writing: BackgroundWrite?)?
    /// Whether changes are collected.
    private(set) var isRestoring = false
    /// `rows` is about right: what was restored was not counted.
    var needsCount = false
    private var counting: RowCounting?

    init(_ store: LocalStore, _ operatorID: OperatorID, _ layout: ShardLayout, shards: [Int], cacheBytes: Int) {
        self.store = store
        self.layout = layout
        self.shards = shards
        cache = CacheBudget(limit: cacheBytes)
        var writer = StateWriter()
        writer.append(nested: operatorID.text)
        prefix = writer.bytes
        scratch = prefix
    }

    /// So many keys are new, or gone.
    func note(_ change: Int, at place: RowPlace) {
        rows[place, default: 0] += change
        counting?.changes[place, default: 0] += change
    }

    func rowCount(table: UInt8) -> Int { rows.reduce(0) { $0 + ($1.key.table == table ? $1.value : 0) } }

    // MARK: - Reading

    /// The stored value of a key without its version.
    /// - Parameter key: encoded.
    func value(table: UInt8, key: [UInt8]) throws(StreamError) -> ArraySlice<UInt8>? {
        let shard = layout.shard(ofKeyHash: StableHash.hash(key))
        guard let value = try store.value(for: self.key(shard, table, key[...])) else { return nil }
        return try ChangelogKey.value(value)
    }

    /// - Parameter key: of a change, as `ChangelogWriter` lays it out.
    func contains(change key: UnsafeRawBufferPointer) throws(StreamError) -> Bool {
        unsafe fill(key)
        return try store.contains(scratch)
    }

    /// Goes on counting what the tables really have, where that is not known.
    /// - Parameter keysMax: at most so many now.
    /// - Returns: whether all are counted now and `rows` is right.
    func count(_ keysMax: Int) throws -> Bool {
        guard needsCount else { return false }
        if counting == nil { counting = RowCounting(scan: try store.scan(), shards: shards[...]) }
        var left = keysMax
        while let shard = counting?.shards.first, left > 0 {
            let start = Array(key(shard, 0, []).dropLast())
            if counting?.isInShard == false { counting?.scan.seek(start) }
            counting?.isInShard = true
            var found: [UInt8: Int] = [:]
            let mayGoOn = try unsafe counting?.scan.next(left, prefix: start) { rest, _ in
                left -= 1
                if let table = unsafe rest.first { found[table, default: 0] += 1 }
            }
            for (table, count) in found where table != ChangelogKey.schemaTable {
                counting?.changes[RowPlace(shard: shard, table: table), default: 0] += count
            }
            guard mayGoOn == false else { continue }
            counting?.shards.removeFirst()
            counting?.isInShard = false
        }
        guard let counting, counting.shards.isEmpty else { return false }
        rows = counting.changes
        endCounting()
        needsCount = false
        return true
    }

    /// What was counted is of no use any more.
    private func endCounting() {
        counting?.scan.close()
        counting = nil
    }

    /// Everything that a table has, in the order of shards and of the bytes of keys; values without their version.
    func forEachEntry(
        table: UInt8, _ body: (_ shard: Int, ArraySlice<UInt8>, ArraySlice<UInt8>) throws -> Void
    ) throws {
        for shard in shards {
            try store.forEachEntry(prefix: key(shard, table, [])) { key, value in
                try body(shard, key[...], ChangelogKey.value(value))
            }
        }
    }

    /// What is known of each shard that has been here before.
    func records() throws -> [Int: ShardRecord] {
        var result: [Int: ShardRecord] = [:]
        for shard in shards {
            guard let bytes = try store.value(for: key(shard, ChangelogKey.schemaTable, [])) else { continue }
            var reader = StateReader(bytes)
            result[shard] = try ShardRecord(from: &reader)
        }
        return result
    }

    // MARK: - Writing

    /// - Parameters:
    ///   - key: of a change, as `ChangelogWriter` lays it out.
    ///   - value: nil deletes.
    func put(change key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?, in batch: LocalBatch) {
        unsafe fill(key)
        if let value = unsafe value { unsafe batch.put(scratch, value) } else { batch.remove(scratch) }
    }

    /// A change's key has the table first; here the shard comes first, so that a shard's keys lie together.
    private func fill(_ key: UnsafeRawBufferPointer) {
        scratch.removeLast(scratch.count - prefix.count)
        unsafe scratch.append(key[1])
        unsafe scratch.append(key[2])
        unsafe scratch.append(key[0])
        unsafe scratch.append(contentsOf: key[3...])
    }

    func put(_ record: ShardRecord, shard: Int, in batch: LocalBatch) {
        batch.put(key(shard, ChangelogKey.schemaTable, []), record.bytes)
    }

    /// Removes everything of a shard.
    func remove(shard: Int, in batch: LocalBatch) {
        batch.removeRange(
            key(shard, 0, []), key(shard, ChangelogKey.schemaTable, [0]))
        rows = rows.filter { $0.key.shard != shard }
        endCounting()
        if rows.isEmpty { needsCount = false }
    }

    func write(_ batch: LocalBatch) throws(StreamError) { try store.write(batch) }

    // MARK: - Restoring

    /// So many changes come that collecting them pays, though all keys have to be counted later.
    func beginRestoring() throws(StreamError) {
        guard !isRestoring else { return }
        try store.beginRestoring()
        isRestoring = true
    }

    /// What was collected is on the disk.
    func endRestoring() throws(StreamError) {
        guard isRestoring else { return }
        assert(collected.isEmpty && older == nil, "what is collected is written first")
        isRestoring = false
        try store.endRestoring()
    }

    /// Whether it is time to write what was collected.
    var hasCollectedFile: Bool { collected.byteSize >= store.fileBytes }

    /// - Parameters:
    ///   - key: of a change, as `ChangelogWriter` lays it out.
    ///   - value: nil deletes.
    func collect(change key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        unsafe fill(key)
        unsafe collect(scratch, value)
    }

    /// - Parameter key: with the prefix, which all have in common.
    private func collect(_ key: [UInt8], _ value: UnsafeRawBufferPointer?) {
        unsafe key.withUnsafeBytes {
            unsafe collected.put(UnsafeRawBufferPointer(rebasing: $0[prefix.count...]), value)
        }
    }

    /// Begins to write what was collected, and what is known of the shards with it, once what was begun before is
    /// written: a file may only be there when all older ones are.
    /// - Throws: why an older one could not be written; then nothing has changed, and this may be tried again.
    func writeCollected(_ records: () -> [(shard: Int, record: ShardRecord)]) throws {
        try finishCollected()
        guard !collected.isEmpty else { return }
        endCounting()
        // Nobody looks whether a key is there already, which would take longer than writing it.
        if rows.values.contains(where: { $0 != 0 }) { needsCount = true }
        unsafe collected.forEachKey { key, isDeletion in
            guard unsafe !isDeletion && key[2] != ChangelogKey.schemaTable else { return }
            let place = unsafe RowPlace(shard: Int(key[0]) << 8 | Int(key[1]), table: key[2])
            rows[place, default: 0] += 1
        }
        for (shard, record) in records() {
            let key = key(shard, ChangelogKey.schemaTable, [])
            unsafe record.bytes.withUnsafeBytes { unsafe collect(key, $0) }
        }
        let file = CollectedRows(rows: collected)
        older = (file, store.write(inBackground: { [store, prefix] in try store.add(file.rows, prefix: prefix) }))
        collected = EncodedRows(keepsDeletions: true)
    }

    /// Everything whose writing was begun is on the disk.
    func finishCollected() throws {
        guard let (file, writing) = older else { return }
        if let writing {
            older = (file, nil)
            try store.finish(writing)
        } else {
            try store.add(file.rows, prefix: prefix)
        }
        older = nil
    }

    private func key(_ shard: Int, _ table: UInt8, _ key: ArraySlice<UInt8>) -> [UInt8] {
        var result = prefix
        result.reserveCapacity(prefix.count + 3 + key.count)
        result.append(UInt8(truncatingIfNeeded: shard >> 8))
        result.append(UInt8(truncatingIfNeeded: shard))
        result.append(table)
        result += key
        return result
    }
}

/// Rows that become a file of the database.
private struct CollectedRows: @unchecked Sendable {
    // Safety: they are handed over once they are complete. The thread that writes them reads only, and the task reads
    // them again only when it has waited for that thread; nobody changes them any more.
    let rows: EncodedRows
}

/// How far the rows of an operator are counted.
private struct RowCounting {
    let scan: LocalScan
    /// The first one is being counted, or comes next.
    var shards: ArraySlice<Int>
    var isInShard = false
    /// What was found, and what has changed since it was begun.
    var changes: [RowPlace: Int] = [:]
}

/// Bytes that an operator's tables hold in memory where the rest is on the disk.
final class CacheBudget {
    let limit: Int
    var used = 0
    var isExceeded: Bool { used > limit }

    init(limit: Int) { self.limit = limit }
}

/// A table's keys in one shard.
struct RowPlace: Hashable {
    var shard: Int
    var table: UInt8
}

/// What a local store knows of a shard beside its keys, written with each change of them.
struct ShardRecord {
    /// Nil while changes are being read back.
    var epoch: Epoch?
    var place: ChangelogPlace
    /// By table; -1: not known, but some.
    var rows: [UInt8: Int]
    var schemas: [UInt8: StateSchema]

    init(epoch: Epoch?, place: ChangelogPlace, rows: [UInt8: Int], schemas: [UInt8: StateSchema]) {
        self.epoch = epoch
        self.place = place
        self.rows = rows
        self.schemas = schemas
    }

    var bytes: [UInt8] {
        var writer = StateWriter()
        writer.append(ChangelogKey.version)
        writer.append(nested: epoch?.number)
        writer.append(place.position.number)
        writer.append(place.knownMs)
        writer.append(count: schemas.count)
        for (table, schema) in schemas.sorted(by: { $0.key < $1.key }) {
            writer.append(table)
            writer.append(rows[table] ?? 0)
            schema.encode(to: &writer)
        }
        return writer.bytes
    }

    init(from reader: inout StateReader) throws(StreamError) {
        guard try reader.read(UInt8.self) == ChangelogKey.version else { throw StateReader.damaged }
        epoch = try reader.read(nested: Int64?.self).map { Epoch($0) }
        place = ChangelogPlace(position: Position(try reader.read(Int64.self)), knownMs: try reader.read(Int64.self))
        rows = [:]
        schemas = [:]
        for _ in 0..<(try reader.readCount()) {
            let table = try reader.read(UInt8.self)
            rows[table] = try reader.read(Int.self)
            schemas[table] = try StateSchema(from: &reader)
        }
    }
}
