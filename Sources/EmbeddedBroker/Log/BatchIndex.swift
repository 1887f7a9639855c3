/// A sparse index of a log: one entry for each stretch of some kilobytes, in memory and rebuilt when a log is opened.
struct BatchIndex: Sendable {
    /// A stretch of whole batches, from its first batch to the next entry.
    struct Entry: Hashable, Sendable {
        var baseOffset: Int64
        var position: Int64
        var maxTimestamp: Int64
    }

    static let stretchBytes: Int64 = 4096
    private(set) var entries: [Entry] = []

    mutating func add(baseOffset: Int64, position: Int64, maxTimestamp: Int64) {
        if let last = entries.indices.last, position - entries[last].position < Self.stretchBytes {
            entries[last].maxTimestamp = max(entries[last].maxTimestamp, maxTimestamp)
        } else {
            entries.append(Entry(baseOffset: baseOffset, position: position, maxTimestamp: maxTimestamp))
        }
    }

    /// The last stretch that starts at or before an offset; the first where there is none.
    func stretch(before offset: Int64) -> Int? {
        entries.isEmpty ? nil : max(0, count { $0.baseOffset <= offset } - 1)
    }

    /// The last entry that lies in front of a position.
    func entry(before position: Int64) -> Entry? {
        let below = count { $0.position < position }
        return below == 0 ? nil : entries[below - 1]
    }

    /// The entries of an index whose positions were counted from 0, as they are from another position on.
    func entries(from start: Int64) -> [Entry] {
        entries.map { Entry(baseOffset: $0.baseOffset, position: $0.position + start, maxTimestamp: $0.maxTimestamp) }
    }

    func end(of stretch: Int, logEnd: Int64) -> Int64 {
        stretch + 1 < entries.count ? entries[stretch + 1].position : logEnd
    }

    /// Lets the log start at `first`, which lies in the stretch of that number; nil leaves nothing.
    mutating func trim(to first: Entry?, in stretch: Int) {
        guard let first else { return entries.removeAll() }
        entries.removeFirst(stretch)
        entries[0] = first
    }

    /// Puts other entries in front of those from `position` on, which starts with `next` if that is a batch.
    mutating func replace(below position: Int64, with head: [Entry], next: Entry?) {
        let kept = entries.drop { $0.position <= position }
        entries = head + (next.map { [$0] } ?? []) + kept
    }

    // MARK: -

    /// How many entries hold a condition that all those in front hold too.
    private func count(while condition: (Entry) -> Bool) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if condition(entries[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A batch in a log.
struct LocatedBatch {
    var position: Int64
    var header: RecordBatchHeader
    var end: Int64 { position + Int64(header.byteCount) }
}

/// Goes over the headers of a log, some kilobytes at a read.
struct BatchWalker {
    private var position: Int64
    private let end: Int64
    private var bytes: [UInt8] = []
    private var bytesStart: Int64 = 0

    init(from position: Int64, to end: Int64) {
        self.position = position
        self.end = end
    }

    /// The next batch that is there as a whole, or nil at the end.
    mutating func next(_ storage: any LogStorage) throws(StorageError) -> LocatedBatch? {
        guard position < end else { return nil }
        let isHeld =
            position >= bytesStart && position + Int64(RecordBatchHeader.size) <= bytesStart + Int64(bytes.count)
        if !isHeld {
            bytes = try storage.read(at: position, count: Int(min(end - position, BatchIndex.stretchBytes)))
            bytesStart = position
        }
        guard let header = try? RecordBatchHeader(bytes[Int(position - bytesStart)...]),
            Int64(header.byteCount) <= end - position
        else { throw .corrupt(position: position) }
        defer { position += Int64(header.byteCount) }
        return LocatedBatch(position: position, header: header)
    }
}
