internal import StreamCore

/// What a window keeps: the elements of past batches by their time.
///
/// Adding and dropping panes can be undone until they are committed, as with `StateTable`. Confined to its task's
/// thread. The elements of a pane are in the order of their shards, and within a shard in the order they came.
package final class PaneStore<Element: StateCodable> {
    package let id: UInt8
    /// Elements of all panes.
    package internal(set) var count = 0
    /// About what the panes cost in memory; elements of the open epoch count when it is sealed.
    package internal(set) var byteSize = 0

    /// Rising times.
    var panes: [Pane] = []
    var journal: [Undo] = []
    var sealed: [(epoch: Epoch, entries: [Undo])] = []

    package init(id: UInt8) { self.id = id }

    struct Pane {
        var time: Int64
        /// Rising shards.
        var parts: [Part] = []
        var count: Int { parts.reduce(0) { $0 + $1.count } }
    }

    /// A pane's elements of one shard.
    struct Part {
        var shard: Int
        /// As they lie in the changelog: the index is the chunk's number. A gap, which only a changelog that is being
        /// read may leave for a while, is empty.
        var chunks: [Chunk] = []
        /// Added since the last seal.
        var open: [Element] = []
        var count: Int { chunks.reduce(open.count) { $0 + $1.elements.count } }
    }

    struct Chunk {
        var elements: [Element] = []
        /// Encoded.
        var bytes = 0
    }

    enum Undo {
        /// A part had so many chunks before the epoch, and so many open elements (none but in the open epoch).
        case added(time: Int64, shard: Int, chunks: Int, open: Int)
        case removed([Pane])
    }

    // MARK: - Reading and changing

    /// Adds elements to the pane of a batch time.
    /// - Complexity: O(elements), and O(log panes)
    package func add(_ elements: [Element], at timeMs: Int64, shard: Int) {
        guard !elements.isEmpty else { return }
        let (pane, part) = makePart(timeMs, shard)
        let chunks = panes[pane].parts[part].chunks.count
        let open = panes[pane].parts[part].open.count
        journal.append(.added(time: timeMs, shard: shard, chunks: chunks, open: open))
        if open == 0 {
            panes[pane].parts[part].open = elements
        } else {
            panes[pane].parts[part].open += elements
        }
        count += elements.count
    }

    /// Drops the panes with this time and earlier ones.
    package func removePanes(through timeMs: Int64) {
        let end = firstPane(after: timeMs)
        guard end > 0 else { return }
        let removed = Array(panes[..<end])
        panes.removeFirst(end)
        for pane in removed { forget(pane) }
        journal.append(.removed(removed))
    }

    /// Calls `body` once for each pane in a half-open range of times, with all its elements, in the order of times.
    package func forEachPane(
        after: Int64, through: Int64, _ body: (Int64, [Element]) throws -> Void
    ) throws {
        var at = firstPane(after: after)
        while at < panes.count, panes[at].time <= through {
            try body(panes[at].time, elements(of: panes[at]))
            at += 1
        }
    }

    // MARK: -

    private func elements(of pane: Pane) -> [Element] {
        // One array as it is, where there is but one.
        if pane.parts.count == 1, let part = pane.parts.first {
            if part.chunks.isEmpty { return part.open }
            if part.chunks.count == 1 && part.open.isEmpty { return part.chunks[0].elements }
        }
        var result: [Element] = []
        result.reserveCapacity(pane.count)
        for part in pane.parts {
            for chunk in part.chunks { result += chunk.elements }
            result += part.open
        }
        return result
    }

    func firstPane(after time: Int64) -> Int {
        var low = 0
        var high = panes.count
        while low < high {
            let middle = (low + high) / 2
            if panes[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Where a pane's part is, if it is there.
    func findPart(_ time: Int64, _ shard: Int) -> (pane: Int, part: Int)? {
        let pane = firstPane(after: time) - 1
        guard pane >= 0, panes[pane].time == time,
            let part = panes[pane].parts.firstIndex(where: { $0.shard == shard })
        else { return nil }
        return (pane, part)
    }

    func makePart(_ time: Int64, _ shard: Int) -> (pane: Int, part: Int) {
        var pane = firstPane(after: time) - 1
        if pane < 0 || panes[pane].time != time {
            pane += 1
            panes.insert(Pane(time: time), at: pane)
        }
        let parts = panes[pane].parts
        let part = parts.firstIndex { $0.shard >= shard } ?? parts.count
        if part == parts.count || parts[part].shard != shard {
            panes[pane].parts.insert(Part(shard: shard), at: part)
        }
        return (pane, part)
    }

    func forget(_ pane: Pane) { note(pane, -1) }

    /// Counts a pane in or out.
    func note(_ pane: Pane, _ sign: Int) {
        count += sign * pane.count
        for part in pane.parts { byteSize += sign * part.chunks.reduce(0) { $0 + $1.bytes } }
    }
}
