/// A transaction that was aborted, as a fetch answers it: its producer and where it began.
package struct AbortedTransaction: Hashable, Sendable {
    package var producerId: Int64
    package var firstOffset: Int64
    /// The abort marker's.
    package var lastOffset: Int64
    /// The last stable offset as soon as the transaction had ended.
    package var lastStableOffset: Int64
}

/// The aborted transactions of a log, in the order of their markers (Kafka's transaction index).
struct AbortedTransactions: Sendable {
    private(set) var entries: [AbortedTransaction] = []

    mutating func add(_ entry: AbortedTransaction) {
        entries.append(entry)
    }

    /// Those that have records at or behind `offset` and before `end`.
    func intersecting(from offset: Int64, to end: Int64) -> [AbortedTransaction] {
        var found: [AbortedTransaction] = []
        for entry in entries[firstIndex(endingAt: offset)...] {
            if entry.firstOffset < end { found.append(entry) }
            // All transactions from before this offset are over: later entries begin behind it.
            if entry.lastStableOffset >= end { break }
        }
        return found
    }

    /// The aborted transaction to which a producer's batch belongs.
    func transaction(of header: RecordBatchHeader) -> AbortedTransaction? {
        guard header.isTransactional else { return nil }
        return entries[firstIndex(endingAt: header.baseOffset)...].first {
            $0.producerId == header.producerId && $0.firstOffset <= header.baseOffset
        }
    }

    mutating func removeAll(endingBefore offset: Int64) {
        entries.removeFirst(firstIndex(endingAt: offset))
    }

    mutating func removeAll(where condition: (AbortedTransaction) -> Bool) {
        entries.removeAll(where: condition)
    }

    // MARK: -

    private func firstIndex(endingAt offset: Int64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].lastOffset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
