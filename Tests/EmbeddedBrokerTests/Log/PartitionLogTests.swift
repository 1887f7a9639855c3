import Testing

@testable import EmbeddedBroker

@Suite struct PartitionLogTests {
    private let log: PartitionLog

    init() throws {
        log = try PartitionLog(storage: MemoryStorage(), leaderEpoch: 4)
    }

    private func append(_ batch: [UInt8]) throws(AppendError) -> AppendResult {
        try log.append(batch[...], at: 2_000)
    }

    // MARK: - Appending

    @Test func offsetsAreAssigned() throws {
        #expect(try append(Golden.plain).lastOffset == 2)
        let second = try append(Golden.gzip)
        #expect(second == AppendResult(firstOffset: 3, lastOffset: 5, logAppendTime: -1, logStartOffset: 0))
        let read = try log.read(from: 0, bytesMax: 1 << 20, isolation: .readUncommitted)
        // Kafka writes the offset and the leader's epoch, which no checksum covers, and nothing else.
        var expected = Golden.plain + Golden.gzip
        expected.replaceSubrange(12..<16, with: [0, 0, 0, 4])
        expected[Golden.plain.count + 7] = 3
        expected.replaceSubrange((Golden.plain.count + 12)..<(Golden.plain.count + 16), with: [0, 0, 0, 4])
        #expect(read.records == expected)
        #expect(read.nextOffset == 6 && read.highWatermark == 6 && read.lastStableOffset == 6)
    }

    /// The bytes are those of Kafka's DefaultRecordBatch for offset 5, epoch 0 and the time 7777.
    @Test func logAppendTime() throws {
        let log = try PartitionLog(storage: MemoryStorage())
        log.config.timestampType = .logAppendTime
        _ = try log.append(batch("a", "b", "c", "d", "e")[...], at: 7_000)
        let result = try log.append(Golden.plain[...], at: 7_777)
        #expect(result.logAppendTime == 7_777)
        let first = try log.read(from: 0, bytesMax: 0, isolation: .readUncommitted)
        let read = try log.read(from: 5, bytesMax: 1_000, isolation: .readUncommitted)
        #expect(first.nextOffset == 5 && read.records == Golden.logAppendTime)
        #expect(try log.offset(forTimestamp: 7_001, isolation: .readUncommitted)?.offset == 5)
        // A topic with the producers' times takes none that say they are a broker's.
        var foreign = Golden.logAppendTime
        foreign[7] = 0
        #expect(throws: AppendError.invalidTimestamp(7_777)) { try append(foreign) }
    }

    @Test func greatestTimeIsThatOfTheRecords() throws {
        _ = try append(changed(Golden.plain) { $0.maxTimestamp = 9_999 })
        let read = try log.read(from: 0, bytesMax: 1_000, isolation: .readUncommitted)
        #expect(try RecordBatchHeader(checked: read.records[...]).maxTimestamp == 1_500)
    }

    @Test func whatIsNotAProducersBatchIsRefused() throws {
        let plain = Golden.plain
        var corrupt = plain
        corrupt[70] ^= 1
        #expect(throws: AppendError.corrupt) { try append(corrupt) }
        #expect(throws: AppendError.corrupt) { try append(Array(plain.dropLast())) }
        var magic = plain
        magic[16] = 1
        #expect(throws: AppendError.unsupportedMagic(1)) { try append(magic) }
        let refused: [[UInt8]] = [
            [], plain + plain, Golden.commit,
            try changed(plain) { $0.count = -1 }, try changed(plain) { $0.count = 0 },
            try changed(plain) { $0.count = 2 }, try changed(plain) { $0.lastOffsetDelta = 3 },
            try changed(plain) { $0.lastOffsetDelta = -1 }, try changed(plain) { $0.baseOffset = 5 },
            try changed(plain) {
                $0.count = 4
                $0.lastOffsetDelta = 3
            },
            try changed(plain) {
                $0.count = 2
                $0.lastOffsetDelta = 1
            },
            try changed(plain) {
                $0.producerId = 1
                $0.producerEpoch = 0
            },
            try changed(plain) {
                $0.producerId = 1
                $0.baseSequence = 0
            },
            try changed(plain) {
                $0.count = Int32.max
                $0.lastOffsetDelta = Int32.max - 1
            },
        ]
        for batch in refused {
            let error = #expect(throws: AppendError.self) { try append(batch) }
            guard case .invalidRecord = error else {
                Issue.record("refused with \(String(describing: error))")
                continue
            }
        }
        #expect(throws: AppendError.unsupportedCompression(5)) { try append(changed(plain) { $0.attributes = 5 }) }
        log.config.messageBytesMax = plain.count - 1
        #expect(throws: AppendError.tooLarge(bytes: plain.count, bytesMax: plain.count - 1)) { try append(plain) }
        log.config.messageBytesMax = plain.count
        #expect(log.endOffset == 0)
        #expect(try append(plain).firstOffset == 0)
    }

