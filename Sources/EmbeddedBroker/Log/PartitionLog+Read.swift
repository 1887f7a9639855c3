/// What a reader gets: whole batches, of which the first may begin before the offset that was asked for.
package struct LogRead: Hashable, Sendable {
    package var records: [UInt8] = []
    /// Nothing at or behind it is in `records`.
    package var nextOffset: Int64
    /// With `readCommitted`: the aborted transactions that have records among these.
    package var aborted: [AbortedTransaction] = []
    package var logStartOffset: Int64
    package var highWatermark: Int64
    package var lastStableOffset: Int64
}

package enum ReadError: Error, Hashable, Sendable {
    /// OFFSET_OUT_OF_RANGE
    case offsetOutOfRange(start: Int64, end: Int64)
    /// KAFKA_STORAGE_ERROR
    case storage(StorageError)
}

extension PartitionLog {
    /// Reads from an offset on, up to the high watermark or the last stable offset.
    ///
    /// - Parameter hasOneBatch: the first batch is answered even where it alone is greater than `bytesMax` (KIP-74).
    package func read(from offset: Int64, bytesMax: Int, isolation: Isolation, hasOneBatch: Bool = true)
        throws(ReadError) -> LogRead
    {
        guard offset >= startOffset, offset <= endOffset else {
            throw .offsetOutOfRange(start: startOffset, end: endOffset)
        }
        var answer = LogRead(
            nextOffset: offset, logStartOffset: startOffset, highWatermark: highWatermark,
            lastStableOffset: lastStableOffset)
        let limit = endOffset(isolation)
        guard offset < limit else { return answer }
        do {
            guard let first = try locate(offset) else { return answer }
            let limitPosition =
                limit == endOffset ? storage.endPosition : try locate(limit)?.position ?? storage.endPosition
            let firstCount = Int64(first.header.byteCount)
            let wanted = max(Int64(max(0, bytesMax)), hasOneBatch ? firstCount : 0)
            let count = min(wanted, limitPosition - first.position)
            guard count >= firstCount else { return answer }
            answer.records = try storage.read(at: first.position, count: Int(count))
            answer.nextOffset = try cut(&answer.records, from: first)
        } catch { throw .storage(error) }
        if isolation == .readCommitted {
            answer.aborted = aborted.intersecting(from: offset, to: answer.nextOffset)
        }
        return answer
    }

    // MARK: -

    /// Drops the part of a batch at the end; returns the offset behind the last whole batch.
    private func cut(_ records: inout [UInt8], from first: LocatedBatch) throws(StorageError) -> Int64 {
        let end = Int(first.header.byteCount)
        guard records.count >= end else { throw .corrupt(position: first.position) }
        var whole = end
        var next = first.header.nextOffset
        // Only the batches of the last stretch have to be looked at.
        if let entry = index.entry(before: first.position + Int64(records.count)), entry.position >= first.end {
            whole = Int(entry.position - first.position)
            next = entry.baseOffset
        }
        while whole < records.count {
            let header: RecordBatchHeader
            do {
                header = try RecordBatchHeader(records[whole...])
            } catch .truncated { break } catch { throw .corrupt(position: first.position + Int64(whole)) }
            guard header.byteCount <= records.count - whole else { break }
            whole += header.byteCount
            next = header.nextOffset
        }
        records.removeLast(records.count - whole)
        return next
    }
}
