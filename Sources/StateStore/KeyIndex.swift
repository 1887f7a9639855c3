/// Finds slots by the hash of their key: open addressing with linear probing. A cell holds half of the hash and the
/// slot's number, so that growing and removing never look at a key.
@usableFromInline
struct KeyIndex {
    /// 0: empty; else the hash in the upper half and the slot plus one in the lower.
    @usableFromInline var cells: [UInt64]
    @usableFromInline var mask: Int
    private var used = 0

    init() {
        cells = [UInt64](repeating: 0, count: 16)
        mask = 15
    }

    /// The half of a key's hash that is kept.
    @inlinable
    static func hash<Key: Hashable>(_ key: Key) -> UInt32 {
        UInt32(truncatingIfNeeded: UInt(bitPattern: key.hashValue) &>> 16)
    }

    /// The half of a key's `StableHash` that is kept: the one that decides no shard.
    static func part(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash &>> 32) }

    /// The slot of a cell, or nil where it is empty: the search ends.
    @inlinable
    static func slot(_ cell: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: cell)) - 1 }

    /// The slot with this hash whose key is the one that is looked for.
    @inlinable
    @inline(__always)
    func find(_ hash: UInt32, _ isKey: (Int) -> Bool) -> Int? {
        var at = Int(hash) & mask
        while true {
            let cell = cells[at]
            if cell == 0 { return nil }
            if UInt32(truncatingIfNeeded: cell &>> 32) == hash, isKey(Self.slot(cell)) { return Self.slot(cell) }
            at = (at + 1) & mask
        }
    }

    /// Reads the cells where searches for these hashes begin.
    /// - Returns: their sum, which says nothing.
    func cells(of hashes: ContiguousArray<UInt32>) -> UInt64 {
        var sum: UInt64 = 0
        unsafe cells.withUnsafeBufferPointer { cells in
            for hash in hashes { sum &+= unsafe cells[Int(hash) & mask] }
        }
        return sum
    }

    /// - Complexity: amortized O(1)
    @usableFromInline
    mutating func insert(_ hash: UInt32, slot: Int) {
        // At most 5/8 full: probes stay short.
        if (used + 1) * 8 > cells.count * 5 { grow() }
        place(UInt64(hash) << 32 | UInt64(UInt32(slot + 1)))
        used += 1
    }

    /// Removes a slot that is there.
    mutating func remove(_ hash: UInt32, slot: Int) {
        let cell = UInt64(hash) << 32 | UInt64(UInt32(slot + 1))
        var hole = Int(hash) & mask
        while cells[hole] != cell {
            precondition(cells[hole] != 0, "a slot that is removed is in the index")
            hole = (hole + 1) & mask
        }
        // What follows moves up where that brings it no further than its own place.
        var next = (hole + 1) & mask
        while cells[next] != 0 {
            let home = Int(cells[next] &>> 32) & mask
            if (next - home) & mask >= (next - hole) & mask {
                cells[hole] = cells[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        cells[hole] = 0
        used -= 1
    }

    private mutating func place(_ cell: UInt64) {
        var at = Int(cell &>> 32) & mask
        while cells[at] != 0 { at = (at + 1) & mask }
        cells[at] = cell
    }

    private mutating func grow() {
        let old = cells
        cells = [UInt64](repeating: 0, count: old.count * 2)
        mask = cells.count - 1
        for cell in old where cell != 0 { place(cell) }
    }
}