    @Test func timesAreLimited() throws {
        log.config.timestampAfterMsMax = 100
        log.config.timestampBeforeMsMax = 50
        for time in [2_101, 1_949, Int64.max] {
            let fault = RecordFault(index: 0, reason: .timestamp(time))
            #expect(throws: AppendError.refusedRecords([fault])) { try append(batch("a", timestamp: time)) }
        }
        for time in [2_100, 1_950, -1] { _ = try append(batch("a", timestamp: Int64(time))) }
    }

    @Test func compactedTopicNeedsKeys() throws {
        log.config.isCompacted = true
        let fault = RecordFault(index: 0, reason: .noKey)
        #expect(throws: AppendError.refusedRecords([fault])) { try append(batch("a", key: nil)) }
        #expect(try append(batch("a")).firstOffset == 0)
    }

    /// Each is named by its place (KIP-467).
    @Test func allFaultyRecordsAreNamed() throws {
        log.config.isCompacted = true
        log.config.timestampAfterMsMax = 100
        var builder = RecordBatchBuilder()
        for (key, time) in [(nil, 1_000), ([1], 1_000), (nil, 9_000), ([2], 9_000)] as [([UInt8]?, Int64)] {
            builder.add(key: key, value: [1], timestamp: time)
        }
        let late = RecordFault(index: 3, reason: .timestamp(9_000))
        let faults = [RecordFault(index: 0, reason: .noKey), RecordFault(index: 2, reason: .noKey), late]
        #expect(throws: AppendError.refusedRecords(faults)) { try append(builder.build()) }
        #expect(log.endOffset == 0)
    }

    // MARK: - Reading

