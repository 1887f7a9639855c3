extension PartitionLog {
    /// Keeps the newest record of each key below the last stable offset, and of older ones nothing.
    ///
    /// Aborted records go at once; tombstones, and markers whose transaction has no records left, go
    /// `deleteRetentionMs` after a compaction has first seen them so (KIP-534). Compressed batches stay as they are.
    /// - Returns: whether anything has changed.
    package func compact(now: Int64) throws(StorageError) -> Bool {
        guard config.isCompacted, endOffset > startOffset else { return false }
        let stable = lastStableOffset
        let end = stable == endOffset ? storage.endPosition : try locate(stable)?.position ?? storage.endPosition
        guard end > startPosition else { return false }
        var plan = CompactionPlan(
            newest: try newestOffsets(to: end), aborted: aborted, producers: producers.entries, now: now,
            deleteRetentionMs: config.deleteRetentionMs, logEnd: storage.endPosition)
        try storage.beginReplacement(below: end)
        var head = BatchIndex()
        var size: Int64 = 0
        var isChanged = false
        do {
            var walker = BatchWalker(from: startPosition, to: end)
            while let batch = try walker.next(storage) {
                let old = try bytes(of: batch)
                let kept = try plan.kept(of: batch, old)
                if case .original = kept {} else { isChanged = true }
                guard let bytes = kept.bytes(old), let header = try? RecordBatchHeader(bytes[...]) else { continue }
                try storage.appendReplacement(
                    bytes[...], baseOffset: header.baseOffset, maxTimestamp: header.maxTimestamp)
                head.add(baseOffset: header.baseOffset, position: size, maxTimestamp: header.maxTimestamp)
                size += Int64(bytes.count)
            }
            if isChanged {
                // Read before the replacement: a read that fails may not leave the index behind the storage.
                let next = try entry(behind: end)
                try storage.commitReplacement()
                startPosition = end - size
                index.replace(below: end, with: head.entries(from: startPosition), next: next)
            }
        } catch {
            storage.discardReplacement()
            throw error
        }
        dirtyPosition = end
        guard isChanged else {
            storage.discardReplacement()
            return false
        }
        let emptied = plan.emptied
        aborted.removeAll { emptied.contains($0.lastOffset) }
        return true
    }

    // MARK: -

    /// The index entry that begins at a batch's first byte, which may lie within a stretch.
    private func entry(behind position: Int64) throws(StorageError) -> BatchIndex.Entry? {
        let end = index.entries.first { $0.position > position }?.position ?? storage.endPosition
        return try entry(from: position, to: end)
    }

    /// The offset of each key's newest record in the uncompressed batches that were not aborted.
    private func newestOffsets(to end: Int64) throws(StorageError) -> [ArraySlice<UInt8>: Int64] {
        var newest: [ArraySlice<UInt8>: Int64] = [:]
        var walker = BatchWalker(from: startPosition, to: end)
        while let batch = try walker.next(storage) {
            let header = batch.header
            guard !header.isCompressed, !header.isControl, aborted.transaction(of: header) == nil else { continue }
            let bytes = try bytes(of: batch)
            var cursor = RecordCursor(header)
            do {
                while let record = try cursor.next(bytes.span.bytes) {
                    guard let key = record.key else { continue }
                    // A key of its own bytes, or the map would hold all batches.
                    newest[Array(bytes[key])[...]] = header.baseOffset &+ Int64(record.offsetDelta)
                }
            } catch { throw .corrupt(position: batch.position) }
        }
        return newest
    }
}

/// What compaction keeps of each batch; batches are shown to it in the log's order.
struct CompactionPlan {
    /// What is left of a batch.
    enum Kept {
        case original
        case rewritten([UInt8])
        case nothing

        func bytes(_ original: [UInt8]) -> [UInt8]? {
            switch self {
            case .original: original
            case .rewritten(let bytes): bytes
            case .nothing: nil
            }
        }
    }

