import StreamCore

/// Where each owned split is read, and how far it may be read in this epoch. Pure.
///
/// Every record is checked here before it is used: it must be of an owned split and not behind the position; this is
/// what makes stale fetches after a rebalance or a seek harmless.
struct SplitCursors {
    struct Cursor {
        /// The next position that is accepted.
        var next: Position
        /// Where the open epoch began.
        var epochStart: Position
        /// Records from here on wait for a later epoch; nil: no limit.
        var limit: Position?
        /// The end that was told of while the limit lay before it. It is told once.
        var endBehindLimit: Position?
        /// The split is over for good (a file).
        var isFinished = false
    }

    private(set) var cursors: [Split: Cursor] = [:]

    var positions: [Split: Position] { cursors.mapValues(\.next) }
    var splits: Set<Split> { Set(cursors.keys) }
    subscript(split: Split) -> Cursor? { cursors[split] }

    /// Whether some position moved since the last commit point, with or without records.
    var hasMoved: Bool { cursors.values.contains { $0.next != $0.epochStart } }

    /// Whether something that is known to be there, and may be read in this epoch, was not read yet.
    /// - Parameter end: of a split; nil where none is known.
    func isBehind(_ end: (Split) -> Position?) -> Bool {
        cursors.contains { split, cursor in
            guard !cursor.isFinished, let end = end(split) else { return false }
            return cursor.next < min(end, cursor.limit ?? end)
        }
    }

    /// What the open epoch covers.
    var ranges: [SplitRange] {
        cursors.compactMap { split, cursor in
            cursor.next > cursor.epochStart ? SplitRange(split, from: cursor.epochStart, to: cursor.next) : nil
        }
    }

    mutating func open(_ positions: [Split: Position]) {
        for (split, position) in positions { cursors[split] = Cursor(next: position, epochStart: position, limit: nil) }
    }

    mutating func close(_ splits: Set<Split>) {
        for split in splits { cursors[split] = nil }
    }

    mutating func removeAll() { cursors.removeAll() }

    /// The next epoch begins where this one ended.
    mutating func epochCut() {
        cursors = cursors.mapValues { cursor in
            var cursor = cursor
            cursor.epochStart = cursor.next
            return cursor
        }
    }

    mutating func setLimit(_ limit: Position?, of split: Split) { cursors[split]?.limit = limit }

    mutating func clearLimits() {
        for split in cursors.keys { cursors[split]?.limit = nil }
    }

    /// Whether every split that has a limit has come there (and there is one).
    var areLimitsReached: Bool {
        cursors.values.allSatisfy { cursor in cursor.limit.map { cursor.next >= $0 } ?? false } && !cursors.isEmpty
    }

    func isLimitReached(_ split: Split) -> Bool {
        guard let cursor = cursors[split], let limit = cursor.limit else { return false }
        return cursor.next >= limit
    }

    /// The end of a split was reached, maybe behind markers that hold no record. Never moves back, never past the
    /// limit.
    mutating func reachedEnd(_ split: Split, _ position: Position, isFinished: Bool = false) {
        guard var cursor = cursors[split] else { return }
        let limit = cursor.limit ?? position
        cursor.next = max(cursor.next, min(position, limit))
        cursor.endBehindLimit = position > limit ? position : nil
        cursor.isFinished = cursor.isFinished || isFinished
        cursors[split] = cursor
    }

    /// Limits were set anew, and the records that waited for that are admitted: ends that lay behind the old limits
    /// count, too. Without it a marker behind a limit would be lag for ever.
    mutating func resumeEnds() {
        for (split, cursor) in cursors {
            if let end = cursor.endBehindLimit { reachedEnd(split, end) }
        }
    }

    /// Records are gone: goes on at the first that exists, which lies before the position where the topic was made
    /// anew.
    mutating func skip(_ split: Split, to position: Position) {
        guard var cursor = cursors[split] else { return }
        if position < cursor.next {
            cursor = Cursor(next: position, epochStart: position, limit: cursor.limit)
        } else {
            cursor.next = max(cursor.next, min(position, cursor.limit ?? position))
        }
        cursors[split] = cursor
    }

    // MARK: - Records

    struct Admission {
        /// For the open epoch; the block itself when all of it is.
        var accepted: RecordBlock?
        /// Behind the limit of their split: for a later epoch.
        var later: RecordBlock?
        var staleCount = 0
    }

    /// Splits a block into what belongs to the open epoch, what comes later and what is stale, and moves the positions.
    /// - Complexity: one look at each slot; nothing is copied when all of the block is accepted.
    mutating func admit(_ block: RecordBlock) -> Admission {
        var fates: [Fate]?
        var staleCount = 0
        var current = Current()
        for index in block.slots.indices {
            let slot = block.slots[index]
            if slot.topic != current.topic || slot.partition != current.partition {
                store(current)
                current = load(block.split(index), slot)
            }
            let fate: Fate
            if !current.isOpen || slot.offset < current.next {
                fate = .stale
                staleCount += 1
            } else if slot.offset >= current.limit {
                // Records come in order, so nothing is left below the limit (markers at most).
                current.next = current.limit
                fate = .later
            } else {
                fate = .accepted
                current.next = max(slot.offset &+ 1, slot.offset)
            }
            if fate != .accepted, fates == nil { fates = [Fate](repeating: .accepted, count: block.count) }
            if fate != .accepted { fates?[index] = fate }
        }
        store(current)
        guard let fates else { return Admission(accepted: block) }
        return Admission(
            accepted: block.copy { fates[$0] == .accepted }, later: block.copy { fates[$0] == .later },
            staleCount: staleCount)
    }

    private enum Fate { case accepted, later, stale }

    /// The cursor of the split that the loop is at, unpacked.
    private struct Current {
        var topic: Int32 = -1
        var partition: Int32 = -1
        var split: Split?
        var isOpen = false
        var next: Int64 = 0
        var limit = Int64.max
    }

    private func load(_ split: Split, _ slot: RecordSlot) -> Current {
        let cursor = cursors[split]
        return Current(
            topic: slot.topic, partition: slot.partition, split: split, isOpen: cursor != nil,
            next: cursor?.next.number ?? 0, limit: cursor?.limit?.number ?? .max)
    }

    private mutating func store(_ current: Current) {
        if let split = current.split, current.isOpen { cursors[split]?.next = Position(current.next) }
    }
}

extension RecordBlock {
    /// A block of its own with the chosen records, or nil if there are none.
    func copy(where isChosen: (Int) -> Bool) -> RecordBlock? {
        let result = RecordBlock(topics: topics)
        for index in slots.indices where isChosen(index) {
            var slot = slots[index]
            slot.key = result.arena.append(slot.key, from: arena)
            slot.value = result.arena.append(slot.value, from: arena)
            slot.headers = result.arena.append(slot.headers, from: arena)
            result.slots.append(slot)
        }
        return result.isEmpty ? nil : result
    }
}
