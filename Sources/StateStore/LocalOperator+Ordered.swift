internal import StreamCore

/// What ordered tables have on the disk. Their keys are here as in memory: with the shard, without the table.
extension LocalOperator {
    /// - Returns: a value without its version.
    func value(table: UInt8, ordered key: [UInt8]) throws(StreamError) -> [UInt8]? {
        guard let value = try store.value(for: diskKey(table, key)) else { return nil }
        return try unwrap(value)
    }

    /// - Returns: values without their version, in the order of keys.
    func values(table: UInt8, ordered keys: [[UInt8]]) throws(StreamError) -> [[UInt8]?] {
        var result: [[UInt8]?] = []
        for value in try store.values(for: keys.map { diskKey(table, $0) }) {
            result.append(try value.map { value throws(StreamError) in try unwrap(value) })
        }
        return result
    }

    /// A pass over the keys of one shard.
    /// - Parameters:
    ///   - from: with the shard.
    ///   - to: with the shard, too; nil for all that follow in it.
    func rows(table: UInt8, _ from: [UInt8], _ to: [UInt8]?, isReversed: Bool) throws(StreamError) -> StoredRows {
        // No table has the last id.
        let end = to.map { diskKey(table, $0) } ?? diskKey(table + 1, Array(from[..<2]))
        return StoredRows(
            range: try store.range(from: diskKey(table, from), to: end, isReversed: isReversed),
            prefixCount: prefix.count, folder: store.folder)
    }

    /// Bytes of the disk that are none of this program's.
    var damaged: StreamError { StoredRows.damaged(store.folder) }

    private func unwrap(_ value: [UInt8]) throws(StreamError) -> [UInt8] {
        guard value.first == ChangelogKey.version else { throw damaged }
        return Array(value.dropFirst())
    }

    private func diskKey(_ table: UInt8, _ key: [UInt8]) -> [UInt8] {
        var result = prefix
        result.reserveCapacity(prefix.count + 1 + key.count)
        result += key[..<2]
        result.append(table)
        result += key[2...]
        return result
    }
}

/// Some rows of an ordered table on the disk.
struct StoredRows {
    let range: LocalRange
    let prefixCount: Int
    let folder: String

    func next() throws(StreamError) -> (key: [UInt8], value: [UInt8])? {
        guard var (key, value) = try range.next() else { return nil }
        guard key.count >= prefixCount + 3, value.first == ChangelogKey.version else { throw Self.damaged(folder) }
        key.remove(at: prefixCount + 2)
        key.removeFirst(prefixCount)
        value.removeFirst()
        return (key, value)
    }

    static func damaged(_ folder: String) -> StreamError {
        var error = StateReader.damaged
        error.place.file = folder
        return error
    }
}
