package import StreamCore

extension StateTable {
    /// Closes the open journal as that of `epoch` and writes what each of its keys has now.
    ///
    /// Several epochs may be sealed and not yet committed.
    /// - Throws: `STATE_ENCODING`, `STATE_TOO_LARGE`; the journal is then still open.
    /// - Complexity: O(keys that the epoch touched)
    package func seal(_ epoch: Epoch, into writer: ChangelogWriter) throws {
        precondition(sealed.last.map { $0.epoch < epoch } ?? true, "epochs are sealed in their order")
        guard !journal.isEmpty else { return }
        for entry in journal {
            let slot = Int(entry.slot)
            let value = slots[slot].value
            if value == nil && entry.value == nil { continue }
            let bytes = try writer.append(
                table: id, key: slots[slot].key, value: value, before: entry.value)
            setBytes(slot, value == nil ? 0 : bytes)
        }
        sealed.append(SealedJournal(epoch: epoch, serial: serial, entries: journal))
        journal = []
        serial &+= 1
    }

    /// `epoch` and those before it are durable: their journals are forgotten. Repeats do nothing.
    package func commit(_ epoch: Epoch) {
        while let first = sealed.first, first.epoch <= epoch {
            sealed.removeFirst()
            // A key that a later journal has goes with that one.
            for entry in first.entries {
                let slot = Int(entry.slot)
                if slots[slot].touched == first.serial && slots[slot].value == nil { release(slot) }
            }
        }
        // Twice around finds every slot that may go.
        evict(slotsMax: 2 * slots.count)
    }

    /// Undoes what was changed since the last seal.
    package func rollbackOpen() {
        let entries = journal
        journal = []
        undo(entries)
    }

    /// Undoes everything that is not committed, the newest first.
    package func rollback() {
        rollbackOpen()
        while let last = sealed.popLast() { undo(last.entries) }
    }

    /// A committed change, from a changelog: nil deletes. For a table without open, sealed or encoded changes.
    package func apply(key: Key, value: Value?) { apply(key: key, value: value, bytes: 0) }

    /// Forgets everything, with the journals.
    package func removeAll() {
        local?.cache.used -= byteSize
        encoded.removeAll()
        encodedCount = 0
        encodedBytes = 0
        isPartial = local != nil
        index = KeyIndex()
        slots = []
        hand = 0
        freeSlots = []
        journal = []
        sealed = []
        count = 0
        byteSize = 0
    }

    // MARK: -

    func apply(key: Key, value: Value?, bytes: Int) {
        precondition(journal.isEmpty && sealed.isEmpty, "a changelog is applied to committed state")
        let hash = KeyIndex.hash(key)
        guard let value else {
            if let slot = find(key, hash) {
                count -= 1
                release(slot)
            }
            return
        }
        let slot = find(key, hash) ?? insert(key, hash)
        if slots[slot].value == nil { count += 1 }
        slots[slot].value = value
        setBytes(slot, bytes)
    }

    /// Forgets the keys of some shards; nothing is open or sealed.
    func removeShards(_ isRemoved: (Int) -> Bool, _ layout: ShardLayout) {
        precondition(journal.isEmpty && sealed.isEmpty, "shards are removed from committed state")
        encoded.remove { isRemoved(layout.shard(ofKeyHash: $0)) }
        noteEncoded()
        for slot in slots.indices where slots[slot].value != nil {
            if isRemoved(layout.shard(ofKeyHash: stableHash(slots[slot].key))) {
                if local == nil { count -= 1 }
                release(slot)
            }
        }
    }

    private func undo(_ entries: ContiguousArray<Undo>) {
        for entry in entries.reversed() {
            let slot = Int(entry.slot)
            count += (entry.value == nil ? 0 : 1) - (slots[slot].value == nil ? 0 : 1)
            slots[slot].value = entry.value
            slots[slot].touched = entry.touched
            if entry.value == nil && !isPending(entry.touched) { release(slot) }
        }
    }

    func setBytes(_ slot: Int, _ encoded: Int) {
        let bytes = encoded == 0 ? 0 : encoded + slotBytes
        let clamped = UInt32(clamping: bytes)
        let change = Int(clamped) - Int(slots[slot].bytes)
        slots[slot].bytes = clamped
        byteSize += change
        local?.cache.used += change
    }
}
