/// A record's place in time and in the log.
package struct TimestampOffset: Hashable, Sendable {
    package var timestamp: Int64
    package var offset: Int64
}

extension PartitionLog {
    /// The first record at or behind a time, as ListOffsets answers it; nil where there is none that a reader sees.
    ///
    /// The records of a compressed batch cannot be told apart: its first offset stands for them, so that a reader
    /// who starts there misses nothing.
    package func offset(forTimestamp timestamp: Int64, isolation: Isolation) throws(StorageError)
        -> TimestampOffset?
    {
        for (stretch, entry) in index.entries.enumerated() where entry.maxTimestamp >= timestamp {
            let found = try first(in: stretch) { $0 >= timestamp }
            if let found { return found.offset < endOffset(isolation) ? found : nil }
        }
        return nil
    }

    /// The first record with the greatest time of all (KIP-734).
    package func maxTimestamp(isolation: Isolation) throws(StorageError) -> TimestampOffset? {
        var best: (stretch: Int, timestamp: Int64)?
        for (stretch, entry) in index.entries.enumerated() where entry.maxTimestamp > best?.timestamp ?? -1 {
            best = (stretch, entry.maxTimestamp)
        }
        guard let best else { return nil }
        let found = try first(in: best.stretch) { $0 >= best.timestamp }
        guard let found, found.offset < endOffset(isolation) else { return nil }
        return found
    }

    // MARK: -

    private func first(in stretch: Int, where matches: (Int64) -> Bool) throws(StorageError) -> TimestampOffset? {
        let end = index.end(of: stretch, logEnd: storage.endPosition)
        var walker = BatchWalker(from: index.entries[stretch].position, to: end)
        while let batch = try walker.next(storage) {
            if matches(batch.header.maxTimestamp), let found = try first(in: batch, where: matches) { return found }
        }
        return nil
    }

    private func first(in batch: LocatedBatch, where matches: (Int64) -> Bool) throws(StorageError)
        -> TimestampOffset?
    {
        let header = batch.header
        if header.isCompressed || header.timestampType == .logAppendTime {
            guard header.lastOffset >= startOffset else { return nil }
            let isFirst = header.deleteHorizonMs == nil && matches(header.baseTimestamp)
            let timestamp = header.timestampType == .createTime && isFirst ? header.baseTimestamp : header.maxTimestamp
            return TimestampOffset(timestamp: timestamp, offset: max(header.baseOffset, startOffset))
        }
        let bytes = try bytes(of: batch)
        var cursor = RecordCursor(header)
        do {
            while let record = try cursor.next(bytes.span.bytes) {
                let timestamp = header.timestamp(of: record)
                let offset = header.baseOffset &+ Int64(record.offsetDelta)
                if matches(timestamp), offset >= startOffset {
                    return TimestampOffset(timestamp: timestamp, offset: offset)
                }
            }
        } catch { throw .corrupt(position: batch.position) }
        return nil
    }
}
