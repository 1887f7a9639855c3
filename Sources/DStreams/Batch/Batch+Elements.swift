// From one batch to another, element by element or by order.

extension Batch {
    /// Each element turned into another.
    @inlinable
    public func map<Out>(_ transform: (Element) throws -> Out) rethrows -> Batch<Out> {
        Batch<Out>(try elements.map(transform))
    }

    /// Each element turned into any number of others, in order.
    @inlinable
    public func flatMap<Elements: Sequence>(
        _ transform: (Element) throws -> Elements
    ) rethrows -> Batch<Elements.Element> {
        Batch<Elements.Element>(try elements.flatMap(transform))
    }

    /// The elements for which `isIncluded` is true.
    @inlinable
    public func filter(_ isIncluded: (Element) throws -> Bool) rethrows -> Batch<Element> {
        Batch(try elements.filter(isIncluded))
    }

    /// The elements by the order of their keys.
    /// - Complexity: O(n log n); each key is computed once.
    public func sortBy<SortKey: Comparable>(
        ascending: Bool = true, _ key: (Element) throws -> SortKey
    ) rethrows -> Batch<Element> {
        let keyed = try elements.map { (key: try key($0), element: $0) }
        let sorted = keyed.sorted { ascending ? $0.key < $1.key : $1.key < $0.key }
        return Batch(sorted.map(\.element))
    }

    /// Each element with its place in the batch, from 0.
    public func zipWithIndex() -> Batch<(Element, Int)> {
        Batch<(Element, Int)>(elements.enumerated().map { ($0.element, $0.offset) })
    }

    /// The elements of this batch, then those of the other; equal ones stay.
    public func union(_ other: Batch<Element>) -> Batch<Element> {
        Batch(elements + other.elements)
    }
}

extension Batch where Element: Hashable {
    /// Each element once, where it occurs first.
    public func distinct() -> Batch<Element> {
        var seen = Set<Element>()
        return filter { seen.insert($0).inserted }
    }

    /// The elements that the other batch does not have; equal ones stay.
    public func subtract(_ other: Batch<Element>) -> Batch<Element> {
        let others = Set(other.elements)
        return filter { !others.contains($0) }
    }

    /// The elements that both batches have, each once, in the order of this one.
    public func intersection(_ other: Batch<Element>) -> Batch<Element> {
        let others = Set(other.elements)
        return filter { others.contains($0) }.distinct()
    }
}
