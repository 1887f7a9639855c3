import StreamCore

/// The way of state back from its changelogs: which tasks must be asked, what must be read, how far it is. Pure.
struct StateRestore {
    /// Why changelogs are read.
    enum Purpose: Hashable {
        /// The query is ours: state must become that of this epoch (nil: of the changelogs' ends) before it goes on.
        case owner(Epoch?)
        /// Another instance runs the query: follow it, so that taking over is short.
        case standby
    }

    let purpose: Purpose
    /// Tasks that have not told yet what they need.
    private var silent: Set<Int>
    /// Where to go on reading, by partition.
    private(set) var positions: [Split: Position] = [:]
    /// Which tasks need a partition.
    private var takers: [Split: [Int]] = [:]
    private var targets: [Split: Position] = [:]
    private(set) var reached: [Split: Position] = [:]
    private(set) var recordCount = 0
    private var toRead: Int64 = 0
    private let breakages: ProtocolBreakage

    init(_ purpose: Purpose, tasks: Int, _ breakages: ProtocolBreakage = []) {
        self.breakages = breakages
        self.purpose = purpose
        silent = Set(0..<tasks)
    }

    /// - Returns: true once every task has told.
    mutating func tell(_ needs: [Split: Position], task: Int) -> Bool {
        guard silent.remove(task) != nil else { return false }
        for (split, position) in needs {
            takers[split, default: []].append(task)
            positions[split] = min(position, positions[split] ?? position)
        }
        return silent.isEmpty
    }

    mutating func began(_ ends: [Split: Position]) {
        targets = ends
        toRead = remaining
    }

    /// - Returns: the tasks that the block is for.
    mutating func takes(_ block: RecordBlock) -> Set<Int> {
        recordCount += block.count
        var tasks: Set<Int> = []
        var start = 0
        while start < block.slots.count {
            let slot = block.slots[start]
            var end = start + 1
            while end < block.slots.count, block.slots[end].partition == slot.partition,
                block.slots[end].topic == slot.topic
            { end += 1 }
            let split = block.split(start)
            tasks.formUnion(takers[split] ?? [])
            // Records of a partition come in order, so the last of a run tells how far it is.
            let next = Offset(block.slots[end - 1].offset).next
            if let known = positions[split], known < next { positions[split] = next }
            start = end
        }
        return tasks
    }

    mutating func reachedEnd(_ split: Split, _ position: Position) {
        guard let known = positions[split] else { return }
        positions[split] = max(known, position)
        reached[split] = position
    }

    /// Changes of this partition are gone: it is read again from its beginning.
    /// - Returns: the tasks that must forget it.
    mutating func lost(_ split: Split) -> [Int] {
        positions[split] = 0
        reached[split] = nil
        return takers[split] ?? []
    }

    /// What is still to be read.
    var unreached: [Split: Position] { positions.filter { reached[$0.key] == nil } }
    var isComplete: Bool {
        if breakages.contains(.restoreUnfinished), !reached.isEmpty { return true }
        return silent.isEmpty && reached.count == positions.count
    }

    // MARK: - Progress

    /// Offsets that are left, as far as the ends are known. Offsets, not records: compaction leaves gaps.
    var remaining: Int64 {
        targets.reduce(0) { sum, target in
            reached[target.key] != nil ? sum : sum + (positions[target.key]?.distance(to: target.value) ?? 0)
        }
    }

    /// From 0 to 1.
    var share: Double { toRead > 0 ? 1 - Double(remaining) / Double(toRead) : 1 }
}
