internal import StreamCore

/// Several entries at once.
extension OrderedTable {
    /// The values of several keys of a group, in their order.
    /// - Complexity: as so many of `value(for:in:)`, but the disk is asked once for all.
    package func values(for keys: [[UInt8]], in group: OrderedGroup) throws -> [[UInt8]?] {
        settle()
        var result = [[UInt8]?](repeating: nil, count: keys.count)
        var missing: [Int] = []
        let keys = keys.map { group.start + $0 }
        for (at, key) in keys.enumerated() {
            let (place, isFound) = rows.find(key)
            if isFound {
                if local != nil { rows.noteUse(place) }
                result[at] = rows[place].value
            } else if !isComplete {
                missing.append(at)
            }
        }
        guard let local, !missing.isEmpty else { return result }
        evict(rowsMax: 64 * missing.count)
        let values = try local.values(table: id, ordered: missing.map { keys[$0] })
        for (at, value) in zip(missing, values) {
            result[at] = value
            if let value { keep(keys[at], value, isRecent: true) }
        }
        return result
    }

    /// Calls `body` with the entries of a group in a range, in the order of their keys.
    /// - Parameters:
    ///   - isReversed: the last one first.
    ///   - limit: ends after so many.
    ///   - body: gets the key in the group (a part of a larger array, with its indices) and the value; tells whether to
    ///     go on.
    /// - Complexity: O(log keys in memory + entries that `body` gets, and those deleted since the last commit among
    ///   them); where memory has not everything, a seek on the disk.
    package func forEachEntry(
        in group: OrderedGroup, _ range: OrderedRange = .all, isReversed: Bool = false, limit: Int = .max,
        _ body: (_ key: ArraySlice<UInt8>, _ value: [UInt8]) throws -> Bool
    ) throws {
        guard limit > 0 else { return }
        var left = limit
        try forEachRow(in: group, range, isReversed: isReversed) { key, value in
            left -= 1
            return try body(key[group.start.count...], value) && left > 0
        }
    }

    /// Calls `body` with every entry: by shard and group, and in a group in the order of keys.
    /// - Complexity: O(entries)
    package func forEachEntry(
        _ body: (_ group: OrderedGroup, _ key: ArraySlice<UInt8>, _ value: [UInt8]) throws -> Void
    ) throws {
        var group: OrderedGroup?
        func pass(_ key: [UInt8], _ value: [UInt8]) throws -> Bool {
            if let known = group, key.starts(with: known.start) {
                try body(known, key[known.start.count...], value)
            } else {
                let next = try self.group(of: key)
                group = next
                try body(next, key[next.start.count...], value)
            }
            return true
        }
        warm()
        guard let local, !isComplete else { return try forEachRow([], nil, isReversed: false, pass) }
        for shard in local.shards {
            let start = Array(OrderedGroup(shard: shard).start[..<2])
            try forEachRow(start, nil, isReversed: false, pass)
        }
    }

    /// Deletes the entries of a group in a range: each is a deletion of its own, so that the changelog stays one of
    /// keys.
    /// - Returns: how many there were.
    /// - Complexity: O(n log keys in memory) for n entries in the range, whose keys and values are in memory until the
    ///   epoch is committed.
    @discardableResult
    package func deleteRange(in group: OrderedGroup, _ range: OrderedRange = .all) throws -> Int {
        var found: [(key: [UInt8], value: [UInt8])] = []
        try forEachRow(in: group, range, isReversed: false) { key, value in
            found.append((key, value))
            return true
        }
        for (key, value) in found {
            let (place, isFound) = rows.find(key)
            change(key, from: value, to: nil, at: place, isFound)
        }
        return found.count
    }

    // MARK: -

    private func forEachRow(
        in group: OrderedGroup, _ range: OrderedRange, isReversed: Bool, _ body: ([UInt8], [UInt8]) throws -> Bool
    ) throws {
        let from = group.start + range.from
        let to = range.to.map { group.start + $0 } ?? OrderedRange.successor(of: group.start)
        if let to, OrderedRows.compare(from, to) >= 0 { return }
        warm()
        try forEachRow(from, to, isReversed: isReversed, body)
    }

    /// Goes over disk and memory at once.
    /// - Parameters:
    ///   - from: with its shard, where the disk is asked.
    ///   - to: nil: the end of the shard, or of everything where memory is.
    private func forEachRow(
        _ from: [UInt8], _ to: [UInt8]?, isReversed: Bool, _ body: ([UInt8], [UInt8]) throws -> Bool
    ) throws {
        settle()
        guard let local, !isComplete else {
            var memory = rows.cursor(from, to, isReversed: isReversed)
            while let row = memory.next() {
                if let value = row.value, try !body(row.key, value) { return }
            }
            return
        }
        let end = to ?? OrderedRange.successor(of: Array(from[..<2]))
        var memory = rows.cursor(from, end, isReversed: isReversed)
        let disk = try local.rows(table: id, from, to, isReversed: isReversed)
        var row = memory.next()
        var stored = try disk.next()
        while row != nil || stored != nil {
            // What is in memory is as new, or newer.
            let order = row.flatMap { row in stored.map { OrderedRows.compare(row.key, $0.key) } }
            let isInMemory = order.map { isReversed ? $0 >= 0 : $0 <= 0 } ?? (row != nil)
            if isInMemory, let next = row {
                if let value = next.value, try !body(next.key, value) { return }
                row = memory.next()
                if order == 0 { stored = try disk.next() }
            } else if let next = stored {
                if try !body(next.key, next.value) { return }
                stored = try disk.next()
            }
        }
    }

    private func group(of key: [UInt8]) throws(StreamError) -> OrderedGroup {
        do {
            return try OrderedGroup(of: key, layout)
        } catch {
            throw local?.damaged ?? error
        }
    }
}
