import StreamCore

// From a batch to a result: Spark's actions.

extension Batch {
    /// The elements as an array.
    /// - Complexity: O(1)
    @inlinable
    public func collect() -> [Element] { elements }

    /// The first elements, `count` at most.
    public func take(_ count: Int) -> [Element] { Array(elements.prefix(Swift.max(0, count))) }

    /// The elements reduced to one, from the first to the last; nil for an empty batch.
    @inlinable
    public func reduce(_ combine: (Element, Element) throws -> Element) rethrows -> Element? {
        guard let first = elements.first else { return nil }
        return try elements.dropFirst().reduce(first, combine)
    }

    /// `zero` with each element combined into it, from the first to the last.
    @inlinable
    public func fold(_ zero: Element, _ combine: (Element, Element) throws -> Element) rethrows -> Element {
        try elements.reduce(zero, combine)
    }

    /// `zero` with each element merged into it, from the first to the last. A batch is in one part, so there is no
    /// function that merges two totals.
    @inlinable
    public func aggregate<Total>(_ zero: Total, _ merge: (Total, Element) throws -> Total) rethrows -> Total {
        try elements.reduce(zero, merge)
    }

    /// The largest elements, `count` at most, the largest first.
    /// - Parameter areInIncreasingOrder: a strict weak order.
    /// - Complexity: O(n log n)
    public func top(
        _ count: Int, by areInIncreasingOrder: (Element, Element) throws -> Bool
    ) rethrows -> [Element] {
        try takeOrdered(count) { try areInIncreasingOrder($1, $0) }
    }

    /// The smallest elements, `count` at most, the smallest first.
    /// - Parameter areInIncreasingOrder: a strict weak order.
    /// - Complexity: O(n log n)
    public func takeOrdered(
        _ count: Int, by areInIncreasingOrder: (Element, Element) throws -> Bool
    ) rethrows -> [Element] {
        Array(try elements.sorted(by: areInIncreasingOrder).prefix(Swift.max(0, count)))
    }
}

extension Batch where Element: Comparable {
    /// The largest elements, `count` at most, the largest first.
    /// - Complexity: O(n log n)
    public func top(_ count: Int) -> [Element] { top(count, by: <) }

    /// The smallest elements, `count` at most, the smallest first.
    /// - Complexity: O(n log n)
    public func takeOrdered(_ count: Int) -> [Element] { takeOrdered(count, by: <) }
}

extension Batch where Element: Hashable {
    /// How often each distinct element occurs.
    public func countByValue() -> [Element: Int] {
        elements.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
}

extension Batch where Element: FixedWidthInteger {
    /// The sum of the elements; 0 for an empty batch.
    /// - Throws: `ARITHMETIC_OVERFLOW` where the sum does not fit the type.
    public func sum() throws -> Element {
        try elements.reduce(0) { total, element in
            let (sum, overflows) = total.addingReportingOverflow(element)
            guard !overflows else {
                throw StreamError(
                    "ARITHMETIC_OVERFLOW", "The sum of a batch does not fit \(Element.self).",
                    remedy: "Map the elements to a wider type or to Double first.", domain: .user)
            }
            return sum
        }
    }
}

extension Batch where Element: BinaryFloatingPoint {
    /// The sum of the elements, from the first to the last; 0 for an empty batch.
    public func sum() -> Element { elements.reduce(0, +) }
}
