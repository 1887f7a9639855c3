/// Why a log's storage could not do what was asked.
package enum StorageError: Error, Hashable, Sendable {
    /// The disk or the system refused; nothing of the call took effect.
    case failed(String)
    case full
    /// The bytes there are no record batch although they were written as one.
    case corrupt(position: Int64)
}

/// What a partition's log needs from memory or a disk.
///
/// Bytes have positions that grow with each append. A position is only good until the storage is opened again, but it
/// never moves before that: cutting off the head leaves a greater `startPosition`, and a replaced head ends where the
/// old one ended, so that `startPosition` may move either way (even below zero).
/// A call that throws has changed nothing.
package protocol LogStorage {
    /// The first offset that readers see. Kept over restarts with the bytes; set by `truncateHead`.
    var startOffset: Int64 { get }
    var startPosition: Int64 { get }
    var endPosition: Int64 { get }
    /// Bytes below it are known to be whole when a log is opened (a clean stop); above it checksums are compared.
    var trustedPosition: Int64 { get }

    /// Adds one batch at the end.
    mutating func append(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64) throws(StorageError)

    /// Up to `count` bytes from a position between the start and the end; fewer only where the end comes first.
    func read(at position: Int64, count: Int) throws(StorageError) -> [UInt8]

    /// Sets `startOffset`, and frees what is in front of `position`, a batch's first byte or the end. What cannot be
    /// freed yet (a part of a segment) may stay: `startPosition` is then less than `position`.
    mutating func truncateHead(startOffset: Int64, position: Int64) throws(StorageError)

    /// Drops everything from `position` on: the damaged end that recovery finds.
    mutating func truncateTail(position: Int64) throws(StorageError)

    /// Begins to gather batches that shall take the place of everything below `position`, a batch's first byte or
    /// the end. Reads still see the old bytes. An unfinished replacement is forgotten by the next one, or by a crash.
    mutating func beginReplacement(below position: Int64) throws(StorageError)
    mutating func appendReplacement(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64)
        throws(StorageError)
    /// Puts the gathered batches in place at once: after a crash the old or the new bytes are there.
    mutating func commitReplacement() throws(StorageError)
    mutating func discardReplacement()
}
