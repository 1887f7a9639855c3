import EmbeddedBroker
import Testing

@Suite struct RetentionTests {
    private let log: PartitionLog

    /// A hundred batches of one record of a thousand bytes, one each millisecond from 1,000 on.
    init() throws {
        log = try PartitionLog(storage: MemoryStorage(chunkBytes: 3_000))
        for number in 0..<100 {
            var builder = RecordBatchBuilder()
            builder.add(key: nil, value: [UInt8](repeating: 0, count: 1_000), timestamp: Int64(1_000 + number))
            _ = try log.append(builder.build()[...], at: 1_000)
        }
    }

    @Test func recordsAreDeleted() throws {
        #expect(try log.deleteRecords(before: 50) == 50)
        #expect(throws: ReadError.offsetOutOfRange(start: 50, end: 100)) {
            try log.read(from: 49, bytesMax: 1, isolation: .readUncommitted)
        }
        #expect(try log.deleteRecords(before: 20) == 50)
        #expect(throws: ReadError.offsetOutOfRange(start: 50, end: 100)) { try log.deleteRecords(before: 101) }
        #expect(throws: ReadError.offsetOutOfRange(start: 50, end: 100)) { try log.deleteRecords(before: -2) }
        #expect(try values(of: log, from: 50, isolation: .readCommitted).map(\.offset) == Array(50..<100))
        #expect(try log.offset(forTimestamp: 0, isolation: .readCommitted)?.offset == 50)
        #expect(try log.deleteRecords(before: -1) == 100)
        #expect(log.byteCount == 0 && log.endOffset == 100)
        #expect(try log.append(batch("next")[...], at: 1_000).firstOffset == 100)
        #expect(try values(of: log, from: 100, isolation: .readCommitted).map(\.value) == [text("next")])
    }

    @Test func batchIsCutInTheMiddle() throws {
        let log = try PartitionLog(storage: MemoryStorage())
        _ = try log.append(batch("a", "b", "c")[...], at: 1_000)
        #expect(try log.deleteRecords(before: 1) == 1)
        let read = try log.read(from: 1, bytesMax: 1_000, isolation: .readUncommitted)
        #expect(try LogRecord.records(of: read.records[...]).count == 3)
        #expect(read.logStartOffset == 1)
    }

    @Test func oldRecordsGo() throws {
        log.config.retentionMs = 100
        #expect(try log.enforceRetention(now: 1_100) == false)
        #expect(try log.enforceRetention(now: 1_150))
        // Whole stretches of at least 4 KiB, each of whose records is older than 1,050.
        #expect(log.startOffset > 40 && log.startOffset <= 50)
        #expect(try log.enforceRetention(now: 1_150) == false)
        #expect(try log.enforceRetention(now: 5_000))
        #expect(log.startOffset == 100 && log.endOffset == 100)
    }

    @Test func tooMuchGoes() throws {
        log.config.retentionMs = nil
        log.config.retentionBytes = 50_000
        #expect(try log.enforceRetention(now: 0))
        #expect(log.byteCount >= 50_000 && log.byteCount < 56_000)
        #expect(log.endOffset == 100)
        log.config.isDeleted = false
        log.config.retentionBytes = 0
        #expect(try log.enforceRetention(now: 0) == false)
    }

    /// The log's start may pass an open transaction's: the last stable offset is never below it.
    @Test func openTransactionIsCut() throws {
        let log = try PartitionLog(storage: MemoryStorage())
        for sequence in 0..<3 {
            let bytes = batch("a", producerId: 1, epoch: 0, sequence: Int32(sequence), isTransactional: true)
            _ = try log.append(bytes[...], at: 0)
        }
        #expect(try log.deleteRecords(before: 2) == 2)
        #expect(log.lastStableOffset == 2)
        _ = try log.appendMarker(.abort, producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, at: 0)
        #expect(log.lastStableOffset == 4)
        #expect(try log.read(from: 2, bytesMax: 1_000, isolation: .readCommitted).aborted.map(\.producerId) == [1])
        #expect(try values(of: log, from: 2, isolation: .readCommitted).isEmpty)
    }
}
