extension PartitionLog {
    /// Rebuilds everything that is not stored: the index, the producers, the aborted transactions and the log's end.
    func recover() throws(StorageError) {
        var position = storage.startPosition
        var next: Int64?
        while position < storage.endPosition {
            let batch: LocatedBatch
            let marker: TransactionMarker?
            do {
                (batch, marker) = try recovered(at: position, behind: next)
            } catch .corrupt {
                // What follows was written later than the damage: it cannot be told from bytes by chance.
                try storage.truncateTail(position: position)
                break
            }
            endOffset = batch.header.nextOffset
            next = endOffset
            index.add(
                baseOffset: batch.header.baseOffset, position: position, maxTimestamp: batch.header.maxTimestamp)
            take(batch.header, marker)
            position = batch.end
        }
        endOffset = max(endOffset, startOffset)
        aborted.removeAll(endingBefore: startOffset)
        guard let first = try locate(startOffset) else {
            startPosition = storage.endPosition
            return index.trim(to: nil, in: 0)
        }
        startPosition = first.position
        guard let stretch = index.stretch(before: first.header.baseOffset) else { return }
        let end = index.end(of: stretch, logEnd: storage.endPosition)
        index.trim(to: try entry(from: first.position, to: end), in: stretch)
    }

    // MARK: -

    private func take(_ header: RecordBatchHeader, _ marker: TransactionMarker?) {
        guard header.hasProducerId else { return }
        if let marker {
            end(header, marker)
        } else if !header.isControl {
            producers.add(header)
        }
    }

    /// The batch at a position, if it is whole and follows what is in front of it.
    private func recovered(at position: Int64, behind next: Int64?) throws(StorageError)
        -> (LocatedBatch, TransactionMarker?)
    {
        let left = storage.endPosition - position
        let front = try storage.read(at: position, count: Int(min(left, Int64(RecordBatchHeader.size))))
        guard let header = try? RecordBatchHeader(front[...]), Int64(header.byteCount) <= left,
            header.lastOffsetDelta >= 0, header.baseOffset >= next ?? 0, header.lastOffset >= header.baseOffset,
            header.lastOffset < Int64.max
        else { throw .corrupt(position: position) }
        let batch = LocatedBatch(position: position, header: header)
        guard position >= storage.trustedPosition || header.isControl else { return (batch, nil) }
        let bytes = try bytes(of: batch)
        do {
            _ = try RecordBatchHeader(checked: bytes[...])
            let isMarker = header.isControl && header.count > 0
            return (batch, isMarker ? try TransactionMarker(batch: bytes[...]) : nil)
        } catch { throw .corrupt(position: position) }
    }
}
