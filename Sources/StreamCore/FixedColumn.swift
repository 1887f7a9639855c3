/// A column of values of one fixed size, with the nulls apart. The value at a null row is unspecified.
public struct FixedColumn<Value: BitwiseCopyable & Sendable>: Sendable {
    public var values: [Value]
    /// Set where null; nil when no row is.
    public var nulls: Bitmap?

    @inlinable
    public init(_ values: [Value], nulls: Bitmap? = nil) {
        self.values = values
        self.nulls = nulls
    }

    @inlinable public var count: Int { values.count }
    @inlinable public func isNull(_ row: Int) -> Bool { nulls.map { $0[row] } ?? false }

    /// The value, or nil for null.
    @inlinable public subscript(row: Int) -> Value? { isNull(row) ? nil : values[row] }
}

extension FixedColumn {
    /// From optionals, for tests and edges.
    public init(_ values: [Value?], default filler: Value) {
        self.init(values.map { $0 ?? filler }, nulls: Bitmap.marking(values) { $0 == nil })
    }

    /// The rows at `rows`, in that order.
    public func gathered(_ rows: [Int32]) -> FixedColumn {
        FixedColumn(rows.map { values[Int($0)] }, nulls: nulls?.gathered(rows))
    }
}

extension Bitmap {
    /// A bit for each element, or nil if none would be set.
    public static func marking<Element>(_ elements: [Element], where predicate: (Element) -> Bool) -> Bitmap? {
        var bitmap = Bitmap(count: elements.count)
        var isAnySet = false
        for (index, element) in elements.enumerated() where predicate(element) {
            bitmap[index] = true
            isAnySet = true
        }
        return isAnySet ? bitmap : nil
    }

    /// The bits at `rows`, in that order, or nil if none of them is set.
    public func gathered(_ rows: [Int32]) -> Bitmap? {
        var result = Bitmap(count: rows.count)
        var isAnySet = false
        for (index, row) in rows.enumerated() where self[Int(row)] {
            result[index] = true
            isAnySet = true
        }
        return isAnySet ? result : nil
    }
}
