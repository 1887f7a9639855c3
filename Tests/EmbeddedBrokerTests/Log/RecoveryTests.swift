import EmbeddedBroker
import Testing

@Suite struct RecoveryTests {
    /// Plain, transactional (open, committed and aborted) and compressed batches; the bytes of each.
    private func filled() throws -> (PartitionLog, [[UInt8]]) {
        let log = try PartitionLog(storage: MemoryStorage())
        _ = try log.append(Golden.plain[...], at: 0)
        _ = try log.append(Golden.transactional[...], at: 0)
        _ = try log.appendMarker(.abort, producerId: 7, producerEpoch: 3, coordinatorEpoch: 9, at: 0)
        _ = try log.append(Golden.gzip[...], at: 0)
        _ = try log.append(batch("a", producerId: 8, epoch: 0, sequence: 0, isTransactional: true)[...], at: 0)
        _ = try log.append(batch("b", "c")[...], at: 0)
        var batches: [[UInt8]] = []
        var rest = try log.read(from: 0, bytesMax: 1 << 20, isolation: .readUncommitted).records[...]
        while !rest.isEmpty {
            let size = try RecordBatchHeader(rest).byteCount
            batches.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return (log, batches)
    }

    private func opened(_ bytes: [UInt8]) throws -> PartitionLog {
        var storage = MemoryStorage()
        try storage.append(bytes[...], baseOffset: 0, maxTimestamp: 0)
        return try PartitionLog(storage: storage)
    }

    @Test func everythingIsRebuilt() throws {
        let (log, _) = try filled()
        let again = try PartitionLog(storage: log.storage)
        #expect(again.endOffset == 12 && again.lastStableOffset == 9)
        #expect(again.producers.entries == log.producers.entries)
        for isolation in [Isolation.readCommitted, .readUncommitted] {
            let read = try log.read(from: 0, bytesMax: 1 << 20, isolation: isolation)
            #expect(try again.read(from: 0, bytesMax: 1 << 20, isolation: isolation) == read)
        }
        let aborted = try again.read(from: 0, bytesMax: 1 << 20, isolation: .readCommitted).aborted
        #expect(aborted.map(\.firstOffset) == [3] && aborted.map(\.lastOffset) == [5])
    }

    @Test func startOutlivesARestart() throws {
        let (log, _) = try filled()
        _ = try log.deleteRecords(before: 4)
        var again = try PartitionLog(storage: log.storage)
        #expect(again.startOffset == 4 && again.endOffset == 12)
        _ = try log.deleteRecords(before: -1)
        again = try PartitionLog(storage: log.storage)
        #expect(again.startOffset == 12 && again.endOffset == 12 && again.byteCount == 0)
    }

    /// Its batches were deleted, its marker was not: what sequence number follows cannot be known.
    @Test func producerOfDeletedBatchesGoesOn() throws {
        let log = try PartitionLog(storage: MemoryStorage())
        for sequence in 0..<2 {
            let bytes = batch("a", producerId: 1, epoch: 0, sequence: Int32(sequence), isTransactional: true)
            _ = try log.append(bytes[...], at: 0)
        }
        _ = try log.appendMarker(.commit, producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, at: 0)
        _ = try log.deleteRecords(before: 2)
        let again = try PartitionLog(storage: log.storage)
        let next = batch("b", producerId: 1, epoch: 0, sequence: 2, isTransactional: true)
        #expect(try again.append(next[...], at: 0).firstOffset == 3)
        let gap = batch("b", producerId: 1, epoch: 0, sequence: 4, isTransactional: true)
        #expect(throws: AppendError.outOfOrderSequence(producerId: 1, sequence: 4, last: 2)) {
            try again.append(gap[...], at: 0)
        }
    }

    /// A cut at any byte leaves the whole batches in front of it.
    @Test func tornEndIsCutOff() throws {
        let (_, batches) = try filled()
        let bytes = batches.flatMap { $0 }
        for count in 0...bytes.count {
            let log = try opened(Array(bytes.prefix(count)))
            var whole = 0
            var size = 0
            while whole < batches.count, size + batches[whole].count <= count {
                size += batches[whole].count
                whole += 1
            }
            #expect(log.byteCount == size)
            #expect(log.storage.endPosition == size)
        }
    }

    /// A changed byte anywhere never traps; the batches in front of it stay, and those from it on go.
    @Test func damageIsCutOff() throws {
        let (_, batches) = try filled()
        let bytes = batches.flatMap { $0 }
        var start = 0
        for batch in batches {
            for at in 0..<batch.count {
                var damaged = bytes
                damaged[start + at] ^= 0x81
                let log = try opened(damaged)
                // No checksum covers the offset and the leader's epoch, in Kafka neither.
                let isCovered = (8..<12).contains(at) || at >= 16
                if isCovered { #expect(log.byteCount == start) }
                _ = try log.read(from: log.startOffset, bytesMax: 1 << 20, isolation: .readUncommitted)
                _ = try log.maxTimestamp(isolation: .readUncommitted)
            }
            start += batch.count
        }
    }

    /// Damaged batches of producers never trap, and only a change that no checksum covers is taken.
    @Test func damagedProducesAreRefused() throws {
        var numbers = SeededNumbers(state: 3)
        for golden in [Golden.plain, Golden.transactional, Golden.gzip, Golden.commit, Golden.empty] {
            for at in golden.indices {
                let log = try PartitionLog(storage: MemoryStorage())
                var damaged = golden
                damaged[at] ^= UInt8.random(in: 1...255, using: &numbers)
                let result = try? log.append(damaged[...], at: 1_000)
                #expect(result == nil || (12..<16).contains(at))
            }
        }
    }

    /// Records of any bytes under a sound checksum never trap.
    @Test func strangeRecordsAreRefusedOrRead() throws {
        var numbers = SeededNumbers(state: 4)
        let log = try PartitionLog(storage: MemoryStorage())
        log.config.isCompacted = true
        log.config.timestampAfterMsMax = Int64.max
        for _ in 0..<4_000 {
            var strange = try changed(Golden.transactional) { header in
                if Int.random(in: 0..<4, using: &numbers) == 0 {
                    header.baseTimestamp = Int64(bitPattern: numbers.next())
                }
                header.producerId = Int64(Int.random(in: -1...2, using: &numbers))
                header.baseSequence = Int32(truncatingIfNeeded: numbers.next())
                header.attributes &= Int16(truncatingIfNeeded: numbers.next())
            }
            for _ in 0..<Int.random(in: 0...2, using: &numbers) {
                strange[Int.random(in: 61..<strange.count, using: &numbers)] = UInt8.random(
                    in: 0...255, using: &numbers)
            }
            strange = try changed(strange) { _ in }
            _ = try? log.append(strange[...], at: 1_000)
            if log.endOffset % 50 == 0 { _ = try log.compact(now: Int64.max) }
        }
        #expect(log.endOffset > 100)
        _ = try log.maxTimestamp(isolation: .readUncommitted)
        _ = try PartitionLog(storage: log.storage, config: log.config)
    }
}
