internal import StreamCore

/// Rows as the bytes that a changelog has of them, the newest of each key.
///
/// So a restore costs a hash and a copy for each change, whatever their types; and keys that nobody asks for stay as
/// small as that. Confined to its task's thread. Goes over rows in the order in which their keys came, where none were
/// removed.
final class EncodedRows {
    // Unchecked, because the one thread that owns the rows does not overlap with itself: bodies that are handed in
    // never get the rows. The dynamic checks were a tenth of a restore.
    @safe @exclusivity(unchecked) private(set) var count = 0
    /// Whether a deletion is a row too: where the rows are changes to something else.
    let keepsDeletions: Bool

    @safe @exclusivity(unchecked) private var index = KeyIndex()
    @safe @exclusivity(unchecked) private var rows = ContiguousArray<Row>()
    @safe @exclusivity(unchecked) private var freeRows: [Int] = []
    /// Those before it are free.
    @safe @exclusivity(unchecked) private var first = 0
    @safe @exclusivity(unchecked) private var chunks = ContiguousArray<Chunk>()
    @safe @exclusivity(unchecked) private var reservedBytes = 0
    /// Of rows that were replaced or removed, in chunks that are still there.
    @safe @exclusivity(unchecked) private var unusedBytes = 0

    /// Says nothing; without a use the reads of `look` would be left out.
    @safe @exclusivity(unchecked) private(set) var seen: UInt64 = 0

    /// Large enough to cost little, small enough to be given back one by one.
    private static let chunkBytes = 1 << 20

    private struct Row {
        var chunk: UInt32
        var start: UInt32
        var keyLength: UInt32
        /// `none` where it is a deletion.
        var valueLength: UInt32

        static let none = UInt32.max
        /// In no chunk, free for another key.
        static let free = Row(chunk: none, start: 0, keyLength: 0, valueLength: none)

        var isFree: Bool { chunk == Self.none }
        var key: Range<Int> { Int(start)..<Int(start) + Int(keyLength) }
        var value: Range<Int>? {
            valueLength == Self.none ? nil : key.upperBound..<key.upperBound + Int(valueLength)
        }
        var length: Int { Int(keyLength) + (value?.count ?? 0) }
    }

    private struct Chunk {
        var bytes: [UInt8] = []
        var rowCount = 0
    }

    init(keepsDeletions: Bool = false) { self.keepsDeletions = keepsDeletions }

    var isEmpty: Bool { count == 0 }
    /// About what the rows cost, with their cells of the index, which is about half full.
    var byteSize: Int { reservedBytes + rows.count * (MemoryLayout<Row>.stride + 16) }

    // MARK: - Changing

