/// The elements of one batch, all in memory: what an RDD is to Spark's `transform` and `foreachRDD`.
///
///     lines.transform { batch, time in batch.distinct().sortBy { $0 } }
///     counts.foreachBatch { batch, info in store(batch.top(10, by: { $0.1 < $1.1 }), under: info.epoch) }
///
/// A collection as well: `count`, `first`, `isEmpty`, `min()`, `max()`, `sorted()`, subscripts and `for` are those of
/// an array. Operations are done at once, in the calling thread, and keep the order of the elements unless they say
/// otherwise; each result is a new value. Copying one costs nothing.
///
/// - Complexity: O(n) where nothing else is said; what takes keys or looks for equal elements hashes each once.
public struct Batch<Element>: RandomAccessCollection {
    @usableFromInline let elements: [Element]

    /// - Complexity: O(1) for an array, else O(n).
    @inlinable
    public init(_ elements: some Sequence<Element>) { self.elements = Array(elements) }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { elements.count }
    /// - Precondition: `position` is below `count`.
    @inlinable public subscript(position: Int) -> Element { elements[position] }
    @inlinable public func makeIterator() -> IndexingIterator<[Element]> { elements.makeIterator() }

    /// Lends the elements without a copy.
    @inlinable
    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) rethrows -> Result? {
        try elements.withContiguousStorageIfAvailable(body)
    }
}

extension Batch: Sendable where Element: Sendable {}
extension Batch: Equatable where Element: Equatable {}
extension Batch: Hashable where Element: Hashable {}

extension Batch: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: Element...) { self.init(elements) }
}

extension Batch: CustomStringConvertible {
    public var description: String { elements.description }
}

/// The time of a batch: the end of its interval. A batch that is repeated because of its output code has the same time
/// again.
public struct BatchTime: Sendable, Hashable, Comparable {
    /// Since 1970-01-01 UTC.
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static func < (a: BatchTime, b: BatchTime) -> Bool { a.milliseconds < b.milliseconds }
}
