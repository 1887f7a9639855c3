/// Rows in the order of their keys' bytes, in chunks: those that follow one another lie together.
///
/// A copy stays what it is while the original changes; the first change then copies a chunk, and the list of chunks.
struct OrderedRows {
    struct Row {
        let key: [UInt8]
        /// Nil: deleted, and not forgotten yet.
        var value: [UInt8]?
        /// The serial of the newest journal that has the row; 0 for none.
        var touched = 0
        /// Used since eviction last came by.
        var isRecent = false
    }

    /// Where a row is, or would be.
    struct Place {
        var chunk: Int
        var at: Int
    }

    private struct Chunk {
        /// Not behind the keys of its rows, and behind those of the chunk before. The first chunk's does not count.
        var low: [UInt8]
        /// Some at least.
        var rows: ContiguousArray<Row>
    }

    private(set) var count = 0
    private var chunks = ContiguousArray<Chunk>()

    private static let rowsMax = 128

    init() {}

    /// - Parameter sorted: rising keys.
    init(sorted: [Row]) {
        count = sorted.count
        // With room for rows that come between them.
        let rowsMax = Self.rowsMax * 3 / 4
        for start in stride(from: 0, to: sorted.count, by: rowsMax) {
            let rows = ContiguousArray(sorted[start..<min(start + rowsMax, sorted.count)])
            chunks.append(Chunk(low: rows[0].key, rows: rows))
        }
    }

    var isEmpty: Bool { chunks.isEmpty }

    // MARK: - One row

    /// - Returns: where the first row is that is not before the key, maybe behind the last one of a chunk, and whether
    ///   it is the key's.
    /// - Complexity: O(log n)
    func find(_ key: [UInt8]) -> (place: Place, isFound: Bool) {
        guard !chunks.isEmpty else { return (Place(chunk: 0, at: 0), false) }
        // Safety: the bytes are looked at before the call returns.
        return unsafe key.withUnsafeBytes { key in
            var low = 0
            var high = chunks.count
            while high - low > 1 {
                let middle = (low + high) / 2
                if unsafe Self.compare(chunks[middle].low, key) <= 0 { low = middle } else { high = middle }
            }
            let chunk = low
            (low, high) = (0, chunks[chunk].rows.count)
            while low < high {
                let middle = (low + high) / 2
                let order = unsafe Self.compare(chunks[chunk].rows[middle].key, key)
                if order == 0 { return (Place(chunk: chunk, at: middle), true) }
                if order < 0 { low = middle + 1 } else { high = middle }
            }
            return (Place(chunk: chunk, at: low), false)
        }
    }

    subscript(_ place: Place) -> Row { chunks[place.chunk].rows[place.at] }

    mutating func set(_ place: Place, _ value: [UInt8]?, touched: Int) {
        chunks[place.chunk].rows[place.at].value = value
        chunks[place.chunk].rows[place.at].touched = touched
    }

    mutating func noteUse(_ place: Place) {
        // A write would copy what a pass holds on to.
        if !chunks[place.chunk].rows[place.at].isRecent { chunks[place.chunk].rows[place.at].isRecent = true }
    }

    /// - Parameter place: where `find` did not find the row's key.
    /// - Complexity: O(log n), and the moves of a chunk's rows; a chunk in 64 rows, at most, moves the list of chunks.
    mutating func insert(_ row: Row, at place: Place) {
        count += 1
        guard !chunks.isEmpty else { return chunks.append(Chunk(low: row.key, rows: [row])) }
        if chunks[place.chunk].rows.count < Self.rowsMax {
            return chunks[place.chunk].rows.insert(row, at: place.at)
        }
        if place.at == Self.rowsMax {
            // Rising keys leave full chunks behind.
            return chunks.insert(Chunk(low: row.key, rows: [row]), at: place.chunk + 1)
        }
        let half = Self.rowsMax / 2
        let upper = ContiguousArray(chunks[place.chunk].rows[half...])
        chunks[place.chunk].rows.removeSubrange(half...)
        chunks.insert(Chunk(low: upper[0].key, rows: upper), at: place.chunk + 1)
        if place.at <= half {
            chunks[place.chunk].rows.insert(row, at: place.at)
        } else {
            chunks[place.chunk + 1].rows.insert(row, at: place.at - half)
        }
    }