    /// Sets the value of a key; nil deletes.
    /// - Complexity: amortized O(bytes)
    func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        unsafe put(key, value, hash: Self.hash(key))
    }

    /// - Parameter hash: the key's.
    func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?, hash: UInt32) {
        guard let found = unsafe find(key, hash) else {
            if unsafe value != nil || keepsDeletions { unsafe insert(key, value, hash) }
            return
        }
        if unsafe value == nil && !keepsDeletions { return remove(found, hash) }
        guard unsafe !replace(found, value) else { return }
        discard(rows[found])
        rows[found] = unsafe append(key, value)
        if unusedBytes > max(Self.chunkBytes, reservedBytes / 2) { compact() }
    }

    /// Reads where keys with these hashes will be looked for.
    ///
    /// In a large index such a place is in no cache; one after the other, the waits were a quarter of a restore.
    func look(for hashes: ContiguousArray<UInt32>) { seen &+= index.cells(of: hashes) }

    /// Hands the value of a key to `body` and removes the row; nil where there is none. Where `body` throws, nothing is
    /// removed. For rows without deletions.
    func take<Result>(_ key: [UInt8], _ body: (ArraySlice<UInt8>) throws -> Result) rethrows -> Result? {
        let (found, hash) = unsafe key.withUnsafeBytes { key in
            let hash = unsafe Self.hash(key)
            return unsafe (find(key, hash), hash)
        }
        guard let found, let value = rows[found].value else { return nil }
        let result = try body(chunks[Int(rows[found].chunk)].bytes[value])
        remove(found, hash)
        return result
    }

    /// Hands all rows, or so many, to `body` and removes them; where it throws, those that it took. For rows without
    /// deletions.
    func take(_ rowsMax: Int = .max, _ body: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws -> Void)
        rethrows
    {
        var taken = first
        defer {
            if taken == rows.count {
                removeAll()
            } else {
                for number in first..<taken where !rows[number].isFree { remove(number, hash(of: rows[number])) }
                first = taken
            }
        }
        var left = rowsMax
        while taken < rows.count && left > 0 {
            let row = rows[taken]
            if let value = row.value {
                let bytes = chunks[Int(row.chunk)].bytes
                try body(bytes[row.key], bytes[value])
                left -= 1
            }
            taken += 1
        }
    }

    func removeAll() {
        count = 0
        first = 0
        index = KeyIndex()
        rows = []
        freeRows = []
        chunks = []
        reservedBytes = 0
        unusedBytes = 0
    }

    /// Removes the rows whose key's hash (`StableHash`) is one of these.
    func remove(where isRemoved: (UInt64) -> Bool) {
        for (number, row) in rows.enumerated() where !row.isFree {
            let hash = unsafe withKey(row) { unsafe StableHash.hash($0) }
            if isRemoved(hash) { remove(number, KeyIndex.part(hash)) }
        }
    }

    // MARK: - Reading

    /// - Parameter body: gets the key, which is valid until it returns.
    func forEachKey(_ body: (UnsafeRawBufferPointer, _ isDeletion: Bool) -> Void) {
        for row in rows where !row.isFree { unsafe withKey(row) { unsafe body($0, row.value == nil) } }
    }

    /// Goes over the rows in the order of their keys' bytes.
    /// - Parameter body: gets key and value, which are valid until it returns; nil for a deletion.
    func forEachSorted(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) throws -> Void) rethrows {
        let order = ByteOrder.sorted(rows.indices.lazy.filter { [rows] in !rows[$0].isFree }) {
            unsafe withKey(rows[$0]) { unsafe ByteOrder.start($0) }
        } compare: { one, other in
            unsafe withKey(rows[one]) { one in
                unsafe withKey(rows[other]) { other in unsafe ByteOrder.compare(one, other) }
            }
        }
        for number in order {
            let row = rows[number]
            // Safety: nothing changes the chunk before the closure returns.
            try unsafe chunks[Int(row.chunk)].bytes.withUnsafeBytes { bytes in
                let value = unsafe row.value.map { unsafe UnsafeRawBufferPointer(rebasing: bytes[$0]) }
                try unsafe body(UnsafeRawBufferPointer(rebasing: bytes[row.key]), value)
            }
        }
    }

    // MARK: -

    func hash(_ key: UnsafeRawBufferPointer) -> UInt32 { unsafe Self.hash(key) }

    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt32 { KeyIndex.part(unsafe StableHash.hash(key)) }

    private func hash(of row: Row) -> UInt32 { unsafe withKey(row) { unsafe Self.hash($0) } }

    private func withKey<Result>(_ row: Row, _ use: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe chunks[Int(row.chunk)].bytes.withUnsafeBytes {
            unsafe use(UnsafeRawBufferPointer(rebasing: $0[row.key]))
        }
    }

    private func find(_ key: UnsafeRawBufferPointer, _ hash: UInt32) -> Int? {
        index.find(hash) { unsafe withKey(rows[$0]) { unsafe ByteOrder.compare($0, key) == 0 } }
    }

    private func insert(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?, _ hash: UInt32) {
        let row = unsafe append(key, value)
        let number = freeRows.popLast() ?? rows.count
        first = min(first, number)
        precondition(number < Int(Int32.max), "a table of one task holds fewer than 2^31 keys")
        if number == rows.count { rows.append(row) } else { rows[number] = row }
        index.insert(hash, slot: number)
        count += 1
    }

    private func remove(_ number: Int, _ hash: UInt32) {
        index.remove(hash, slot: number)
        discard(rows[number])
        rows[number] = .free
        freeRows.append(number)
        count -= 1
    }

    /// Writes a value that is no longer than the one before over it.
    private func replace(_ number: Int, _ value: UnsafeRawBufferPointer?) -> Bool {
        let row = rows[number]
        guard let value = unsafe value else {
            unusedBytes += row.value?.count ?? 0
            rows[number].valueLength = Row.none
            return true
        }
        guard let before = row.value, value.count <= before.count else { return false }
        unusedBytes += before.count - value.count
        rows[number].valueLength = UInt32(value.count)
        unsafe chunks[Int(row.chunk)].bytes.withUnsafeMutableBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: $0[before]).copyMemory(from: value)
        }
        return true
    }

    private func append(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) -> Row {
        let length = unsafe key.count + (value?.count ?? 0)
        if chunks.last.map({ $0.bytes.count + length > $0.bytes.capacity }) ?? true { addChunk(length) }
        let last = chunks.count - 1
        let row = unsafe Row(
            chunk: UInt32(last), start: UInt32(chunks[last].bytes.count), keyLength: UInt32(key.count),
            valueLength: value.map { UInt32($0.count) } ?? Row.none)
        unsafe chunks[last].bytes.append(contentsOf: key)
        if let value = unsafe value { unsafe chunks[last].bytes.append(contentsOf: value) }
        chunks[last].rowCount += 1
        return row
    }

    private func addChunk(_ lengthMin: Int) {
        // Small tables get small chunks.
        let size = max(lengthMin, min(Self.chunkBytes, max(4096, reservedBytes)))
        var chunk = Chunk()
        chunk.bytes.reserveCapacity(size)
        reservedBytes += chunk.bytes.capacity
        chunks.append(chunk)
    }

    /// Gives up a row's bytes, and its chunk with the last of them.
    private func discard(_ row: Row) {
        let at = Int(row.chunk)
        unusedBytes += row.length
        chunks[at].rowCount -= 1
        guard chunks[at].rowCount == 0 else { return }
        unusedBytes = max(0, unusedBytes - chunks[at].bytes.count)
        reservedBytes -= chunks[at].bytes.capacity
        chunks[at].bytes = []
    }

    /// Copies what is in use, so that replaced rows cost no more than the others.
    private func compact() {
        let old = chunks
        chunks = []
        reservedBytes = 0
        unusedBytes = 0
        for number in rows.indices where !rows[number].isFree {
            let row = rows[number]
            unsafe old[Int(row.chunk)].bytes.withUnsafeBytes { bytes in
                let value = unsafe row.value.map { unsafe UnsafeRawBufferPointer(rebasing: bytes[$0]) }
                rows[number] = unsafe append(UnsafeRawBufferPointer(rebasing: bytes[row.key]), value)
            }
        }
    }
}
