import StreamCore

/// The splits that a consumer owns, and how far each was handed out.
struct SplitTable {
    struct Entry {
        let split: Split
        /// The offset of the next record to hand out; what lies before it is stale.
        var next: Int64 = -1
        /// It was opened and not paused.
        var isReading = false
        /// librdkafka has it in its assignment.
        var isAttached = false
        /// librdkafka reads it at another position than `next`.
        var mustReattach = false
        /// The group wants it back, and waits for the release.
        var isRevoking = false
        /// Fetched chunks with a lower number hold records of an older position.
        var validFrom: UInt64 = .max
        /// Where an end was reached since the last record, if it was.
        var end: Int64?
    }

    private(set) var entries: [Entry] = []
    private var indexes: [Split: Int] = [:]

    var splits: Set<Split> { Set(indexes.keys) }
    var isEmpty: Bool { entries.isEmpty }

    func index(of split: Split) -> Int? { indexes[split] }
    func contains(_ split: Split) -> Bool { indexes[split] != nil }

    subscript(index: Int) -> Entry {
        get { entries[index] }
        _modify { yield &entries[index] }
    }

    @discardableResult
    mutating func insert(_ split: Split) -> Int {
        if let index = indexes[split] { return index }
        entries.append(Entry(split: split))
        indexes[split] = entries.count - 1
        return entries.count - 1
    }

    mutating func remove(_ splits: Set<Split>) {
        entries.removeAll { splits.contains($0.split) }
        indexes = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].split, $0) })
    }

    mutating func update(_ splits: Set<Split>, _ body: (inout Entry) -> Void) {
        for split in splits { if let index = indexes[split] { body(&entries[index]) } }
    }

    /// The splits whose entries fulfil a condition.
    func all(where condition: (Entry) -> Bool) -> Set<Split> {
        Set(entries.lazy.filter(condition).map(\.split))
    }
}
