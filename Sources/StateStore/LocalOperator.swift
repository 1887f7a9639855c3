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

    private let store: LocalStore
    private let prefix: [UInt8]
    /// The key that is asked for or written: one array for all.
    private var scratch: [UInt8]
    private(set) var isRestoring = false
    /// `rows` may be too high: keys were counted whether they were there before or not.
    var needsCount = false

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

    /// Counts what the tables really have.
    func count(_ tables: [UInt8]) throws {
        rows = [:]
        for shard in shards {
            for table in tables {
                let found = try store.count(prefix: key(shard, table, []))
                if found > 0 { rows[RowPlace(shard: shard, table: table)] = found }
            }
        }
        needsCount = false
    }

    /// Everything that a table has, in the order of shards and of the bytes of keys; values without their version.
    func forEachEntry(
        table: UInt8, _ body: (_ shard: Int, ArraySlice<UInt8>, ArraySlice<UInt8>) throws -> Void
    ) throws {
        for shard in shards {
            let start = key(shard, table, [])
            try store.forEachEntry(prefix: start) { key, value in
                try body(shard, key[start.count...], ChangelogKey.value(value))
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
        var writer = StateWriter()
        record.encode(to: &writer)
        batch.put(key(shard, ChangelogKey.schemaTable, []), writer.bytes)
    }

    /// Removes everything of a shard.
    func remove(shard: Int, in batch: LocalBatch) {
        batch.removeRange(
            key(shard, 0, []), key(shard, ChangelogKey.schemaTable, [0]))
        rows = rows.filter { $0.key.shard != shard }
    }

    func write(_ batch: LocalBatch, isLogged: Bool) throws(StreamError) { try store.write(batch, isLogged: isLogged) }

    /// Many changes come in a row until it is set back.
    func setRestoring(_ isRestoring: Bool) throws(StreamError) {
        guard isRestoring != self.isRestoring else { return }
        self.isRestoring = isRestoring
        if isRestoring { try store.beginRestoring() } else { try store.endRestoring() }
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
    /// By table.
    var rows: [UInt8: Int]
    var schemas: [UInt8: StateSchema]

    init(epoch: Epoch?, place: ChangelogPlace, rows: [UInt8: Int], schemas: [UInt8: StateSchema]) {
        self.epoch = epoch
        self.place = place
        self.rows = rows
        self.schemas = schemas
    }

    func encode(to writer: inout StateWriter) {
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
