package import EmbeddedBroker

/// When appended bytes are made to outlast a loss of power. They outlast the end of the process in any case.
package enum SyncPolicy: Hashable, Sendable {
    /// When the system likes to, as Kafka does by default.
    case never
    /// So long after they came; see `SegmentStorage.advance`.
    case everyMs(Int64)
    case eachAppend
}

/// A partition's log in a folder: files named as Kafka's by their first offset, each a run of whole record batches.
///
/// Beside them lie `start-offset`, `clean-stop` (the sizes at the last orderly end), `unsynced` (files were begun
/// without making those before outlast a loss of power), and `replacement` while a compaction is put in place.
/// For one thread, and one process, at a time.
package final class SegmentStorage: LogStorage {
    package internal(set) var startOffset: Int64 = 0
    package internal(set) var startPosition: Int64 = 0
    package internal(set) var trustedPosition: Int64 = 0
    package var endPosition: Int64 { segments.last?.end ?? emptyPosition }

    let folder: SegmentFolder
    let segmentBytesMax: Int64
    let policy: SyncPolicy
    var segments: [Segment] = []
    /// Where a log without segments starts and ends.
    var emptyPosition: Int64 = 0
    var replacement: Replacement?
    var isMarkedUnsynced = false
    /// Why nothing is written any more: the disk is in a state that only opening again can tell.
    var brokenBecause: StorageError?
    private var unsyncedSinceMs: Int64?

    static let startOffsetName = "start-offset"
    static let cleanStopName = "clean-stop"
    static let unsyncedName = "unsynced"
    static let replacementName = "replacement"

    /// Opens the log in a folder, which is made if it is not there; its parent must be.
    /// - Throws: `failed` where a file cannot be opened or read. Nothing is dropped then.
    package convenience init(path: String, segmentBytesMax: Int64 = 1 << 30, sync policy: SyncPolicy = .never)
        throws(StorageError)
    {
        try self.init(SegmentFolder(path), segmentBytesMax: segmentBytesMax, sync: policy)
    }

    init(_ folder: SegmentFolder, segmentBytesMax: Int64, sync policy: SyncPolicy) throws(StorageError) {
        self.folder = folder
        self.segmentBytesMax = max(1, segmentBytesMax)
        self.policy = policy
        try open()
    }

    // MARK: - The end

    package func append(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64) throws(StorageError) {
        try checkIsWhole()
        guard !batch.isEmpty else { return }
        if let last = segments.last, last.size + Int64(batch.count) <= segmentBytesMax {
            try segments[segments.count - 1].append(batch)
        } else {
            try roll(batch, baseOffset)
        }
        guard policy == .eachAppend else { return }
        do throws(StorageError) {
            try sync()
        } catch {
            // Whether the bytes are there after a loss of power is unknown: the log is not to be written on.
            try? cut(to: endPosition - Int64(batch.count))
            throw error
        }
    }

    package func truncateTail(position: Int64) throws(StorageError) {
        try checkIsWhole()
        try check(position)
        discardReplacement()
        try cut(to: position)
        trustedPosition = min(trustedPosition, position)
    }

    // MARK: - The head

    package func truncateHead(startOffset: Int64, position: Int64) throws(StorageError) {
        try checkIsWhole()
        try check(position)
        discardReplacement()
        if startOffset != self.startOffset {
            try folder.replace(Self.startOffsetName, with: "\(startOffset)\n")
            self.startOffset = startOffset
        }
        // What cannot be removed stays in the log; readers begin behind it all the same.
        while let first = segments.first, first.end <= position, (try? first.file.remove()) != nil {
            emptyPosition = first.end
            segments.removeFirst()
        }
        startPosition = segments.first?.position ?? emptyPosition
        trustedPosition = max(trustedPosition, startPosition)
    }

    // MARK: - Reading

    package func read(at position: Int64, count: Int) throws(StorageError) -> [UInt8] {
        try check(position)
        let size = Int(min(Int64(max(0, count)), endPosition - position))
        guard size > 0 else { return [] }
        var index = self.index(at: position)
        var bytes: [UInt8] = []
        while bytes.count < size {
            let segment = segments[index]
            let offset = max(0, position - segment.position)
            let part = Int(min(segment.size - offset, Int64(size - bytes.count)))
            let read = try segment.file.read(at: offset, count: part)
            if part == size { return read }
            bytes.append(contentsOf: read)
            index += 1
        }
        return bytes
    }

    // MARK: - Safety

    /// Makes all that was appended outlast a loss of power.
    package func sync() throws(StorageError) {
        try checkIsWhole()
        unsyncedSinceMs = nil
        do throws(StorageError) {
            for index in segments.indices where !segments[index].isSynced { try segments[index].sync() }
        } catch {
            // The system forgets what it could not write: a second call would succeed without it.
            brokenBecause = error
            throw error
        }
    }

    /// Syncs what the policy wants by now.
    /// - Returns: when to call again; nil where nothing waits.
    package func advance(nowMs: Int64) throws(StorageError) -> Int64? {
        guard case .everyMs(let interval) = policy, segments.contains(where: { !$0.isSynced }) else { return nil }
        let since = unsyncedSinceMs ?? nowMs
        unsyncedSinceMs = since
        guard nowMs - since >= interval else { return since &+ interval }
        try sync()
        return nil
    }

    /// Syncs, and notes for the next start that the files are whole. Nothing is appended afterwards.
    package func close() throws(StorageError) {
        discardReplacement()
        try sync()
        for segment in segments where try segment.file.size() != segment.size {
            try segment.file.truncate(to: segment.size)
        }
        if isMarkedUnsynced { try folder.remove(Self.unsyncedName) }
        let lines = segments.map { "\($0.file.name) \($0.size)\n" }
        try folder.replace(Self.cleanStopName, with: lines.joined())
        brokenBecause = .failed("\(folder.path): the log is closed")
    }

    // MARK: - Inside

    func checkIsWhole() throws(StorageError) {
        if let brokenBecause { throw brokenBecause }
    }

    func check(_ position: Int64) throws(StorageError) {
        guard position >= startPosition, position <= endPosition else {
            throw .failed("\(folder.path): there are no bytes at position \(position)")
        }
    }

    /// The segment with the byte at `position`, which is there.
    func index(at position: Int64) -> Int {
        var (low, high) = (0, segments.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if segments[middle].position <= position { low = middle } else { high = middle }
        }
        return low
    }

    /// Begins a file with a batch.
    private func roll(_ batch: ArraySlice<UInt8>, _ baseOffset: Int64) throws(StorageError) {
        if policy == .never {
            if !isMarkedUnsynced, !segments.isEmpty {
                try folder.replace(Self.unsyncedName, with: "")
                isMarkedUnsynced = true
            }
        } else {
            // So the next start need not look at the files in front of the last one.
            try sync()
        }
        guard baseOffset > segments.last?.baseOffset ?? -1 else {
            throw .failed("\(folder.path): offset \(baseOffset) does not follow those that are there")
        }
        let file = try DiskFile(folder, Segment.name(baseOffset), .replaced)
        var segment = Segment(baseOffset: baseOffset, file: file, position: endPosition, size: 0, isSynced: true)
        do throws(StorageError) {
            try segment.append(batch)
            if policy != .never { try folder.sync() }
        } catch {
            try? file.remove()
            throw error
        }
        segments.append(segment)
    }

    private func cut(to position: Int64) throws(StorageError) {
        while let last = segments.last, last.position >= position {
            try last.file.remove()
            emptyPosition = last.position
            segments.removeLast()
        }
        guard let last = segments.last, last.end > position else { return }
        try last.file.truncate(to: position - last.position)
        segments[segments.count - 1].size = position - last.position
        segments[segments.count - 1].isSynced = false
    }
}
