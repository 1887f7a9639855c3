/// A log's bytes in memory, in chunks that are never copied as the log grows.
package struct MemoryStorage: LogStorage, Sendable {
    package private(set) var startOffset: Int64 = 0
    package private(set) var startPosition: Int64 = 0
    package private(set) var endPosition: Int64 = 0
    package var trustedPosition: Int64 { startPosition }

    private struct Chunk: Sendable {
        var position: Int64
        var bytes: [UInt8]
        var end: Int64 { position + Int64(bytes.count) }
    }

    private var chunks: [Chunk] = []
    private var replacement: (below: Int64, chunks: [Chunk])?
    private let chunkBytes: Int

    package init(chunkBytes: Int = 256 << 10) {
        self.chunkBytes = max(1, chunkBytes)
    }

    // MARK: -

    package mutating func append(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64)
        throws(StorageError)
    {
        Self.append(batch, to: &chunks, at: endPosition, chunkBytes)
        endPosition += Int64(batch.count)
    }

    package func read(at position: Int64, count: Int) throws(StorageError) -> [UInt8] {
        guard position >= startPosition, position <= endPosition else {
            throw .failed("there are no bytes at position \(position)")
        }
        let size = Int(min(Int64(max(0, count)), endPosition - position))
        guard size > 0 else { return [] }
        var at = chunk(at: position)
        var offset = Int(position - chunks[at].position)
        if chunks[at].bytes.count - offset >= size { return Array(chunks[at].bytes[offset..<(offset + size)]) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        while bytes.count < size {
            let part = chunks[at].bytes[offset...].prefix(size - bytes.count)
            bytes.append(contentsOf: part)
            at += 1
            offset = 0
        }
        return bytes
    }

    package mutating func truncateHead(startOffset: Int64, position: Int64) throws(StorageError) {
        guard position >= startPosition, position <= endPosition else {
            throw .failed("the log cannot start at position \(position)")
        }
        self.startOffset = startOffset
        startPosition = position
        // A chunk in use keeps its front: only whole chunks are freed.
        let kept = position == endPosition ? chunks.endIndex : chunk(at: position)
        chunks.removeFirst(kept)
    }

    package mutating func truncateTail(position: Int64) throws(StorageError) {
        guard position >= startPosition, position <= endPosition else {
            throw .failed("the log cannot end at position \(position)")
        }
        if position == startPosition {
            chunks = []
        } else if position < endPosition {
            let last = chunk(at: position - 1)
            chunks.removeLast(chunks.count - last - 1)
            chunks[last].bytes.removeLast(Int(chunks[last].end - position))
        }
        endPosition = position
    }

    package mutating func beginReplacement(below position: Int64) throws(StorageError) {
        guard position >= startPosition, position <= endPosition else {
            throw .failed("there are no bytes at position \(position)")
        }
        replacement = (position, [])
    }

    package mutating func appendReplacement(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64)
        throws(StorageError)
    {
        guard replacement != nil else { throw .failed("no replacement was begun") }
        Self.append(batch, to: &replacement!.chunks, at: replacement?.chunks.last?.end ?? 0, chunkBytes)
    }

    package mutating func commitReplacement() throws(StorageError) {
        guard let (below, gathered) = replacement else { throw .failed("no replacement was begun") }
        replacement = nil
        var head = gathered
        var tail: [Chunk] = []
        if below < endPosition {
            let first = chunk(at: below)
            tail = Array(chunks[first...])
            tail[0].bytes.removeFirst(Int(below - tail[0].position))
            tail[0].position = below
        }
        // Gathered from position 0 on; now they end where the old ones ended.
        let start = below - (head.last?.end ?? 0)
        for at in head.indices { head[at].position += start }
        chunks = head + tail
        startPosition = start
    }

    package mutating func discardReplacement() {
        replacement = nil
    }

    // MARK: -

    /// The chunk with the byte at `position`, which is there.
    private func chunk(at position: Int64) -> Int {
        var low = 0
        var high = chunks.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if chunks[middle].position <= position { low = middle } else { high = middle }
        }
        return low
    }

    private static func append(_ batch: ArraySlice<UInt8>, to chunks: inout [Chunk], at end: Int64, _ chunkBytes: Int) {
        if let last = chunks.indices.last, chunks[last].bytes.count + batch.count <= chunkBytes {
            chunks[last].bytes.append(contentsOf: batch)
        } else {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(max(chunkBytes, batch.count))
            bytes.append(contentsOf: batch)
            chunks.append(Chunk(position: end, bytes: bytes))
        }
    }
}
