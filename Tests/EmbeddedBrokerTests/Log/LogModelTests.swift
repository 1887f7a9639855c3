import EmbeddedBroker
import Testing

/// A log beside the simplest list that says what readers have to see of it.
struct LogModel {
    struct Record {
        enum State { case committed, open, aborted }
        var offset: Int64
        var key: [UInt8]
        var value: [UInt8]?
        var producerId: Int64
        var state: State
        var horizon: Int64?
    }

    static let deleteRetentionMs: Int64 = 40
    private(set) var log: PartitionLog
    private var records: [Record] = []
    private var start: Int64 = 0
    private var end: Int64 = 0
    private var sequences: [Int64: Int32] = [:]
    private var last: [Int64: [UInt8]] = [:]
    private var now: Int64 = 1_000

    init() throws {
        log = try PartitionLog(storage: MemoryStorage(chunkBytes: 700), config: Self.config)
    }

    private static var config: LogConfig {
        var config = LogConfig()
        config.isCompacted = true
        config.deleteRetentionMs = deleteRetentionMs
        return config
    }

    private var stable: Int64 { records.first { $0.state == .open }?.offset ?? end }

    // MARK: - Steps

    mutating func step(_ numbers: inout SeededNumbers) throws {
        now += Int64.random(in: 0...5, using: &numbers)
        let producerId = Int64.random(in: 1...3, using: &numbers)
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0..<6: try append(nil, &numbers)
        case 6..<12: try append(producerId, &numbers)
        case 12..<15: try endTransaction(of: producerId, Bool.random(using: &numbers) ? .commit : .abort)
        case 15: try sendAgain(producerId)
        case 16: try deleteRecords(Int64.random(in: start...max(start, stable), using: &numbers))
        case 17, 18: try compact()
        default: log = try PartitionLog(storage: log.storage, config: Self.config)
        }
    }

    private mutating func append(_ producerId: Int64?, _ numbers: inout SeededNumbers) throws {
        let sequence = producerId.map { sequences[$0] ?? 0 } ?? -1
        var builder = RecordBatchBuilder(
            producerId: producerId ?? -1, producerEpoch: producerId == nil ? -1 : 0, baseSequence: sequence,
            isTransactional: producerId != nil)
        let count = Int.random(in: 1...4, using: &numbers)
        for _ in 0..<count {
            let key = text("k\(Int.random(in: 0..<8, using: &numbers))")
            let size = Int.random(in: 0...300, using: &numbers)
            let value =
                Int.random(in: 0..<4, using: &numbers) == 0 ? nil : text("\(end)") + [UInt8](repeating: 0, count: size)
            builder.add(key: key, value: value, timestamp: now)
            records.append(
                Record(
                    offset: end, key: key, value: value, producerId: producerId ?? -1,
                    state: producerId == nil ? .committed : .open))
            end += 1
        }
        let batch = builder.build()
        let result = try log.append(batch[...], at: now)
        #expect(result.firstOffset == end - Int64(count) && result.lastOffset == end - 1 && !result.isDuplicate)
        guard let producerId else { return }
        sequences[producerId] = sequence + Int32(count)
        last[producerId] = batch
    }

    private mutating func endTransaction(of producerId: Int64, _ result: TransactionResult) throws {
        let offset = try log.appendMarker(
            result, producerId: producerId, producerEpoch: 0, coordinatorEpoch: 0, at: now)
        #expect(offset == end)
        end += 1
        for at in records.indices where records[at].producerId == producerId && records[at].state == .open {
            records[at].state = result == .commit ? .committed : .aborted
        }
    }

    private func sendAgain(_ producerId: Int64) throws {
        guard let batch = last[producerId], log.producers.entries[producerId]?.batches.isEmpty == false else { return }
        #expect(try log.append(batch[...], at: now).isDuplicate)
    }

    private mutating func deleteRecords(_ offset: Int64) throws {
        #expect(try log.deleteRecords(before: offset) == offset)
        start = offset
        records.removeAll { $0.offset < offset }
    }

    private mutating func compact() throws {
        _ = try log.compact(now: now)
        let stable = stable
        var newest: [[UInt8]: Int64] = [:]
        for record in records where record.offset < stable && record.state == .committed {
            newest[record.key] = record.offset
        }
        let now = now
        records.removeAll { record in
            guard record.offset < stable else { return false }
            return record.state == .aborted || newest[record.key] != record.offset || record.horizon ?? Int64.max <= now
        }
        for at in records.indices where records[at].offset < stable && records[at].value == nil {
            records[at].horizon = records[at].horizon ?? now + Self.deleteRetentionMs
        }
    }

    // MARK: - Checks

    func check(_ numbers: inout SeededNumbers) throws {
        #expect(log.startOffset == start && log.endOffset == end && log.lastStableOffset == stable)
        let from = Int64.random(in: start...end, using: &numbers)
        let bytesMax = Int.random(in: 1...3_000, using: &numbers)
        for offset in [start, from] {
            let committed = records.filter { $0.offset >= offset && $0.offset < stable && $0.state == .committed }
            try expect(committed, from: offset, .readCommitted, bytesMax)
            try expect(records.filter { $0.offset >= offset }, from: offset, .readUncommitted, bytesMax)
        }
    }

    private func expect(_ expected: [Record], from offset: Int64, _ isolation: Isolation, _ bytesMax: Int) throws {
        let seen = try values(of: log, from: offset, isolation: isolation, bytesMax: bytesMax)
        #expect(seen.map(\.offset) == expected.map(\.offset))
        #expect(seen.map(\.key) == expected.map(\.key) && seen.map(\.value) == expected.map(\.value))
    }
}

@Suite struct LogModelTests {
    /// Random appends, transactions, deletions, compactions and restarts: readers see what a plain list says.
    @Test(arguments: 0..<24) func readersSeeTheModel(seed: Int) throws {
        var numbers = SeededNumbers(state: UInt64(seed))
        var model = try LogModel()
        for step in 0..<300 {
            try model.step(&numbers)
            if step % 3 == 0 { try model.check(&numbers) }
        }
        try model.check(&numbers)
    }
}
