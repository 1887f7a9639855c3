/// Lists of one element type: row `i` is `elements[starts[i] ..< starts[i] + lengths[i]]`.
public struct ArrayColumn: Sendable {
    public var elements: Column
    public var starts: [Int32]
    public var lengths: [Int32]
    public var nulls: Bitmap?

    public init(elements: Column, starts: [Int32], lengths: [Int32], nulls: Bitmap? = nil) {
        self.elements = elements
        self.starts = starts
        self.lengths = lengths
        self.nulls = nulls
    }

    public var count: Int { starts.count }
    /// Whether a row is null.
    public func isNull(_ row: Int) -> Bool { nulls.map { $0[row] } ?? false }
    /// Where the row's elements lie in `elements`.
    public func range(_ row: Int) -> Range<Int> { Int(starts[row])..<Int(starts[row]) + Int(lengths[row]) }
}

/// Maps: keys and values side by side, ranges as in `ArrayColumn`. Keys are never null and differ within a row.
public struct MapColumn: Sendable {
    public var keys: Column
    public var values: Column
    public var starts: [Int32]
    public var lengths: [Int32]
    public var nulls: Bitmap?

    public init(keys: Column, values: Column, starts: [Int32], lengths: [Int32], nulls: Bitmap? = nil) {
        self.keys = keys
        self.values = values
        self.starts = starts
        self.lengths = lengths
        self.nulls = nulls
    }

    public var count: Int { starts.count }
    /// Whether a row is null.
    public func isNull(_ row: Int) -> Bool { nulls.map { $0[row] } ?? false }
    /// Where the row's entries lie in `keys` and `values`.
    public func range(_ row: Int) -> Range<Int> { Int(starts[row])..<Int(starts[row]) + Int(lengths[row]) }
}

/// Structs: one column per field, all of the same length.
public struct StructColumn: Sendable {
    public var schema: Schema
    public var columns: [Column]
    public var count: Int
    public var nulls: Bitmap?

    public init(schema: Schema, columns: [Column], count: Int, nulls: Bitmap? = nil) {
        precondition(schema.count == columns.count && columns.allSatisfy { $0.count == count })
        self.schema = schema
        self.columns = columns
        self.count = count
        self.nulls = nulls
    }

    /// Whether a row is null.
    public func isNull(_ row: Int) -> Bool { nulls.map { $0[row] } ?? false }
}

/// Exact decimals of one precision and scale: the value is `unscaled / 10^scale`.
public struct DecimalColumn: Sendable {
    public var unscaled: FixedColumn<Int128>
    public var precision: Int
    public var scale: Int

    public init(_ unscaled: FixedColumn<Int128>, precision: Int, scale: Int) {
        self.unscaled = unscaled
        self.precision = precision
        self.scale = scale
    }
}

/// Months, days and microseconds, kept apart because neither a month nor a day has a fixed length.
@frozen
public struct CalendarInterval: Hashable, Sendable, BitwiseCopyable {
    public var months: Int32
    public var days: Int32
    public var microseconds: Int64

    public init(months: Int32, days: Int32, microseconds: Int64) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }
}
