internal import StreamCore

extension OrderedTable {
    /// Closes the open journal as that of `epoch` and writes what each of its keys has now, in the order in which the
    /// epoch first changed them.
    /// - Throws: `STATE_TOO_LARGE`; the journal is then still open.
    /// - Complexity: O(k log keys in memory) for k keys that the epoch touched.
    func seal(_ epoch: Epoch, into writer: ChangelogWriter) throws {
        precondition(sealed.last.map { $0.epoch < epoch } ?? true, "epochs are sealed in their order")
        guard !journal.isEmpty else { return }
        var deleted: [[UInt8]] = []
        for entry in journal {
            let (place, isFound) = rows.find(entry.key)
            let value = isFound ? rows[place].value : nil
            if value == nil { deleted.append(entry.key) }
            try writer.append(table: id, key: entry.key, value: value, before: entry.value)
        }
        sealed.append(SealedJournal(epoch: epoch, serial: serial, entries: journal, deleted: deleted))
        journal = []
        serial += 1
    }

    /// `epoch` and those before it are durable: their journals are forgotten. Repeats do nothing.
    func commit(_ epoch: Epoch) {
        while let first = sealed.first, first.epoch <= epoch {
            sealed.removeFirst()
            for key in first.deleted {
                let (place, isFound) = rows.find(key)
                // A key that a later journal has goes with that one.
                if isFound, rows[place].touched == first.serial { drop(place) }
            }
        }
        // Twice around finds every row that may go.
        evict(rowsMax: 2 * rows.count)
    }

    /// Undoes what was changed since the last seal.
    func rollbackOpen() {
        let entries = journal
        journal = []
        undo(entries)
    }

    /// Undoes everything that is not committed, the newest first.
    func rollback() {
        rollbackOpen()
        while let last = sealed.popLast() { undo(last.entries) }
    }

    /// Forgets everything, with the journals.
    func removeAll() {
        note(-byteSize)
        rows = OrderedRows()
        restored = []
        journal = []
        sealed = []
        counted = 0
        hand = 0
    }

    /// Forgets the keys of some shards; nothing is open or sealed.
    func removeShards(_ isRemoved: (Int) -> Bool, _ layout: ShardLayout) {
        precondition(journal.isEmpty && sealed.isEmpty, "shards are removed from committed state")
        settle()
        var kept: [OrderedRows.Row] = []
        var all = rows.cursor([], nil, isReversed: false)
        while let row = all.next() {
            if !isRemoved(OrderedGroup.shard(of: row.key)) { kept.append(row) }
        }
        replaceRows(kept)
    }

    // MARK: - Changelog

    /// A committed change, from a changelog. What goes to memory alone, or all of it, is put in its place later.
    func apply(shard: Int, key: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) throws(StreamError) {
        precondition(journal.isEmpty && sealed.isEmpty, "a changelog is applied to committed state")
        var whole = [UInt8(truncatingIfNeeded: shard >> 8), UInt8(truncatingIfNeeded: shard)]
        whole += key
        _ = try OrderedGroup(of: whole, layout)
        guard isComplete else { return follow(whole, value.map(Array.init)) }
        restored.append((whole, value.map(Array.init)))
        note(Self.cost(whole, restored[restored.count - 1].value))
        // Each settling goes over everything: so often that it is worth it, and seldom enough to be cheap.
        if restored.count >= max(50_000, rows.count) { settle() }
        guard let local, local.cache.isExceeded else { return }
        settle()
        if local.cache.isExceeded { leaveToDisk() }
    }

    /// Puts what was restored in its place, the newest of each key.
    /// - Complexity: O(r log r) for r restored changes, and O(keys in memory) where they are not few.
    func settle() {
        guard !restored.isEmpty else { return }
        let changes = restored
        restored = []
        let order = ByteOrder.sorted(changes.indices) { at in
            // Behind shard and length, mostly.
            unsafe changes[at].key.withUnsafeBytes { unsafe ByteOrder.start($0) }
        } compare: { one, other in
            OrderedRows.compare(changes[one].key, changes[other].key)
        }
        var merged: [OrderedRows.Row] = []
        merged.reserveCapacity(rows.count + order.count)
        var old = rows.cursor([], nil, isReversed: false)
        var row = old.next()
        for (index, at) in order.enumerated() {
            let change = changes[at]
            if index + 1 < order.count, changes[order[index + 1]].key == change.key { continue }
            while let before = row {
                let order = OrderedRows.compare(before.key, change.key)
                if order > 0 { break }
                if order < 0 { merged.append(before) }
                row = old.next()
            }
            if let value = change.value { merged.append(OrderedRows.Row(key: change.key, value: value)) }
        }
        while let before = row {
            merged.append(before)
            row = old.next()
        }
        replaceRows(merged)
    }

    // MARK: -

    /// Committed rows, and nothing else.
    private func replaceRows(_ sorted: [OrderedRows.Row]) {
        rows = OrderedRows(sorted: sorted)
        hand = 0
        note(sorted.reduce(0) { $0 + Self.cost($1.key, $1.value) } - byteSize)
        // With a disk, who writes to it counts.
        if local == nil { counted = rows.count }
    }

    private func undo(_ entries: ContiguousArray<Undo>) {
        for entry in entries.reversed() {
            let (place, isFound) = rows.find(entry.key)
            guard isFound else {
                assertionFailure("what is in a journal is in memory")
                continue
            }
            let value = rows[place].value
            counted += (entry.value == nil ? 0 : 1) - (value == nil ? 0 : 1)
            note((entry.value?.count ?? 0) - (value?.count ?? 0))
            rows.set(place, entry.value, touched: entry.touched)
            if entry.value == nil && !isPending(entry.touched) { drop(place) }
        }
    }

    /// Removes a row from memory that stands in no journal.
    func drop(_ place: OrderedRows.Place) {
        note(-Self.cost(rows[place].key, rows[place].value))
        rows.remove(at: place)
    }
}
