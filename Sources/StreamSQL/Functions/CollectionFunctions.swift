import StreamCore

/// Sizes, elements and searches of arrays and maps.
enum CollectionFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("size", aliases: ["cardinality"], sizeSignature) { size($0) },
        ScalarFunction("array_size", arraySize) { size($0) },
        ScalarFunction("element_at", elementSignature) { ElementAccess.evaluate($0, isTry: false) },
        ScalarFunction("try_element_at", elementSignature) { ElementAccess.evaluate($0, isTry: true) },
        ScalarFunction("get", getSignature) { call in
            guard let (array, mask) = call.arrays(0) else { return call.nothing() }
            let index = call.int64s(1)
            return call.picked([array.elements]) { row in
                let range = array.range(row & mask)
                return index[row] >= 0 && index[row] < Int64(range.count)
                    ? Pick(0, range.lowerBound + Int(index[row])) : nil
            }
        },
        ScalarFunction("array_contains", search(.boolean)) { ElementSearch.contains($0) },
        ScalarFunction("array_position", search(.int64)) { ElementSearch.position($0) },
        extreme("array_max") { $0 > 0 }, extreme("array_min") { $0 < 0 },
        ScalarFunction("array_join", .exact([.array(.string), .string], optional: [.string], returns: .string)) {
            join($0)
        },
    ]

    private static let sizeSignature = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        if case .map = typing.type(0) { return ResultType(.int32) }
        guard (try? typing.element(0)) != nil else { throw typing.mismatch(0, wanted: "ARRAY or MAP") }
        return ResultType(.int32)
    }

    private static let arraySize = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        _ = try typing.element(0)
        return ResultType(.int32)
    }

    private static func size(_ call: Call) -> Column {
        if let (map, mask) = call.maps(0) { return call.int32 { map.lengths[$0 & mask] } }
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        return call.int32 { array.lengths[$0 & mask] }
    }

    private static let elementSignature = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        if case .map(let key, let value) = typing.type(0) {
            guard let common = Coercion.common(key, typing.type(1)) else {
                throw typing.mismatch(1, wanted: key.name.uppercased())
            }
            typing.arguments[0] = typing.arguments[0].cast(to: .map(common, value))
            typing.arguments[1] = typing.arguments[1].cast(to: common)
            return ResultType(value)
        }
        let element = try typing.element(0)
        try typing.coerce(1, to: .int32)
        return ResultType(element)
    }

    private static let getSignature = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let element = try typing.element(0)
        try typing.coerce(1, to: .int64)
        return ResultType(element)
    }

    private static func search(_ type: DataType) -> Signature {
        .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
            _ = try typing.unifyElement(array: 0, value: 1, allowsNull: false)
            return ResultType(type)
        }
    }

    /// Nulls are skipped; without another element the result is null.
    private static func extreme(_ name: String, _ isBetter: @escaping @Sendable (Int) -> Bool) -> ScalarFunction {
        ScalarFunction(
            name,
            .custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
                let element = try typing.element(0)
                try typing.requireOrder(element, at: 0)
                return ResultType(element)
            }
        ) { call in
            guard let (array, mask) = call.arrays(0) else { return call.nothing() }
            let elements = array.elements
            let order = ValueOrder(call.type)
            return call.picked([elements]) { row in
                var best: Int?
                for element in array.range(row & mask) where !elements.isNull(element) {
                    if let known = best, !isBetter(order.compare(elements, element, elements, known)) { continue }
                    best = element
                }
                return best.map { Pick(0, $0) }
            }
        }
    }

    /// Null elements are left out, or shown as the third argument.
    private static func join(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0), case .string(let elements) = array.elements else {
            return call.nothing()
        }
        let delimiter = call.bytes(1)
        let filler = call.arguments.count > 2 ? call.bytes(2) : nil
        return call.bytes { row, writer in
            var isFirst = true
            for element in array.range(row & mask) {
                let isNull = elements.isNull(element)
                if isNull, filler == nil { continue }
                if !isFirst { writer.append(delimiter[row]) }
                isFirst = false
                if isNull, let filler { writer.append(filler[row]) } else { writer.append(elements.bytes(element)) }
            }
            return true
        }
    }
}

/// `element_at`: elements count from 1, from the end when negative; keys of maps.
enum ElementAccess {
    static func evaluate(_ call: Call, isTry: Bool) -> Column {
        if let (map, mask) = call.maps(0) { return Access.mapValue(call, map, mask) }
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let index = call.int32s(1)
        return call.picked([array.elements]) { (row) throws(RowError) in
            let range = array.range(row & mask)
            let place = Int(index[row])
            if place == 0 { throw RowError("INVALID_INDEX_OF_ZERO", "elements are counted from 1") }
            guard place.magnitude <= range.count.magnitude else {
                // Zero is an error of the try form too.
                if isTry { return nil }
                throw RowError(
                    "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
                    "the index \(place) is out of bounds: the array has \(range.count) elements")
            }
            return Pick(0, place > 0 ? range.lowerBound + place - 1 : range.upperBound + place)
        }
    }
}

enum ElementSearch {
    /// Null if the value is not there but a null is.
    static func contains(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let find = finder(call, array, mask)
        return call.boolean { row in
            if find(row) != nil { return true }
            return array.range(row & mask).contains { array.elements.isNull($0) } ? nil : false
        }
    }

    /// From 1; 0 if it is not there.
    static func position(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let find = finder(call, array, mask)
        return call.int64 { row in find(row).map { Int64($0 - array.range(row & mask).lowerBound + 1) } ?? 0 }
    }

    private static func finder(_ call: Call, _ array: ArrayColumn, _ mask: Int) -> (Int) -> Int? {
        let value = call.arguments[1]
        let order = ValueOrder(value.column.type)
        let elements = array.elements
        return { row in
            array.range(row & mask).first {
                !elements.isNull($0) && order.compare(elements, $0, value.column, row & value.mask) == 0
            }
        }
    }
}
