import StreamCore

/// The result of an expression over a batch: a column with a place for each row, or one value for all of them.
struct Vector {
    var column: Column
    /// The column has one row, which stands for all.
    var isConstant: Bool

    init(_ column: Column) {
        self.column = column
        isConstant = false
    }

    init(constant column: Column) {
        precondition(column.count == 1)
        self.column = column
        isConstant = true
    }

    init(_ column: Column, isConstant: Bool) {
        self.column = column
        self.isConstant = isConstant
    }

    /// A full column of so many rows.
    func expanded(_ count: Int) -> Column {
        guard isConstant, count != 1 else { return column }
        return column.gathered([Int32](repeating: 0, count: count))
    }

    /// Turns a row of the batch into a row of the column: `row & mask`.
    var mask: Int { isConstant ? 0 : -1 }

    /// For constants: whether the one value is null.
    var isNullConstant: Bool { isConstant && (column.nulls?[0] ?? false) }
}

/// Typed read access to an argument, constant or not: `input[row]`.
struct FixedInput<Value: BitwiseCopyable & Sendable> {
    let values: [Value]
    let mask: Int
    let nulls: Bitmap?

    init(_ column: FixedColumn<Value>, mask: Int) {
        values = column.values
        nulls = column.nulls
        self.mask = mask
    }

    @inline(__always) subscript(row: Int) -> Value { values[row & mask] }
    @inline(__always) func isNull(_ row: Int) -> Bool { nulls.map { $0[row & mask] } ?? false }
}

/// Typed read access to a string or binary argument.
struct BytesInput {
    let arena: ByteArena
    let views: [ByteView]
    let mask: Int
    let nulls: Bitmap?

    init(_ column: BytesColumn, mask: Int) {
        arena = column.arena
        views = column.views
        nulls = column.nulls
        self.mask = mask
    }

    /// The bytes of a row; valid until the arena is appended to, so never write into this arena.
    @inline(__always) subscript(row: Int) -> UnsafeRawBufferPointer { arena.bytes(views[row & mask]) }
    @inline(__always) func view(_ row: Int) -> ByteView { views[row & mask] }
    @inline(__always) func isNull(_ row: Int) -> Bool { nulls.map { $0[row & mask] } ?? false }
    func text(_ row: Int) -> String { arena.string(views[row & mask]) }
}
