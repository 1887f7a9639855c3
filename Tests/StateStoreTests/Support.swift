import StateStore
import StreamCore

/// A clock that a test sets. One thread uses it.
final class HandClock: EngineClock, @unchecked Sendable {
    // Safety: a test hands it to no other thread.
    var wallMilliseconds: Int64 = 1_700_000_000_000
    var now: MonotonicTime { MonotonicTime(nanoseconds: wallMilliseconds * 1_000_000) }
}

/// A compacted changelog topic: what was committed, by partition.
struct Changelog {
    struct Record {
        var offset: Int64
        var timestamp: Int64
        var key: [UInt8]
        var value: [UInt8]?
    }

    var topic: TopicName
    var records: [Int32: [Record]] = [:]
    var ends: [Int32: Int64] = [:]

    mutating func commit(_ block: RecordBlock?, at timestamp: Int64) {
        guard let block else { return }
        for (index, slot) in block.slots.enumerated() {
            let offset = ends[slot.partition, default: 0]
            records[slot.partition, default: []].append(
                Record(offset: offset, timestamp: timestamp, key: block.key(index) ?? [], value: block.value(index)))
            ends[slot.partition] = offset + 1
        }
        // The transaction's marker.
        for partition in Set(block.slots.map(\.partition)) { ends[partition]? += 1 }
    }

    /// Keeps the newest record of each key; deletions go where they are older than `deletionsBefore`.
    mutating func compact(deletionsBefore: Int64 = .min) {
        for (partition, all) in records {
            var newest: [[UInt8]: Int64] = [:]
            for record in all { newest[record.key] = record.offset }
            records[partition] = all.filter { record in
                newest[record.key] == record.offset && (record.value != nil || record.timestamp >= deletionsBefore)
            }
        }
    }

    func read(_ positions: [Split: Position]) -> RecordBlock {
        let block = RecordBlock(topics: ["another", topic])
        for (split, position) in positions.sorted(by: { $0.key < $1.key }) {
            for record in records[split.partition.number] ?? [] where record.offset >= position.number {
                let key = block.arena.append(contentsOf: record.key)
                let value = record.value.map { block.arena.append(contentsOf: $0) } ?? .null
                block.slots.append(
                    RecordSlot(
                        key: key, value: value, offset: record.offset, timestamp: record.timestamp, topic: 1,
                        partition: split.partition.number))
            }
        }
        return block
    }

    func ends(of splits: some Sequence<Split>) -> [Split: Position] {
        Dictionary(uniqueKeysWithValues: splits.map { ($0, Position(ends[$0.partition.number] ?? 0)) })
    }
}

/// What the tests' operator holds: counts by word, and the numbers of past batches.
struct Contents: Equatable {
    var counts: [String: Int] = [:]
    var panes: [Int64: [Int]] = [:]
}

/// One task of an operator with a table and panes, as a program would have it.
struct CountingTask {
    let state: OperatorState
    let table: StateTable<String, Int>
    let panes: PaneStore<Int>

    init(_ state: OperatorState) {
        self.state = state
        table = state.table(id: 0)
        panes = state.panes(id: 1)
    }

    func contents() throws -> Contents {
        var result = Contents()
        func add(_ word: String, _ count: Int) { result.counts[word] = count }
        try table.forEachEntry(add)
        try panes.forEachPane(after: .min, through: .max) { result.panes[$0] = $1.sorted() }
        return result
    }
}
