import EmbeddedBroker

/// Memory that stops taking writes after a number of them, as if the process had ended there.
final class FaultyFactory: LogStorageFactory {
    final class Budget {
        /// Nil is without end.
        var left: Int?
        private(set) var used = 0

        func spend() throws(StorageError) {
            if let left {
                guard left > 0 else { throw .failed("stopped") }
                self.left = left - 1
            }
            used += 1
        }
    }

    let budget = Budget()
    private let memory = MemoryStorageFactory(chunkBytes: 1 << 10)

    func list() throws(StorageError) -> [TopicPartition] { try memory.list() }

    func make(_ name: TopicPartition) throws(StorageError) -> any LogStorage {
        try budget.spend()
        return FaultyStorage(try memory.make(name), budget)
    }

    func open(_ name: TopicPartition) throws(StorageError) -> any LogStorage {
        FaultyStorage(try memory.open(name), budget)
    }

    func delete(_ name: TopicPartition) throws(StorageError) {
        try budget.spend()
        try memory.delete(name)
    }
}

private struct FaultyStorage: LogStorage {
    private var storage: any LogStorage
    private let budget: FaultyFactory.Budget

    init(_ storage: any LogStorage, _ budget: FaultyFactory.Budget) {
        self.storage = storage
        self.budget = budget
    }

    var startOffset: Int64 { storage.startOffset }
    var startPosition: Int64 { storage.startPosition }
    var endPosition: Int64 { storage.endPosition }
    var trustedPosition: Int64 { storage.trustedPosition }

    mutating func append(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64) throws(StorageError) {
        try budget.spend()
        try storage.append(batch, baseOffset: baseOffset, maxTimestamp: maxTimestamp)
    }

    func read(at position: Int64, count: Int) throws(StorageError) -> [UInt8] {
        try storage.read(at: position, count: count)
    }

    mutating func truncateHead(startOffset: Int64, position: Int64) throws(StorageError) {
        try budget.spend()
        try storage.truncateHead(startOffset: startOffset, position: position)
    }

    mutating func truncateTail(position: Int64) throws(StorageError) { try storage.truncateTail(position: position) }

    mutating func beginReplacement(below position: Int64) throws(StorageError) {
        try storage.beginReplacement(below: position)
    }

    mutating func appendReplacement(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64)
        throws(StorageError)
    {
        try storage.appendReplacement(batch, baseOffset: baseOffset, maxTimestamp: maxTimestamp)
    }

    mutating func commitReplacement() throws(StorageError) {
        try budget.spend()
        try storage.commitReplacement()
    }

    mutating func discardReplacement() { storage.discardReplacement() }
}
