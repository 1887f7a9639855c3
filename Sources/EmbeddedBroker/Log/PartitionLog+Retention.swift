extension PartitionLog {
    /// Deletes the records before an offset (DeleteRecords); -1 stands for the high watermark.
    ///
    /// - Returns: the first offset that is left.
    package func deleteRecords(before offset: Int64) throws(ReadError) -> Int64 {
        let target = offset == -1 ? highWatermark : offset
        guard target >= 0, target <= highWatermark else {
            throw .offsetOutOfRange(start: startOffset, end: endOffset)
        }
        do { try truncateHead(to: target) } catch { throw .storage(error) }
        return startOffset
    }

    /// Deletes what is too old, and what is too much. It goes by stretches of some kilobytes, as Kafka by segments.
    ///
    /// - Returns: whether anything was deleted.
    package func enforceRetention(now: Int64) throws(StorageError) -> Bool {
        guard config.isDeleted else { return false }
        var stretch = 0
        let entries = index.entries
        if let retentionMs = config.retentionMs {
            // Records without a time (-1) stay.
            while stretch < entries.count, entries[stretch].maxTimestamp >= 0,
                now &- entries[stretch].maxTimestamp > retentionMs
            {
                stretch += 1
            }
        }
        if let retentionBytes = config.retentionBytes {
            let end = storage.endPosition
            while stretch < entries.count, end - index.end(of: stretch, logEnd: end) >= retentionBytes {
                stretch += 1
            }
        }
        guard stretch > 0 else { return false }
        try truncateHead(to: stretch < entries.count ? entries[stretch].baseOffset : endOffset)
        return true
    }

    // MARK: -

    /// Lets the log start at an offset. Batches that lie in front of it as a whole are dropped.
    private func truncateHead(to offset: Int64) throws(StorageError) {
        guard offset > startOffset else { return }
        // All reads come first: one that fails may not leave the index behind the storage.
        let first = try locate(offset)
        let stretch = first.flatMap { index.stretch(before: $0.header.baseOffset) } ?? 0
        let position = first?.position ?? storage.endPosition
        let entry = try entry(from: position, to: index.end(of: stretch, logEnd: storage.endPosition))
        try storage.truncateHead(startOffset: offset, position: position)
        startOffset = offset
        startPosition = position
        dirtyPosition = max(dirtyPosition, position)
        aborted.removeAll(endingBefore: offset)
        index.trim(to: entry, in: stretch)
    }

    /// An index entry for the batches between two positions.
    func entry(from position: Int64, to end: Int64) throws(StorageError) -> BatchIndex.Entry? {
        var walker = BatchWalker(from: position, to: end)
        var entry: BatchIndex.Entry?
        while let batch = try walker.next(storage) {
            let header = batch.header
            let latest = max(entry?.maxTimestamp ?? -1, header.maxTimestamp)
            entry =
                entry ?? BatchIndex.Entry(baseOffset: header.baseOffset, position: batch.position, maxTimestamp: -1)
            entry?.maxTimestamp = latest
        }
        return entry
    }
}
