/// The log of one partition on a broker that is alone: what is appended is committed at once, so that the high
/// watermark is always the log's end.
///
/// It belongs to one thread. It has no clock: times come in as milliseconds.
package final class PartitionLog {
    package var config: LogConfig
    /// The first offset that readers see, and the offset of the next record.
    package internal(set) var startOffset: Int64
    package internal(set) var endOffset: Int64
    package internal(set) var producers = ProducerStates()
    package var leaderEpoch: Int32

    /// To be opened again after a crash in a simulation; nobody else writes to it.
    package internal(set) var storage: any LogStorage
    var index = BatchIndex()
    var aborted = AbortedTransactions()
    /// The log's first batch is at or behind the storage's, which may free its bytes later.
    var startPosition: Int64
    /// What compaction has not seen begins here.
    var dirtyPosition: Int64

    /// Opens a log: goes over all batches, and cuts the log off at the first that is damaged.
    package init(storage: any LogStorage, config: LogConfig = LogConfig(), leaderEpoch: Int32 = 0)
        throws(StorageError)
    {
        self.storage = storage
        self.config = config
        self.leaderEpoch = leaderEpoch
        startOffset = storage.startOffset
        endOffset = storage.startOffset
        startPosition = storage.startPosition
        dirtyPosition = storage.startPosition
        try recover()
    }

    package var highWatermark: Int64 { endOffset }

    /// The first offset of the oldest open transaction, or the log's end.
    package var lastStableOffset: Int64 {
        guard let first = producers.firstOpenOffset else { return endOffset }
        return max(first, startOffset)
    }

    package func endOffset(_ isolation: Isolation) -> Int64 {
        isolation == .readCommitted ? lastStableOffset : highWatermark
    }

    /// The bytes that count for retention.
    package var byteCount: Int64 { storage.endPosition - startPosition }
    /// How many of them were appended since the last compaction.
    package var dirtyByteCount: Int64 { storage.endPosition - max(startPosition, dirtyPosition) }

    /// Forgets idle producers.
    package func expireProducers(now: Int64) {
        producers.expire(now: now, expirationMs: config.producerIdExpirationMs)
    }

    // MARK: -

    /// The first batch that ends at or behind an offset.
    func locate(_ offset: Int64) throws(StorageError) -> LocatedBatch? {
        guard let stretch = index.stretch(before: offset) else { return nil }
        var walker = BatchWalker(from: index.entries[stretch].position, to: storage.endPosition)
        while let batch = try walker.next(storage) {
            if batch.header.lastOffset >= offset { return batch }
        }
        return nil
    }

    func bytes(of batch: LocatedBatch) throws(StorageError) -> [UInt8] {
        let bytes = try storage.read(at: batch.position, count: batch.header.byteCount)
        guard bytes.count == batch.header.byteCount else { throw .corrupt(position: batch.position) }
        return bytes
    }
}