    /// - Complexity: as `insert`.
    mutating func remove(at place: Place) {
        count -= 1
        chunks[place.chunk].rows.remove(at: place.at)
        join(place.chunk)
    }

    // MARK: - Many rows

    /// The rows from a key up to another (nil: all that follow), as they are now.
    func cursor(_ from: [UInt8], _ to: [UInt8]?, isReversed: Bool) -> Cursor {
        Cursor(self, from, to, isReversed: isReversed)
    }

    /// Goes over a chunk, or what is next to it, and removes rows.
    /// - Parameter chunk: goes on to the one that is next.
    /// - Returns: how many rows were looked at.
    mutating func sweep(_ chunk: inout Int, _ isRemoved: (inout Row) -> Bool) -> Int {
        guard !chunks.isEmpty else { return 0 }
        if chunk >= chunks.count { chunk = 0 }
        let before = chunks[chunk].rows.count
        var kept = ContiguousArray<Row>()
        for at in 0..<before where !isRemoved(&chunks[chunk].rows[at]) { kept.append(chunks[chunk].rows[at]) }
        guard kept.count < before else {
            chunk += 1
            return before
        }
        chunks[chunk].rows = kept
        count -= before - kept.count
        // Else what follows has come up to here.
        if !join(chunk) { chunk += 1 }
        return before
    }

    /// Takes up one that has become small into its neighbour.
    /// - Returns: whether a chunk has gone.
    @discardableResult
    private mutating func join(_ chunk: Int) -> Bool {
        let rows = chunks[chunk].rows.count
        if rows == 0 {
            chunks.remove(at: chunk)
            return true
        }
        guard rows < Self.rowsMax / 4, chunk > 0, chunks[chunk - 1].rows.count + rows <= Self.rowsMax * 3 / 4
        else { return false }
        chunks[chunk - 1].rows += chunks[chunk].rows
        chunks.remove(at: chunk)
        return true
    }

    static func compare(_ one: [UInt8], _ other: [UInt8]) -> Int {
        unsafe other.withUnsafeBytes { unsafe compare(one, $0) }
    }

    private static func compare(_ one: [UInt8], _ other: UnsafeRawBufferPointer) -> Int {
        unsafe one.withUnsafeBytes { unsafe ByteOrder.compare($0, other) }
    }
}

extension OrderedRows {
    /// Goes over rows as they were when it was made.
    struct Cursor {
        private let rows: OrderedRows
        private var place: Place
        private let bound: [UInt8]?
        private let isReversed: Bool

        fileprivate init(_ rows: OrderedRows, _ from: [UInt8], _ to: [UInt8]?, isReversed: Bool) {
            self.rows = rows
            self.isReversed = isReversed
            bound = isReversed ? from : to
            if !isReversed {
                place = rows.find(from).place
            } else if let to {
                place = rows.find(to).place
            } else {
                place = Place(chunk: rows.chunks.count, at: 0)
            }
        }

        /// - Complexity: O(1)
        mutating func next() -> Row? {
            guard let row = isReversed ? stepBack() : step() else { return nil }
            guard let bound else { return row }
            let order = OrderedRows.compare(row.key, bound)
            return (isReversed ? order >= 0 : order < 0) ? row : nil
        }

        private mutating func step() -> Row? {
            guard place.chunk < rows.chunks.count else { return nil }
            if place.at == rows.chunks[place.chunk].rows.count {
                place = Place(chunk: place.chunk + 1, at: 0)
                guard place.chunk < rows.chunks.count else { return nil }
            }
            defer { place.at += 1 }
            return rows[place]
        }

        private mutating func stepBack() -> Row? {
            if place.at == 0 {
                guard place.chunk > 0 else { return nil }
                place = Place(chunk: place.chunk - 1, at: rows.chunks[place.chunk - 1].rows.count)
            }
            place.at -= 1
            return rows[place]
        }
    }
}
