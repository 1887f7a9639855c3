import EmbeddedBroker
import Testing

/// Memory that refuses one of the calls that change it.
private final class FaultyStorage: LogStorage {
    var memory = MemoryStorage()
    var callsUntilFault = Int.max
    var trustedPosition: Int64 = 0

    var startOffset: Int64 { memory.startOffset }
    var startPosition: Int64 { memory.startPosition }
    var endPosition: Int64 { memory.endPosition }

    private func count() throws(StorageError) {
        callsUntilFault -= 1
        if callsUntilFault == 0 { throw .full }
    }

    func append(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64) throws(StorageError) {
        try count()
        try memory.append(batch, baseOffset: baseOffset, maxTimestamp: maxTimestamp)
    }

    func read(at position: Int64, count: Int) throws(StorageError) -> [UInt8] {
        try memory.read(at: position, count: count)
    }

    func truncateHead(startOffset: Int64, position: Int64) throws(StorageError) {
        try count()
        try memory.truncateHead(startOffset: startOffset, position: position)
    }

    func truncateTail(position: Int64) throws(StorageError) {
        try count()
        try memory.truncateTail(position: position)
    }

    func beginReplacement(below position: Int64) throws(StorageError) {
        try count()
        try memory.beginReplacement(below: position)
    }

    func appendReplacement(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64) throws(StorageError) {
        try count()
        try memory.appendReplacement(batch, baseOffset: baseOffset, maxTimestamp: maxTimestamp)
    }

    func commitReplacement() throws(StorageError) {
        try count()
        try memory.commitReplacement()
    }

    func discardReplacement() { memory.discardReplacement() }
}

@Suite struct StorageFaultTests {
    private let storage = FaultyStorage()
    private let log: PartitionLog

    init() throws {
        log = try PartitionLog(storage: storage)
        log.config.isCompacted = true
        for number in 0..<4 { _ = try log.append(batch("\(number)", key: "k\(number % 2)")[...], at: 0) }
    }

    private func contents() throws -> [Int64] {
        try values(of: log, from: log.startOffset, isolation: .readCommitted).map(\.offset)
    }

    @Test func refusedAppendLeavesNothing() throws {
        let first = batch("a", producerId: 1, epoch: 0, sequence: 0, isTransactional: true)
        storage.callsUntilFault = 1
        #expect(throws: AppendError.storage(.full)) { try log.append(first[...], at: 0) }
        #expect(log.producers.entries.isEmpty && log.endOffset == 4 && log.lastStableOffset == 4)
        #expect(try log.append(first[...], at: 0).firstOffset == 4)
        storage.callsUntilFault = 1
        #expect(throws: AppendError.storage(.full)) {
            try log.appendMarker(.commit, producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, at: 0)
        }
        #expect(log.lastStableOffset == 4 && log.endOffset == 5)
    }

    @Test func refusedDeletionLeavesAll() throws {
        storage.callsUntilFault = 1
        #expect(throws: ReadError.storage(.full)) { try log.deleteRecords(before: 2) }
        #expect(try contents() == [0, 1, 2, 3])
        #expect(try log.deleteRecords(before: 2) == 2)
        #expect(try contents() == [2, 3])
    }

    /// The replacement's begin, its two batches and its end.
    @Test(arguments: 1...4) func refusedCompactionLeavesAll(call: Int) throws {
        storage.callsUntilFault = call
        #expect(throws: StorageError.full) { try log.compact(now: 0) }
        #expect(try contents() == [0, 1, 2, 3])
        #expect(try log.compact(now: 0))
        #expect(try contents() == [2, 3])
    }

    /// Checksums below the trusted position were compared before; headers are read all the same.
    @Test func trustedBytesAreNotReadAgain() throws {
        let damaged = FaultyStorage()
        var first = batch("a")
        first[first.count - 2] ^= 1
        try damaged.append(first[...], baseOffset: 0, maxTimestamp: 0)
        var second = batch("b")
        second[7] = 1
        try damaged.append(second[...], baseOffset: 1, maxTimestamp: 0)
        damaged.trustedPosition = damaged.endPosition
        #expect(try PartitionLog(storage: damaged).endOffset == 2)
        damaged.trustedPosition = Int64(first.count)
        #expect(try PartitionLog(storage: damaged).endOffset == 2)
        damaged.trustedPosition = 0
        #expect(try PartitionLog(storage: damaged).endOffset == 0)
        #expect(damaged.endPosition == 0)
    }
}
