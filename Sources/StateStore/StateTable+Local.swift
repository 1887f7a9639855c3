internal import StreamCore

/// A table whose values are on the disk and come into memory when they are asked for. What is not committed is in
/// memory alone, whatever its size.
extension StateTable {
    /// Brings a key's value from the disk.
    /// - Returns: its slot, or nil where there is none.
    @usableFromInline
    func load(_ key: Key, _ hash: UInt32) throws -> Int? {
        guard let local, !isComplete else { return nil }
        evict(slotsMax: 64)
        var writer = StateWriter()
        key.encode(to: &writer)
        try writer.check()
        guard let bytes = try local.value(table: id, key: writer.bytes) else { return nil }
        return try insert(key, hash, bytes, keyBytes: writer.bytes.count)
    }

    /// Brings everything into memory.
    @usableFromInline
    func loadAll() throws {
        guard let local, !isComplete else { return }
        try local.forEachEntry(table: id) { _, keyBytes, valueBytes in
            let (key, hash) = try decode(keyBytes)
            if find(key, hash) == nil { _ = try insert(key, hash, valueBytes, keyBytes: keyBytes.count) }
        }
        isComplete = true
    }

    /// Calls `body` with what is on the disk and not in memory; keeps what there is room for.
    func forEachOnDisk(_ body: (Key, Value) throws -> Void) throws {
        guard let local, !isComplete else { return }
        var isWhole = true
        try local.forEachEntry(table: id) { _, keyBytes, valueBytes in
            let (key, hash) = try decode(keyBytes)
            guard find(key, hash) == nil else { return }
            if local.cache.isExceeded {
                isWhole = false
                var reader = StateReader(valueBytes)
                try body(key, Value(whole: &reader))
            } else {
                let slot = try insert(key, hash, valueBytes, keyBytes: keyBytes.count)
                if let value = slots[slot].value { try body(key, value) }
            }
        }
        isComplete = isWhole
    }

    /// Gives memory back while there is too much of it: the slots that were not used since it last came by, as long as
    /// they are committed.
    /// - Parameter slotsMax: how many are looked at.
    func evict(slotsMax: Int) {
        guard let local, local.cache.isExceeded, !slots.isEmpty else { return }
        for _ in 0..<slotsMax {
            hand = hand + 1 < slots.count ? hand + 1 : 0
            if slots[hand].value == nil || isPending(slots[hand].touched) { continue }
            if slots[hand].isRecent {
                slots[hand].isRecent = false
                continue
            }
            release(hand)
            isComplete = false
            if !local.cache.isExceeded { return }
        }
    }

    /// A change that the disk has: memory follows where it has the key, or everything.
    func applyStored(key: Key, value: Value?, bytes: Int) {
        precondition(journal.isEmpty && sealed.isEmpty, "a changelog is applied to committed state")
        let hash = KeyIndex.hash(key)
        let found = find(key, hash)
        guard let value else {
            if let found { release(found) }
            return
        }
        guard found != nil || isComplete else { return }
        let slot = found ?? insert(key, hash)
        slots[slot].value = value
        setBytes(slot, bytes)
        if local?.cache.isExceeded == true { leaveToDisk() }
    }

    /// Memory holds nothing more, so that the changes that follow need not be taken apart. Nothing is open or sealed.
    private func leaveToDisk() {
        let known = count
        removeAll()
        count = known
        isComplete = false
    }

    private func insert(_ key: Key, _ hash: UInt32, _ value: ArraySlice<UInt8>, keyBytes: Int) throws -> Int {
        var reader = StateReader(value)
        let decoded = try Value(whole: &reader)
        let slot = insert(key, hash)
        slots[slot].value = decoded
        slots[slot].isRecent = true
        setBytes(slot, keyBytes + value.count)
        return slot
    }

    private func decode(_ bytes: ArraySlice<UInt8>) throws(StreamError) -> (Key, UInt32) {
        var reader = StateReader(bytes)
        let key = try Key(whole: &reader)
        return (key, KeyIndex.hash(key))
    }
}