    let newest: [ArraySlice<UInt8>: Int64]
    let aborted: AbortedTransactions
    let producers: [Int64: ProducerEntry]
    let now: Int64
    let deleteRetentionMs: Int64
    let logEnd: Int64
    /// The offsets of markers whose transaction has no batch any more.
    private(set) var emptied: Set<Int64> = []
    /// Producers with a batch of the transaction that their next marker ends.
    private var withData: Set<Int64> = []

    init(
        newest: [ArraySlice<UInt8>: Int64], aborted: AbortedTransactions, producers: [Int64: ProducerEntry],
        now: Int64, deleteRetentionMs: Int64, logEnd: Int64
    ) {
        self.newest = newest
        self.aborted = aborted
        self.producers = producers
        self.now = now
        self.deleteRetentionMs = deleteRetentionMs
        self.logEnd = logEnd
    }

    mutating func kept(of batch: LocatedBatch, _ bytes: [UInt8]) throws(StorageError) -> Kept {
        let header = batch.header
        if header.isControl { return try keptMarker(batch, bytes) }
        if header.isTransactional { withData.insert(header.producerId) }
        if header.isCompressed { return .original }
        if aborted.transaction(of: header) != nil { return emptied(batch) }
        let keepsTombstones = header.deleteHorizonMs.map { now < $0 } ?? true
        let newest = newest
        return try rewritten(batch, bytes) { record in
            guard let key = record.key else { return false }
            let isNewest = newest[bytes[key]].map { header.baseOffset &+ Int64(record.offsetDelta) >= $0 } ?? true
            return isNewest && (record.value != nil || keepsTombstones)
        }
    }

    // MARK: -

    private mutating func keptMarker(_ batch: LocatedBatch, _ bytes: [UInt8]) throws(StorageError) -> Kept {
        let header = batch.header
        if withData.remove(header.producerId) != nil { return .original }
        emptied.insert(header.lastOffset)
        guard let horizon = header.deleteHorizonMs else { return try rewritten(batch, bytes) { _ in true } }
        return now >= horizon ? emptied(batch) : .original
    }

    /// The batch with those records alone that are `kept`; it gets a horizon if it needs one.
    private func rewritten(_ batch: LocatedBatch, _ bytes: [UInt8], _ isKept: (RecordFields) -> Bool)
        throws(StorageError) -> Kept
    {
        let header = batch.header
        var records: [RecordFields] = []
        // A marker comes here only to get its horizon.
        var needsHorizon = header.isControl
        var cursor = RecordCursor(header)
        do {
            while let record = try cursor.next(bytes.span.bytes) {
                guard isKept(record) else { continue }
                records.append(record)
                if record.value == nil { needsHorizon = true }
            }
        } catch { throw .corrupt(position: batch.position) }
        needsHorizon = needsHorizon && header.deleteHorizonMs == nil
        if records.isEmpty { return emptied(batch) }
        if records.count == Int(header.count), !needsHorizon { return .original }
        let horizon = now.addingReportingOverflow(deleteRetentionMs)
        var builder = RecordBatchBuilder(
            replacing: header,
            deleteHorizonMs: needsHorizon ? (horizon.overflow ? Int64.max : horizon.partialValue) : nil)
        for record in records {
            builder.add(
                body: bytes[record.body], offsetDelta: record.offsetDelta, timestamp: header.timestamp(of: record))
        }
        return .rewritten(builder.build())
    }

    /// Nothing, or the header alone: a producer's last batch says where its sequence goes on after a restart, and
    /// the log's last one where its offsets go on.
    private func emptied(_ batch: LocatedBatch) -> Kept {
        var header = batch.header
        guard batch.end == logEnd || isLastOfProducer(header) else { return .nothing }
        if header.count == 0 { return .original }
        header.attributes &= 0x38
        header.count = 0
        header.baseTimestamp = -1
        return .rewritten(header.batch(records: []))
    }

    private func isLastOfProducer(_ header: RecordBatchHeader) -> Bool {
        guard header.hasProducerId, let entry = producers[header.producerId] else { return false }
        guard let last = entry.batches.last else { return header.isControl && header.producerEpoch == entry.epoch }
        return !header.isControl && header.lastOffset == last.lastOffset
    }
}
