import StreamCore

extension Call {
    /// Calls `body` for each active row (without null arguments where they propagate). Nil is null, an error is the
    /// row's.
    @inline(__always)
    func fixed<Value>(_ filler: Value, _ body: (Int) throws(RowError) -> Value?) -> FixedColumn<Value> {
        var nulls = propagatesNulls ? argumentNulls() : nil
        let initial = nulls
        var values = [Value](repeating: filler, count: count)
        values.withUnsafeMutableBufferPointer { buffer in
            rows.forEachRow { row in
                if let initial, initial[row] { return }
                do throws(RowError) {
                    if let value = try body(row) {
                        buffer[row] = value
                        return
                    }
                } catch {
                    fail(row, error)
                }
                if nulls == nil { nulls = Bitmap(count: count) }
                nulls?[row] = true
            }
        }
        return FixedColumn(values, nulls: nulls)
    }

    /// As `fixed`, for bodies that cannot fail and never give null: no test for nulls in the loop, so every row of the
    /// batch is computed, also those that do not count.
    @inline(__always)
    func dense<Value>(_ body: (Int) -> Value) -> FixedColumn<Value> {
        let values = [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            for row in 0..<count { buffer.initializeElement(at: row, to: body(row)) }
            initialized = count
        }
        return FixedColumn(values, nulls: argumentNulls())
    }

    func boolean(_ body: (Int) throws(RowError) -> Bool?) -> Column { .boolean(fixed(false, body)) }
    func int32(_ body: (Int) throws(RowError) -> Int32?) -> Column { .int32(fixed(0, body)) }
    func int64(_ body: (Int) throws(RowError) -> Int64?) -> Column { .int64(fixed(0, body)) }
    func double(_ body: (Int) throws(RowError) -> Double?) -> Column { .double(fixed(0, body)) }
    func date(_ body: (Int) throws(RowError) -> Int32?) -> Column { .date(fixed(0, body)) }
    func timestamp(_ body: (Int) throws(RowError) -> Int64?) -> Column { .timestamp(fixed(0, body)) }

    /// A decimal result of the call's type; `body` gives unscaled values that fit it.
    func decimal(_ body: (Int) throws(RowError) -> Int128?) -> Column {
        guard case .decimal(let precision, let scale) = type else {
            preconditionFailure("a decimal result was promised")
        }
        return .decimal(DecimalColumn(fixed(0, body), precision: precision, scale: scale))
    }

    /// A string (or binary) result that is written anew. `body` appends to the writer and says whether the row is not
    /// null.
    func bytes(_ body: (Int, inout BytesWriter) throws(RowError) -> Bool) -> Column {
        var writer = BytesWriter()
        let column = fixed(ByteView.empty) { (row) throws(RowError) in
            writer.start()
            guard try body(row, &writer) else { return nil }
            return try writer.finish()
        }
        return wrapped(BytesColumn(arena: writer.arena, views: column.values, nulls: column.nulls))
    }

    /// A string result made as a Swift string: simple, not fast.
    func text(_ body: (Int) throws(RowError) -> String?) -> Column {
        bytes { (row, writer) throws(RowError) in
            guard let text = try body(row) else { return false }
            writer.append(text)
            return true
        }
    }

    /// A string result that is a part of a string argument: copies no bytes. Views lie in the argument's arena.
    func part(of argument: BytesInput, _ body: (Int) throws(RowError) -> ByteView?) -> Column {
        let column = fixed(ByteView.empty, body)
        return wrapped(BytesColumn(arena: argument.arena, views: column.values, nulls: column.nulls))
    }

    private func wrapped(_ column: BytesColumn) -> Column {
        if case .binary = type { .binary(column) } else { .string(column) }
    }

    /// Any result put together from rows of other columns of the result's type: `pick(row)` says which.
    func picked(_ sources: [Column], _ pick: (Int) throws(RowError) -> Pick?) -> Column {
        let picks = fixed(Pick.null, pick)
        // A null row has the filler, which picks nothing.
        return .interleaved(sources, type: type, picks.values)
    }

    /// An array result: `body` appends the picks of the row's elements and says whether the row is not null.
    func list(_ sources: [Column], _ body: (Int, inout [Pick]) throws(RowError) -> Bool) -> Column {
        guard case .array(let element) = type else { preconditionFailure("an array result was promised") }
        var picks: [Pick] = []
        let spans = fixed(ListSpan(start: 0, length: 0)) { (row) throws(RowError) in
            let start = picks.count
            guard try body(row, &picks) else { return nil }
            guard picks.count <= Int(Int32.max) / 2 else {
                throw RowError("COLLECTION_SIZE_LIMIT_EXCEEDED", "too many elements")
            }
            return ListSpan(start: Int32(start), length: Int32(picks.count - start))
        }
        return .array(
            ArrayColumn(
                elements: .interleaved(sources, type: element, picks), starts: spans.values.map(\.start),
                lengths: spans.values.map(\.length), nulls: spans.nulls))
    }

    /// All rows null.
    func nothing() -> Column { .interleaved([], type: type, [Pick](repeating: .null, count: count)) }
}

struct ListSpan: BitwiseCopyable, Sendable {
    var start: Int32
    var length: Int32
}

/// Appends the bytes of one row after the other to an arena of its own, within limits that data cannot break.
struct BytesWriter {
    /// Bytes of one result; Spark's own limit is 2 GB.
    static let rowMax = 64 << 20
    /// Bytes of one column of a batch.
    static let columnMax = 1 << 30

    let arena = ByteArena()
    private var rowStart = 0
    private var isTooLong = false

    mutating func start() {
        rowStart = arena.count
        isTooLong = false
    }

    /// Bytes of this row so far.
    var count: Int { arena.count - rowStart }

    private mutating func hasRoom(_ count: Int) -> Bool {
        if isTooLong || self.count + count > Self.rowMax || arena.count + count > Self.columnMax { isTooLong = true }
        return !isTooLong
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if hasRoom(bytes.count) { arena.append(bytes) }
    }
    mutating func append(_ text: String) {
        if hasRoom(text.utf8.count) { arena.append(text) }
    }
    mutating func append(contentsOf bytes: some Collection<UInt8>) {
        if hasRoom(bytes.count) { arena.append(contentsOf: bytes) }
    }
    mutating func append(_ byte: UInt8) {
        if hasRoom(1) { arena.append(byte) }
    }
    /// As many bytes as there are, each through a function: in place, in a loop that can be vectorized.
    @inline(__always)
    mutating func appendMapped(_ bytes: UnsafeRawBufferPointer, _ transform: (UInt8) -> UInt8) {
        append(count: bytes.count) { target in
            for index in 0..<bytes.count { target[index] = transform(bytes[index]) }
        }
    }
    /// So many bytes, all of which `body` writes.
    @inline(__always)
    mutating func append(count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        guard hasRoom(count) else { return }
        _ = arena.appendInPlace(limit: count) { target in
            body(target)
            return count
        }
    }

    mutating func finish() throws(RowError) -> ByteView {
        if isTooLong {
            arena.truncate(to: rowStart)
            throw RowError("COLLECTION_SIZE_LIMIT_EXCEEDED", "the result is too long")
        }
        return ByteView(start: rowStart, length: arena.count - rowStart)
    }
}
