import EmbeddedBroker
import Testing

@Suite struct CompactionTests {
    private let log: PartitionLog

    init() throws {
        log = try PartitionLog(storage: MemoryStorage())
        log.config.isCompacted = true
        log.config.deleteRetentionMs = 2_000
    }

    private func append(_ key: String, _ value: String?, producerId: Int64 = -1, sequence: Int32 = -1) throws {
        var builder = RecordBatchBuilder(
            producerId: producerId, producerEpoch: producerId < 0 ? -1 : 0, baseSequence: sequence,
            isTransactional: producerId >= 0)
        builder.add(key: text(key), value: value.map(text), timestamp: 1_000)
        _ = try log.append(builder.build()[...], at: 1_000)
    }

    private func end(_ result: TransactionResult, _ producerId: Int64) throws {
        _ = try log.appendMarker(result, producerId: producerId, producerEpoch: 0, coordinatorEpoch: 0, at: 1_000)
    }

    private func contents() throws -> [String] {
        try values(of: log, from: log.startOffset, isolation: .readCommitted).map { record in
            let value = record.value.map { String(decoding: $0, as: UTF8.self) } ?? "-"
            return "\(record.offset):\(String(decoding: record.key ?? [], as: UTF8.self))=\(value)"
        }
    }

    private func headers() throws -> [RecordBatchHeader] {
        let bytes = try log.read(from: log.startOffset, bytesMax: 1 << 20, isolation: .readUncommitted).records
        var rest = bytes[...]
        var headers: [RecordBatchHeader] = []
        while !rest.isEmpty {
            headers.append(try RecordBatchHeader(checked: rest))
            rest = rest.dropFirst(headers[headers.count - 1].byteCount)
        }
        return headers
    }

    @Test func newestOfEachKeyIsKept() throws {
        for (key, value) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("b", "2")] { try append(key, value) }
        #expect(try log.compact(now: 1_000))
        #expect(try contents() == ["2:a=2", "3:c=1", "4:b=2"])
        #expect(try log.compact(now: 1_000) == false)
        #expect(log.startOffset == 0 && log.endOffset == 5 && log.dirtyByteCount == 0)
        #expect(try log.read(from: 0, bytesMax: 1, isolation: .readCommitted).nextOffset == 3)
        try append("c", "2")
        #expect(log.dirtyByteCount > 0)
        #expect(try log.compact(now: 1_000))
        #expect(try contents() == ["2:a=2", "4:b=2", "5:c=2"])
    }

    /// The same bytes as Kafka's MemoryRecords.filterTo for the same batch at the time 10000.
    @Test func tombstoneGetsItsHorizonAndGoes() throws {
        log.config.isCompacted = false
        for value in 0..<5 { try append("k\(value)", "x") }
        _ = try log.append(Golden.plain[...], at: 1_000)
        log.config.isCompacted = true
        #expect(try log.compact(now: 10_000))
        let read = try log.read(from: 5, bytesMax: 1_000, isolation: .readCommitted)
        #expect(read.records[...].prefix(Golden.horizon.count) == Golden.horizon[...])
        try append("k9", "x")
        #expect(try log.compact(now: 11_999) == false)
        #expect(try contents().contains("7:k1=-"))
        #expect(try log.compact(now: 12_000))
        #expect(try contents() == ["0:k0=x", "2:k2=x", "3:k3=x", "4:k4=x", "8:k9=x"])
    }

    @Test func lastBatchSaysWhereTheLogEnds() throws {
        try append("a", nil)
        _ = try log.compact(now: 0)
        #expect(try log.compact(now: 2_000))
        #expect(try contents().isEmpty)
        #expect(try headers().map(\.count) == [0])
        let again = try PartitionLog(storage: log.storage)
        #expect(again.endOffset == 1)
    }

    @Test func abortedRecordsGoAndMarkersLater() throws {
        try append("a", "1")
        try append("a", "aborted", producerId: 1, sequence: 0)
        try end(.abort, 1)
        try append("b", "1", producerId: 1, sequence: 1)
        try end(.commit, 1)
        try append("c", "1")
        #expect(try log.compact(now: 10_000))
        // An aborted record hides no older one.
        #expect(try contents() == ["0:a=1", "3:b=1", "5:c=1"])
        #expect(try headers().map(\.baseOffset) == [0, 2, 3, 4, 5])
        // The abort marker ends nothing any more: it gets a horizon, and goes when that is over.
        #expect(try log.compact(now: 11_000))
        #expect(try headers().map(\.deleteHorizonMs) == [nil, 13_000, nil, nil, nil])
        #expect(try log.compact(now: 12_999) == false)
        #expect(try log.compact(now: 13_000))
        #expect(try headers().map(\.baseOffset) == [0, 3, 4, 5])
        #expect(try contents() == ["0:a=1", "3:b=1", "5:c=1"])
        let read = try log.read(from: 0, bytesMax: 1_000, isolation: .readCommitted)
        #expect(read.aborted.isEmpty)
    }

    @Test func nothingBehindTheLastStableOffsetIsTouched() throws {
        try append("a", "1")
        try append("a", "2")
        try append("b", "1", producerId: 1, sequence: 0)
        try append("a", "3")
        try append("a", "4")
        #expect(try log.compact(now: 0))
        #expect(try headers().map(\.baseOffset) == [1, 2, 3, 4])
        try end(.commit, 1)
        #expect(try log.compact(now: 0))
        #expect(try contents() == ["2:b=1", "4:a=4"])
    }

    /// A producer's last batch stays as a header, so that its sequence is known after a restart.
    @Test func sequencesOutliveCompaction() throws {
        try append("a", "1", producerId: 7, sequence: 0)
        try append("a", "2", producerId: 7, sequence: 1)
        try end(.commit, 7)
        try append("a", "3")
        #expect(try log.compact(now: 0))
        #expect(try headers().map(\.count) == [0, 1, 1])
        let again = try PartitionLog(storage: log.storage, config: log.config)
        #expect(again.producers.entries[7]?.lastSequence == 1)
        let duplicate = try again.append(
            batch("2", key: "a", producerId: 7, epoch: 0, sequence: 1, isTransactional: true)[...], at: 0)
        #expect(duplicate.isDuplicate && duplicate.firstOffset == 1)
    }

    @Test func compressedBatchesStay() throws {
        _ = try log.append(Golden.gzip[...], at: 1_000)
        try append("k1", "new")
        _ = try log.append(Golden.gzip[...], at: 1_000)
        #expect(try log.compact(now: 0) == false)
        #expect(try headers().map(\.count) == [3, 1, 3])
    }
}
