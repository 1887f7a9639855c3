/// Keeps the bytes of all logs of a broker, by the name of their partition. The broker's own log is one of them:
/// `StateLog.name`.
package protocol LogStorageFactory {
    /// The logs that are there.
    mutating func list() throws(StorageError) -> [TopicPartition]
    /// An empty log; bytes that are there under the name are dropped.
    mutating func make(_ name: TopicPartition) throws(StorageError) -> any LogStorage
    /// A log of the list.
    mutating func open(_ name: TopicPartition) throws(StorageError) -> any LogStorage
    /// Deletes a log, which may be open: nobody uses its storage any more.
    mutating func delete(_ name: TopicPartition) throws(StorageError)
}

/// All logs in memory; a broker that is opened on the same factory again finds them as they were.
package final class MemoryStorageFactory: LogStorageFactory {
    private var logs: [TopicPartition: SharedMemoryStorage] = [:]
    private let chunkBytes: Int

    package init(chunkBytes: Int = 256 << 10) {
        self.chunkBytes = chunkBytes
    }

    package func list() throws(StorageError) -> [TopicPartition] { logs.keys.sorted() }

    package func make(_ name: TopicPartition) throws(StorageError) -> any LogStorage {
        let storage = SharedMemoryStorage(chunkBytes: chunkBytes)
        logs[name] = storage
        return storage
    }

    package func open(_ name: TopicPartition) throws(StorageError) -> any LogStorage {
        guard let storage = logs[name] else { throw .failed("there is no log \(name.topic)-\(name.partition)") }
        return storage
    }

    package func delete(_ name: TopicPartition) throws(StorageError) { logs[name] = nil }
}

/// A memory storage that outlives the log that uses it.
final class SharedMemoryStorage: LogStorage {
    private var storage: MemoryStorage

    init(chunkBytes: Int) {
        storage = MemoryStorage(chunkBytes: chunkBytes)
    }

    var startOffset: Int64 { storage.startOffset }
    var startPosition: Int64 { storage.startPosition }
    var endPosition: Int64 { storage.endPosition }
    var trustedPosition: Int64 { storage.trustedPosition }

    func append(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64) throws(StorageError) {
        try storage.append(batch, baseOffset: baseOffset, maxTimestamp: maxTimestamp)
    }

    func read(at position: Int64, count: Int) throws(StorageError) -> [UInt8] {
        try storage.read(at: position, count: count)
    }

    func truncateHead(startOffset: Int64, position: Int64) throws(StorageError) {
        try storage.truncateHead(startOffset: startOffset, position: position)
    }

    func truncateTail(position: Int64) throws(StorageError) { try storage.truncateTail(position: position) }

    func beginReplacement(below position: Int64) throws(StorageError) {
        try storage.beginReplacement(below: position)
    }

    func appendReplacement(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64) throws(StorageError) {
        try storage.appendReplacement(batch, baseOffset: baseOffset, maxTimestamp: maxTimestamp)
    }

    func commitReplacement() throws(StorageError) { try storage.commitReplacement() }
    func discardReplacement() { storage.discardReplacement() }
}
