import EmbeddedBroker
import Testing

/// Batches that Kafka 4.3's own MemoryRecords wrote: three records at 1000, 1500 and 900 ms, with keys k1, none and
/// k1, values v1, v2 and none; the second has the headers h=x and n without a value.
enum Golden {
    static let records =
        "14000000046b31047631002000e80702010476320402680278026e011200c70104046b310100"
    static let plain = hex(
        "000000000000000000000057ffffffff02ed94412700000000000200000000000003e800000000000005dc"
            + "ffffffffffffffffffffffffffff00000003" + records)
    static let logAppendTime = hex(
        "0000000000000005000000570000000002b01f877400080000000200000000000003e80000000000001e61"
            + "ffffffffffffffffffffffffffff00000003" + records)
    /// Producer 7, epoch 3, sequence 10: the first and the third record.
    static let transactional = hex(
        "000000000000000000000046ffffffff0232a5cec800100000000100000000000003e800000000000003e8"
            + "000000000000000700030000000a0000000214000000046b31047631001200c70102046b310100")
    static let gzip = hex(
        "00000000000000000000006affffffff02f0c0fe3300010000000200000000000003e800000000000005dc"
            + "ffffffffffffffffffffffffffff000000031f8b08000000000000ff1361606060c93664293364506078c1cec4c8526"
            + "6c4c294c154c194c728c4709c910528c9c8000049cd149e26000000")
    /// Producer 7, epoch 3, coordinator epoch 9, at offset 42 and 123456 ms.
    static let commit = hex(
        "000000000000002a00000042ffffffff021bca231b003000000000000000000001e240000000000001e240"
            + "00000000000000070003ffffffff000000012000000008000000010c00000000000900")
    static let abort = hex(
        "000000000000002a00000042ffffffff02eff4f553003000000000000000000001e240000000000001e240"
            + "00000000000000070003ffffffff000000012000000008000000000c00000000000900")
    /// What the log cleaner leaves of a producer's last batch, offsets 5 to 9.
    static let empty = hex(
        "000000000000000500000031000000000284c8975f001000000004ffffffffffffffff00000000000005dc"
            + "000000000000000700030000000a00000000")
    /// `plain` at offset 5 of leader epoch 0, of which the cleaner kept the tombstone until 12000 ms.
    static let horizon = hex(
        "00000000000000050000003c0000000002c1c593090040000000020000000000002ee00000000000000384"
            + "ffffffffffffffffffffffffffff000000011400b7ad0104046b310100")
    static let all = [plain, logAppendTime, transactional, gzip, commit, abort, empty, horizon]
}

@Suite struct RecordBatchTests {
    @Test func readsHeadersOfKafka() throws {
        for batch in Golden.all {
            #expect(try RecordBatchHeader(checked: batch[...]).byteCount == batch.count)
        }
        let header = try RecordBatchHeader(Golden.transactional[...])
        #expect(header.producerId == 7 && header.producerEpoch == 3)
        #expect(header.baseSequence == 10 && header.lastSequence == 11)
        #expect(header.isTransactional && !header.isControl && header.leaderEpoch == -1)
        #expect(header.count == 2 && header.lastOffset == 1)
        #expect(header.baseTimestamp == 1_000 && header.maxTimestamp == 1_000)
        #expect(try RecordBatchHeader(Golden.gzip[...]).compression == 1)
        #expect(try RecordBatchHeader(Golden.horizon[...]).deleteHorizonMs == 12_000)
        #expect(try RecordBatchHeader(Golden.plain[...]).deleteHorizonMs == nil)
    }

