internal import StreamCore

/// A table whose values are on the disk and come into memory when they are asked for. What is not committed is in
/// memory alone, whatever its size.
extension StateTable {
    /// Gives a slot to a key that has none: from what was restored, or from the disk.
    /// - Returns: its slot, or nil where the key has no value.
    @usableFromInline
    func load(_ key: Key, _ hash: UInt32) throws -> Int? {
        guard !encoded.isEmpty || !isComplete else { return nil }
        var writer = StateWriter()
        key.encode(to: &writer)
        try writer.check()
        let keyBytes = writer.bytes.count
        if let slot = try encoded.take(writer.bytes, { try insert(key, hash, $0, keyBytes: keyBytes) }) {
            noteTaken()
            return slot
        }
        guard let local, !isComplete else { return nil }
        evict(slotsMax: 64)
        guard let bytes = try local.value(table: id, key: writer.bytes) else { return nil }
        return try insert(key, hash, bytes, keyBytes: keyBytes)
    }

    /// Gives every key a slot.
    @usableFromInline
    func loadAll() throws {
        try decodeEncoded()
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
        guard let local, local.cache.isExceeded else { return }
        if !encoded.isEmpty {
            encoded.removeAll()
            noteTaken()
            isComplete = false
        }
        guard local.cache.isExceeded, !slots.isEmpty else { return }
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
    func leaveToDisk() {
        let known = count
        removeAll()
        count = known
        isComplete = false
    }

    func insert(_ key: Key, _ hash: UInt32, _ value: ArraySlice<UInt8>, keyBytes: Int) throws -> Int {
        var reader = StateReader(value)
        let decoded = try Value(whole: &reader)
        let slot = insert(key, hash)
        slots[slot].value = decoded
        slots[slot].isRecent = true
        setBytes(slot, keyBytes + value.count)
        return slot
    }

    func decode(_ bytes: ArraySlice<UInt8>) throws(StreamError) -> (Key, UInt32) {
        var reader = StateReader(bytes)
        let key = try Key(whole: &reader)
        return (key, KeyIndex.hash(key))
    }
}