    @Test func readsWithinBounds() throws {
        for value in 0..<200 { _ = try append(batch("\(value)", "\(value)")) }
        let size = batch("100", "100").count
        let read = try log.read(from: 301, bytesMax: size * 2 + 5, isolation: .readCommitted)
        #expect(read.records.count == size * 2 && read.nextOffset == 304)
        #expect(try LogRecord.records(ofBatches: read.records[...]).map(\.offset) == [300, 301, 302, 303])
        #expect(try log.read(from: 301, bytesMax: 1, isolation: .readCommitted).records.count == size)
        let none = try log.read(from: 301, bytesMax: size - 1, isolation: .readCommitted, hasOneBatch: false)
        #expect(none.records.isEmpty && none.nextOffset == 301)
        #expect(try log.read(from: 400, bytesMax: 1, isolation: .readCommitted).records.isEmpty)
        #expect(try log.read(from: 0, bytesMax: -1, isolation: .readUncommitted, hasOneBatch: false).records.isEmpty)
        for offset in [-1, 401, Int64.max, Int64.min] {
            #expect(throws: ReadError.offsetOutOfRange(start: 0, end: 400)) {
                try log.read(from: offset, bytesMax: 1, isolation: .readUncommitted)
            }
        }
        for bytesMax in [1, 100, 5_000, 1 << 20] {
            let all = try values(of: log, from: 0, isolation: .readCommitted, bytesMax: bytesMax)
            #expect(all.map(\.offset) == Array(0..<400))
        }
    }

    /// Two transactions over one another: a at 0 and 2, aborted at 3; b at 1, committed at 5; a plain record at 4.
    @Test func abortedTransactionsAreTold() throws {
        _ = try append(batch("a0", producerId: 1, epoch: 0, sequence: 0, isTransactional: true))
        _ = try append(batch("b1", producerId: 2, epoch: 0, sequence: 0, isTransactional: true))
        _ = try append(batch("a2", producerId: 1, epoch: 0, sequence: 1, isTransactional: true))
        #expect(log.lastStableOffset == 0)
        #expect(try log.read(from: 0, bytesMax: 1_000, isolation: .readCommitted).records.isEmpty)
        #expect(try end(.abort, 1) == 3)
        #expect(log.lastStableOffset == 1)
        _ = try append(batch("p4"))
        let first = try log.read(from: 0, bytesMax: 1_000, isolation: .readCommitted)
        let a = AbortedTransaction(producerId: 1, firstOffset: 0, lastOffset: 3, lastStableOffset: 1)
        #expect(first.nextOffset == 1 && first.aborted == [a])
        #expect(try log.read(from: 1, bytesMax: 1_000, isolation: .readCommitted).records.isEmpty)
        #expect(try log.read(from: 0, bytesMax: 1_000, isolation: .readUncommitted).nextOffset == 5)
        #expect(try end(.commit, 2) == 5)
        #expect(log.lastStableOffset == 6)
        let all = try log.read(from: 1, bytesMax: 1_000, isolation: .readCommitted)
        #expect(all.nextOffset == 6 && all.aborted == [a])
        #expect(try log.read(from: 4, bytesMax: 1_000, isolation: .readCommitted).aborted.isEmpty)
        #expect(try log.read(from: 0, bytesMax: 1_000, isolation: .readUncommitted).aborted.isEmpty)
        #expect(try values(of: log, from: 0, isolation: .readCommitted).map(\.value) == [text("b1"), text("p4")])
    }

    /// A marker for a producer that wrote nothing here takes an offset and says nothing.
    @Test func emptyTransactionIsNotAborted() throws {
        _ = try append(batch("a"))
        #expect(try end(.abort, 9) == 1)
        let read = try log.read(from: 0, bytesMax: 1_000, isolation: .readCommitted)
        #expect(read.nextOffset == 2 && read.aborted.isEmpty)
    }

    private func end(_ result: TransactionResult, _ producerId: Int64) throws(AppendError) -> Int64 {
        try log.appendMarker(result, producerId: producerId, producerEpoch: 0, coordinatorEpoch: 0, at: 2_000)
    }

    // MARK: - Offsets

    @Test func offsetsByTime() throws {
        #expect(try log.maxTimestamp(isolation: .readUncommitted) == nil)
        _ = try append(Golden.plain)
        _ = try append(batch("x", timestamp: 1_200))
        _ = try append(Golden.gzip)
        let expected: [(Int64, Int64?, Int64)] = [
            (0, 0, 1_000), (1_000, 0, 1_000), (1_001, 1, 1_500), (1_500, 1, 1_500), (1_501, nil, 0),
        ]
        for (timestamp, offset, found) in expected {
            let answer = try log.offset(forTimestamp: timestamp, isolation: .readUncommitted)
            #expect(answer == offset.map { TimestampOffset(timestamp: found, offset: $0) })
        }
        #expect(
            try log.maxTimestamp(isolation: .readCommitted) == TimestampOffset(timestamp: 1_500, offset: 1))
        _ = try log.deleteRecords(before: 2)
        #expect(try log.offset(forTimestamp: 901, isolation: .readUncommitted)?.offset == 3)
        #expect(try log.offset(forTimestamp: 900, isolation: .readUncommitted)?.offset == 2)
        _ = try log.deleteRecords(before: 4)
        // The records of the compressed batch are not told apart: its first offset stands for them.
        #expect(try log.offset(forTimestamp: 1_400, isolation: .readUncommitted)?.offset == 4)
    }

    @Test func openTransactionHidesTimes() throws {
        _ = try append(batch("a", timestamp: 1_000))
        _ = try append(batch("b", timestamp: 1_500, producerId: 1, epoch: 0, sequence: 0, isTransactional: true))
        #expect(try log.offset(forTimestamp: 1_100, isolation: .readUncommitted)?.offset == 1)
        #expect(try log.offset(forTimestamp: 1_100, isolation: .readCommitted) == nil)
        #expect(try log.maxTimestamp(isolation: .readCommitted) == nil)
        #expect(log.endOffset(.readCommitted) == 1 && log.endOffset(.readUncommitted) == 2)
    }
}
