import StreamCore

/// Arrays as sets: the first of equal elements stays, nulls are equal to each other.
enum ArraySetFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "array_distinct",
            .custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
                let element = try typing.element(0)
                try typing.requireOrder(element, at: 0)
                return ResultType(typing.type(0))
            }
        ) { call in
            guard let (array, mask) = call.arrays(0) else { return call.nothing() }
            var seen = ElementSet([array.elements], array.elements.type)
            return call.list([array.elements]) { row, picks in
                seen.removeAll()
                for element in array.range(row & mask) {
                    let pick = Pick(0, element)
                    if seen.insert(pick) { picks.append(pick) }
                }
                return true
            }
        },
        pair("array_union") { left, right, _, seen, picks in
            for pick in left where seen.insert(pick) { picks.append(pick) }
            for pick in right where seen.insert(pick) { picks.append(pick) }
        },
        pair("array_intersect") { left, right, other, seen, picks in
            for pick in right { _ = other.insert(pick) }
            for pick in left where other.contains(pick) && seen.insert(pick) { picks.append(pick) }
        },
        pair("array_except") { left, right, other, seen, picks in
            for pick in right { _ = other.insert(pick) }
            for pick in left where !other.contains(pick) && seen.insert(pick) { picks.append(pick) }
        },
        ScalarFunction("arrays_overlap", pairSignature(.boolean)) { overlap($0) },
    ]

    /// Both arrays in one type; the result is that type or another one.
    private static func pairSignature(_ type: DataType?) -> Signature {
        .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
            let (a, b) = (try typing.element(0), try typing.element(1))
            guard let common = Coercion.common(a, b) else {
                throw typing.issue(
                    "DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES",
                    "the arrays of '\(typing.name)' must have one type, not \(a.name) and \(b.name)", at: 1)
            }
            try typing.requireOrder(common, at: 0)
            for index in 0..<2 { typing.arguments[index] = typing.arguments[index].cast(to: .array(common)) }
            return ResultType(type ?? .array(common))
        }
    }

    private typealias Combination =
        @Sendable ([Pick], [Pick], _ other: inout ElementSet, _ seen: inout ElementSet, _ picks: inout [Pick]) -> Void

    private static func pair(_ name: String, _ combine: @escaping Combination) -> ScalarFunction {
        ScalarFunction(name, pairSignature(nil)) { call in
            guard let (a, aMask) = call.arrays(0), let (b, bMask) = call.arrays(1) else { return call.nothing() }
            let sources = [a.elements, b.elements]
            var other = ElementSet(sources, a.elements.type)
            var seen = other
            return call.list(sources) { row, picks in
                other.removeAll()
                seen.removeAll()
                combine(
                    a.range(row & aMask).map { Pick(0, $0) }, b.range(row & bMask).map { Pick(1, $0) }, &other, &seen,
                    &picks)
                return true
            }
        }
    }

    /// True if an element is in both; null if none is but a null could have been one.
    private static func overlap(_ call: Call) -> Column {
        guard let (a, aMask) = call.arrays(0), let (b, bMask) = call.arrays(1) else { return call.nothing() }
        var left = ElementSet([a.elements, b.elements], a.elements.type)
        return call.boolean { row in
            left.removeAll()
            let (first, second) = (a.range(row & aMask), b.range(row & bMask))
            guard !first.isEmpty, !second.isEmpty else { return false }
            for element in first { _ = left.insert(Pick(0, element)) }
            var hasNull = left.hasNull
            for element in second {
                if b.elements.isNull(element) { hasNull = true } else if left.contains(Pick(1, element)) { return true }
            }
            return hasNull ? nil : false
        }
    }
}