    @Test func readsRecordsOfKafka() throws {
        let records = try LogRecord.records(of: Golden.plain[...])
        #expect(records.map(\.offset) == [0, 1, 2])
        #expect(records.map(\.timestamp) == [1_000, 1_500, 900])
        #expect(records.map(\.key) == [text("k1"), nil, text("k1")])
        #expect(records.map(\.value) == [text("v1"), text("v2"), nil])
        #expect(
            records[1].headers
                == [RecordHeader(key: text("h"), value: text("x")), RecordHeader(key: text("n"), value: nil)])
        #expect(try LogRecord.records(of: Golden.logAppendTime[...]).map(\.timestamp) == [7_777, 7_777, 7_777])
        let tombstone = try #require(try LogRecord.records(of: Golden.horizon[...]).first)
        #expect(tombstone.offset == 7 && tombstone.timestamp == 900 && tombstone.value == nil)
        #expect(try LogRecord.records(of: Golden.empty[...]).isEmpty)
        #expect(throws: BatchError.self) { try LogRecord.records(of: Golden.gzip[...]) }
    }

    @Test func writesTheBytesOfKafka() throws {
        var plain = RecordBatchBuilder()
        plain.add(key: text("k1"), value: text("v1"), timestamp: 1_000)
        plain.add(
            key: nil, value: text("v2"), timestamp: 1_500,
            headers: [RecordHeader(key: text("h"), value: text("x")), RecordHeader(key: text("n"), value: nil)])
        plain.add(key: text("k1"), value: nil, timestamp: 900)
        // Kafka's producer has no leader epoch (-1); ours says 0, which the checksum does not cover.
        #expect(try changed(plain.build()) { $0.leaderEpoch = -1 } == Golden.plain)
        var transactional = RecordBatchBuilder(
            producerId: 7, producerEpoch: 3, baseSequence: 10, isTransactional: true)
        transactional.add(key: text("k1"), value: text("v1"), timestamp: 1_000)
        transactional.add(key: text("k1"), value: nil, timestamp: 900)
        #expect(try changed(transactional.build()) { $0.leaderEpoch = -1 } == Golden.transactional)
    }

    @Test func markersAreThoseOfKafka() throws {
        for (result, golden) in [(TransactionResult.commit, Golden.commit), (.abort, Golden.abort)] {
            let marker = RecordBatchBuilder.marker(
                result, producerId: 7, producerEpoch: 3, coordinatorEpoch: 9, timestamp: 123_456, baseOffset: 42)
            #expect(try changed(marker) { $0.leaderEpoch = -1 } == golden)
            let read = try TransactionMarker(batch: golden[...])
            #expect(read == TransactionMarker(result: result, coordinatorEpoch: 9))
        }
    }

    @Test func refusesWhatIsNoBatch() throws {
        let plain = Golden.plain
        for count in 0..<plain.count {
            #expect(throws: BatchError.truncated) { try RecordBatchHeader(checked: plain[..<count]) }
        }
        var old = plain
        old[16] = 1
        #expect(throws: BatchError.unsupportedMagic(1)) { try RecordBatchHeader(old[...]) }
        var short = plain
        short.replaceSubrange(8..<12, with: [0, 0, 0, 48])
        #expect(throws: BatchError.invalidLength(48)) { try RecordBatchHeader(short[...]) }
        var negative = plain
        negative[8] = 0xff
        #expect(throws: BatchError.invalidLength(-16_777_129)) { try RecordBatchHeader(negative[...]) }
    }

    /// Each changed bit behind the checksum is found; no bit anywhere traps.
    @Test func damageIsFound() throws {
        for golden in Golden.all {
            for bit in 0..<(golden.count * 8) {
                var damaged = golden
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                _ = try? LogRecord.records(of: damaged[...])
                if bit / 8 >= 17 {
                    #expect(throws: BatchError.checksumMismatch) { try RecordBatchHeader(checked: damaged[...]) }
                }
            }
        }
    }

    @Test func sequencesWrapAround() {
        #expect(RecordBatchHeader.sequence(Int32.max, adding: 0) == Int32.max)
        #expect(RecordBatchHeader.sequence(Int32.max, adding: 1) == 0)
        #expect(RecordBatchHeader.sequence(Int32.max - 1, adding: 4) == 2)
        #expect(RecordBatchHeader.sequence(5, adding: 4) == 9)
    }
}
