package import StreamCore

/// Collects the changes of one operator in one epoch as records of its changelog topic.
///
/// A record's key is the table's id, the shard (two bytes, big endian) and the key's own bytes; its value is the
/// version of that layout and the value's bytes, or null where the key was deleted.
package final class ChangelogWriter {
    package let layout: ShardLayout
    package let block: RecordBlock
    /// Keys that are new or gone.
    @safe @exclusivity(unchecked) private(set) var rows: [RowPlace: Int] = [:]
    // Unchecked, because values only see the writer they are given, never this one: the dynamic checks were a sixth of
    // what a key costs.
    @safe @exclusivity(unchecked) private var keys = StateWriter()
    @safe @exclusivity(unchecked) private var values = StateWriter()
    @safe @exclusivity(unchecked) private var valuesBefore = StateWriter()

    package init(topic: TopicName, layout: ShardLayout) {
        self.layout = layout
        block = RecordBlock(topics: [topic])
    }

    /// Writes a key's value, or its deletion.
    /// - Parameter before: the epoch; a change that leaves the bytes as they were then is not written.
    /// - Returns: how many bytes of key and value there are.
    /// - Throws: `STATE_ENCODING`, `STATE_TOO_LARGE`.
    func append<Key: StateCodable, Value: StateCodable>(
        table: UInt8, key: Key, value: Value?, before: Value?
    ) throws(StreamError) -> Int {
        begin(table)
        key.encode(to: &keys)
        try keys.check()
        // Safety: the pointer does not leave the closure.
        let hash = unsafe keys.bytes.withUnsafeBytes {
            unsafe StableHash.hash(UnsafeRawBufferPointer(rebasing: $0[3...]))
        }
        let shard = layout.shard(ofKeyHash: hash)
        setShard(shard)
        if (before == nil) != (value == nil) {
            rows[RowPlace(shard: shard, table: table), default: 0] += value == nil ? -1 : 1
        }
        guard let value else {
            try finish(shard, value: nil)
            return keys.bytes.count
        }
        try encode(value, into: &values)
        // An encoding more costs less than a write: some operators touch every key in every batch.
        if let before {
            try encode(before, into: &valuesBefore)
            if values.bytes == valuesBefore.bytes { return keys.bytes.count + values.bytes.count }
        }
        try finish(shard, value: values.bytes)
        return keys.bytes.count + values.bytes.count
    }

    /// Writes an entry of an ordered table, or its deletion.
    /// - Parameters:
    ///   - key: behind the table's id, with the shard.
    ///   - before: the epoch; a change that leaves the bytes as they were then is not written.
    func append(
        table: UInt8, key: [UInt8], value: [UInt8]?, before: [UInt8]?
    ) throws(StreamError) {
        guard value != before else { return }
        keys.removeAll()
        keys.bytes.append(table)
        keys.append(contentsOf: key)
        let shard = OrderedGroup.shard(of: key)
        if (before == nil) != (value == nil) {
            rows[RowPlace(shard: shard, table: table), default: 0] += value == nil ? -1 : 1
        }
        guard let value else { return try finish(shard, value: nil) }
        values.removeAll()
        values.append(ChangelogKey.version)
        values.append(contentsOf: value)
        try finish(shard, value: values.bytes)
    }

    /// Writes what a table made itself.
    func append(table: UInt8, shard: Int, key: StateWriter, value: StateWriter?) throws(StreamError) {
        begin(table)
        setShard(shard)
        keys.append(contentsOf: key.bytes)
        guard let value else { return try finish(shard, value: nil) }
        try value.check()
        values.removeAll()
        values.append(ChangelogKey.version)
        values.append(contentsOf: value.bytes)
        try finish(shard, value: values.bytes)
    }

    /// Writes what a partition's state is made of.
    func append(schema: StateSchema, table: UInt8, partition: Int) throws(StreamError) {
        keys.bytes = [ChangelogKey.schemaTable, table]
        values.removeAll()
        schema.encode(to: &values)
        try finish(partition: partition, value: values.bytes)
    }

    // MARK: -

    private func begin(_ table: UInt8) {
        keys.removeAll()
        keys.bytes.append(table)
        keys.bytes.append(0)
        keys.bytes.append(0)
    }

    private func setShard(_ shard: Int) {
        keys.bytes[1] = UInt8(truncatingIfNeeded: shard >> 8)
        keys.bytes[2] = UInt8(truncatingIfNeeded: shard)
    }

    private func encode(_ value: some StateCodable, into writer: inout StateWriter) throws(StreamError) {
        writer.removeAll()
        writer.bytes.append(ChangelogKey.version)
        value.encode(to: &writer)
        try writer.check()
    }

    private func finish(_ shard: Int, value: [UInt8]?) throws(StreamError) {
        try finish(partition: layout.partition(ofShard: shard), value: value)
    }

    private func finish(partition: Int, value: [UInt8]?) throws(StreamError) {
        let arena = block.arena
        guard arena.count + keys.bytes.count + (value?.count ?? 0) <= ByteArena.sizeMax else {
            throw StreamError(
                "STATE_TOO_LARGE", "An epoch changes more than 4 GiB of one operator's state in one task.",
                remedy: "Use more tasks, or lower the rate of the input.", domain: .user)
        }
        // Safety: the arena copies the bytes before the call returns.
        let key = unsafe keys.bytes.withUnsafeBytes { unsafe arena.append($0) }
        var view = ByteView.null
        if let value { view = unsafe value.withUnsafeBytes { unsafe arena.append($0) } }
        block.slots.append(RecordSlot(key: key, value: view, partition: Int32(partition)))
    }
}

/// The layout of a change's key and value.
enum ChangelogKey {
    /// Of the layout of values and of `StateSchema`.
    static let version: UInt8 = 1
    /// The id that no table has: its records say what the tables hold.
    static let schemaTable = UInt8.max

    /// - Parameter bytes: three at least.
    static func shard(_ bytes: UnsafeRawBufferPointer) -> Int { unsafe Int(bytes[1]) << 8 | Int(bytes[2]) }

    /// The bytes of a value without the version of their layout, as valid as the bytes.
    static func value(_ bytes: UnsafeRawBufferPointer) throws(StreamError) -> UnsafeRawBufferPointer {
        guard unsafe bytes.first == version else { throw StateReader.damaged }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[1...])
    }

    /// The bytes of a value without the version of their layout.
    static func value(_ bytes: [UInt8]) throws(StreamError) -> ArraySlice<UInt8> {
        guard bytes.first == version else { throw StateReader.damaged }
        return bytes.dropFirst()
    }
}
