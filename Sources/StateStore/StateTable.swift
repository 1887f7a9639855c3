internal import StreamCore

/// The keyed state of one operator in one task: a hash table that is changed in place, with what it takes to go back.
///
/// An epoch's first touch of a key saves what was there in the open journal; `seal` closes the journal and writes the
/// changes, `commit` forgets it, `rollback` undoes it. While epoch *n* commits, *n+1* may already change the table.
/// Confined to its task's thread. Iterates in the order in which keys came, the same in every run.
@usableFromInline
package final class StateTable<Key: Hashable & StateCodable, Value: StateCodable> {
    package let id: UInt8
    /// Keys that have a value now; about so many after a long restore (`OperatorState.isCounted`).
    @safe @exclusivity(unchecked) @usableFromInline package internal(set) var count = 0
    /// About what the table costs in memory; keys of the open epoch count when it is sealed.
    @safe @exclusivity(unchecked) package internal(set) var byteSize = 0

    // Unchecked, because the one thread that owns the table does not overlap with itself: bodies that are handed in get
    // a value and never the table. The dynamic checks were a fifth of an update's cost.
    @safe @exclusivity(unchecked) @usableFromInline var index = KeyIndex()
    @safe @exclusivity(unchecked) @usableFromInline var slots = ContiguousArray<StateSlot<Key, Value>>()
    @safe @exclusivity(unchecked) @usableFromInline var journal = ContiguousArray<Undo>()
    /// Of the open journal; a slot that carries it was touched since the last seal.
    @safe @exclusivity(unchecked) @usableFromInline var serial: UInt32 = 1
    var sealed: [SealedJournal] = []
    @safe @exclusivity(unchecked) @usableFromInline var freeSlots: [Int] = []
    /// A slot and its cell of the index, in arrays that have grown by doubling; and what a value of its own block of
    /// memory costs beside its bytes.
    let slotBytes =
        MemoryLayout<StateSlot<Key, Value>>.stride * 3 / 2 + 16 + (Key.encodedSize == nil ? 48 : 0)
        + (Value.encodedSize == nil ? 48 : 0)

    /// Where the rest of the table is; nil: there is no rest.
    var local: LocalOperator?
    /// What was restored and nobody has asked for yet: keys that have no slot.
    let encoded = EncodedRows()
    /// What `encoded` counts in `count` and in `byteSize`.
    var encodedCount = 0
    var encodedBytes = 0
    /// Whether keys may have a value and no slot: they are looked for in `encoded` and `local`.
    @safe @exclusivity(unchecked) @usableFromInline var isPartial = false
    /// Memory has every key, in a slot or encoded, so that nobody need ask the disk.
    var isComplete = true
    /// Where eviction goes on.
    var hand = 0

    package init(id: UInt8) { self.id = id }

    /// What a key was before the epoch that touched it.
    @usableFromInline
    struct Undo {
        @usableFromInline var slot: Int32
        @usableFromInline var touched: UInt32
        @usableFromInline var value: Value?

        @inlinable
        init(slot: Int, touched: UInt32, value: Value?) {
            self.slot = Int32(truncatingIfNeeded: slot)
            self.touched = touched
            self.value = value
        }
    }

    struct SealedJournal {
        var epoch: Epoch
        var serial: UInt32
        var entries: ContiguousArray<Undo>
    }

    // MARK: - Reading and changing

    /// The value of a key in the open epoch.
    /// - Throws: `STATE_STORE` where the disk cannot be read, `STATE_DAMAGED` where bytes are no value of its type.
    /// - Complexity: O(1)
    @inlinable
    package func value(for key: Key) throws -> Value? {
        let hash = KeyIndex.hash(key)
        guard let slot = try find(key, hash) ?? (isPartial ? load(key, hash) : nil) else { return nil }
        if isPartial { slots[slot].isRecent = true }
        return slots[slot].value
    }

    /// Lets `body` change the value of a key in place; nil is "none", before and after.
    ///
    /// If `body` throws, the key is as it was before the call. (A body that can throw costs a copy of a value that is
    /// changed twice in an epoch: prefer one that cannot.)
    /// - Complexity: O(1), and a copy of the value where the epoch touches it first.
    @inlinable
    package func update<Result, Failure: Error>(
        _ key: Key, _ body: (inout Value?) throws(Failure) -> Result
    ) throws -> Result {
        let hash = KeyIndex.hash(key)
        let slot: Int
        if let found = find(key, hash) {
            slot = found
        } else if isPartial {
            slot = try load(key, hash) ?? insert(key, hash)
        } else {
            slot = insert(key, hash)
        }
        if isPartial { slots[slot].isRecent = true }
        return try update(slot, body)
    }

    /// Calls `body` with each key that has a value; those that are only on the disk come last.
    package func forEachEntry(_ body: (Key, Value) throws -> Void) throws {
        try decodeEncoded()
        for slot in slots.indices {
            if let value = slots[slot].value { try body(slots[slot].key, value) }
        }
        try forEachOnDisk(body)
    }

    /// As `update`, for each key that has a value. All of them are in memory until the epoch is committed.
    @inlinable
    package func updateAll(_ body: (Key, inout Value?) throws -> Void) throws {
        if isPartial { try loadAll() }
        for slot in slots.indices where slots[slot].value != nil {
            let key = slots[slot].key
            try update(slot) { value throws in try body(key, &value) }
        }
    }

    // MARK: - Slots

    @inlinable
    @inline(__always)
    func find(_ key: Key, _ hash: UInt32) -> Int? {
        index.find(hash) { slots[$0].key == key }
    }

    @inlinable
    @inline(__always)
    func update<Result, Failure: Error>(
        _ slot: Int, _ body: (inout Value?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let had = slots[slot].value != nil
        let isFirst = slots[slot].touched != serial
        var before: Value?
        if isFirst {
            journal.append(Undo(slot: slot, touched: slots[slot].touched, value: slots[slot].value))
            slots[slot].touched = serial
        } else if Failure.self != Never.self {
            before = slots[slot].value
        }
        do throws(Failure) {
            let result = try body(&slots[slot].value)
            let has = slots[slot].value != nil
            if has != had { count += has ? 1 : -1 }
            return result
        } catch {
            slots[slot].value = isFirst ? undoLast() : before
            throw error
        }
    }

    /// Takes back the newest entry of the open journal.
    @usableFromInline
    func undoLast() -> Value? {
        let entry = journal.removeLast()
        let slot = Int(entry.slot)
        slots[slot].touched = entry.touched
        if entry.value == nil && !isPending(entry.touched) { release(slot) }
        return entry.value
    }

    /// A slot without a value for a key that has none.
    @inlinable
    func insert(_ key: Key, _ hash: UInt32) -> Int {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            slots[free] = StateSlot(key: key, hash: hash)
        } else {
            slot = slots.count
            precondition(slot < Int(Int32.max), "a table of one task holds fewer than 2^31 keys")
            slots.append(StateSlot(key: key, hash: hash))
        }
        index.insert(hash, slot: slot)
        return slot
    }

    /// Gives up a slot that stands in no journal: its key has no value, or has it on the disk.
    func release(_ slot: Int) {
        index.remove(slots[slot].hash, slot: slot)
        setBytes(slot, 0)
        slots[slot].value = nil
        slots[slot].touched = 0
        freeSlots.append(slot)
    }

    /// Whether a journal that is open or sealed has this serial.
    func isPending(_ touched: UInt32) -> Bool { touched >= (sealed.first?.serial ?? serial) }
}

/// A key, its value in the open epoch, and the bookkeeping beside them: one line of cache for small types.
@usableFromInline
struct StateSlot<Key, Value> {
    @usableFromInline var key: Key
    @usableFromInline var value: Value?
    /// Used since eviction last came by.
    @usableFromInline var isRecent = false
    @usableFromInline var hash: UInt32
    /// The serial of the newest journal that has the slot; 0 for none.
    @usableFromInline var touched: UInt32 = 0
    /// What key and value count in `byteSize`.
    @usableFromInline var bytes: UInt32 = 0

    @inlinable
    init(key: Key, hash: UInt32) {
        self.key = key
        self.hash = hash
    }
}
