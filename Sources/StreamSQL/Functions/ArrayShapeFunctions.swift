import StreamCore

/// Arrays made longer, shorter or put in order.
enum ArrayShapeFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("array_remove", elementSignature(allowsNull: false, needsOrder: true)) { remove($0) },
        ScalarFunction("array_append", elementSignature(), propagatesNulls: false) { added($0, atEnd: true) },
        ScalarFunction("array_prepend", elementSignature(), propagatesNulls: false) { added($0, atEnd: false) },
        ScalarFunction("array_insert", insertSignature, propagatesNulls: false) { ArrayInsertion.evaluate($0) },
        ScalarFunction("array_compact", sameSignature()) { compact($0) },
        ScalarFunction("array_sort", sameSignature(needsOrder: true)) {
            sorted($0, nullsFirst: { _ in false }, isDescending: { _ in false })
        },
        ScalarFunction("sort_array", sortSignature) { call in
            guard call.arguments.count > 1 else {
                return sorted(call, nullsFirst: { _ in true }, isDescending: { _ in false })
            }
            let isAscending = call.booleans(1)
            return sorted(call, nullsFirst: { isAscending[$0] }, isDescending: { !isAscending[$0] })
        },
        ScalarFunction("slice", sliceSignature) { slice($0) },
        ScalarFunction("flatten", flattenSignature) { flatten($0) },
        ScalarFunction("array_repeat", repeatSignature, propagatesNulls: false) { repeated($0) },
        ScalarFunction("arrays_zip", zipSignature) { zipped($0) },
        ScalarFunction("shuffle", shuffleSignature, isFoldable: false) { shuffled($0) },
    ]

    // MARK: - Types

    private static func sameSignature(needsOrder: Bool = false) -> Signature {
        .custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
            let element = try typing.element(0)
            if needsOrder { try typing.requireOrder(element, at: 0) }
            return ResultType(.array(element))
        }
    }

    private static func elementSignature(allowsNull: Bool = true, needsOrder: Bool = false) -> Signature {
        .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
            ResultType(
                .array(try typing.unifyElement(array: 0, value: 1, allowsNull: allowsNull, needsOrder: needsOrder)))
        }
    }

    private static let insertSignature = Signature.custom(3...3) { (typing: inout CallTyping) throws(SyntaxIssue) in
        try typing.coerce(1, to: .int32)
        return ResultType(.array(try typing.unifyElement(array: 0, value: 2, allowsNull: true, needsOrder: false)))
    }

    private static let sortSignature = Signature.custom(1...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let element = try typing.element(0)
        try typing.requireOrder(element, at: 0)
        if typing.count > 1 { try typing.coerce(1, to: .boolean) }
        return ResultType(.array(element))
    }

    private static let sliceSignature = Signature.custom(3...3) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let element = try typing.element(0)
        for index in 1...2 { try typing.coerce(index, to: .int32) }
        return ResultType(.array(element))
    }

    private static let flattenSignature = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        switch try typing.element(0) {
        case .array(let element): return ResultType(.array(element))
        case .null:
            typing.arguments[0] = typing.arguments[0].cast(to: .array(.array(.null)))
            return ResultType(.array(.null))
        default: throw typing.mismatch(0, wanted: "ARRAY of ARRAY")
        }
    }

    private static let repeatSignature = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        try typing.coerce(1, to: .int32)
        return ResultType(.array(typing.type(0)))
    }

    private static let zipSignature = Signature.custom(0...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
        var fields: [Field] = []
        for index in typing.arguments.indices {
            fields.append(Field(typing.argumentNames[index] ?? "\(index)", try typing.element(index)))
        }
        return ResultType(.array(.structure(Schema(fields))))
    }

    private static let shuffleSignature = Signature.custom(1...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let element = try typing.element(0)
        if typing.count > 1 { try typing.coerce(1, to: .int64) }
        return ResultType(.array(element))
    }

    // MARK: - Values

    private static func remove(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let (elements, value) = (array.elements, call.arguments[1])
        let order = ValueOrder(value.column.type)
        return call.list([elements]) { row, picks in
            for element in array.range(row & mask) {
                let isEqual =
                    !elements.isNull(element) && order.compare(elements, element, value.column, row & value.mask) == 0
                if !isEqual { picks.append(Pick(0, element)) }
            }
            return true
        }
    }

    private static func added(_ call: Call, atEnd: Bool) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let value = call.arguments[1]
        return call.list([array.elements, value.column]) { row, picks in
            if call.isNull(0, row) { return false }
            if !atEnd { picks.append(Pick(1, row & value.mask)) }
            for element in array.range(row & mask) { picks.append(Pick(0, element)) }
            if atEnd { picks.append(Pick(1, row & value.mask)) }
            return true
        }
    }

    private static func compact(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        return call.list([array.elements]) { row, picks in
            for element in array.range(row & mask) where !array.elements.isNull(element) {
                picks.append(Pick(0, element))
            }
            return true
        }
    }

    private static func sorted(_ call: Call, nullsFirst: (Int) -> Bool, isDescending: (Int) -> Bool) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let elements = array.elements
        let order = ValueOrder(elements.type)
        return call.list([elements]) { row, picks in
            let range = array.range(row & mask)
            let nulls = range.filter { elements.isNull($0) }
            let sign = isDescending(row) ? -1 : 1
            // Equal elements keep their order: Swift's sort is stable.
            let values = range.filter { !elements.isNull($0) }.sorted {
                sign * order.compare(elements, $0, elements, $1) < 0
            }
            for element in nullsFirst(row) ? nulls + values : values + nulls { picks.append(Pick(0, element)) }
            return true
        }
    }

    /// A part of the same elements: nothing is copied.
    private static func slice(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let (start, length) = (call.int32s(1), call.int32s(2))
        let spans = call.fixed(ListSpan(start: 0, length: 0)) { (row) throws(RowError) in
            let range = array.range(row & mask)
            if start[row] == 0 { throw RowError("INVALID_PARAMETER_VALUE.START", "elements are counted from 1") }
            if length[row] < 0 { throw RowError("INVALID_PARAMETER_VALUE.LENGTH", "a length is not negative") }
            let first = start[row] > 0 ? Int(start[row]) - 1 : range.count + Int(start[row])
            guard first >= 0, first < range.count else { return ListSpan(start: 0, length: 0) }
            let count = min(Int(length[row]), range.count - first)
            return ListSpan(
                start: Int32(truncatingIfNeeded: range.lowerBound + first), length: Int32(truncatingIfNeeded: count))
        }
        return .array(
            ArrayColumn(
                elements: array.elements, starts: spans.values.map(\.start), lengths: spans.values.map(\.length),
                nulls: spans.nulls))
    }

    /// Null if one of the arrays is.
    private static func flatten(_ call: Call) -> Column {
        guard let (outer, mask) = call.arrays(0), case .array(let inner) = outer.elements else { return call.nothing() }
        return call.list([inner.elements]) { (row, picks) throws(RowError) in
            let range = outer.range(row & mask)
            if range.contains(where: { inner.isNull($0) }) { return false }
            for list in range {
                try ListLimits.check(inner.range(list).count, picks.count)
                for element in inner.range(list) { picks.append(Pick(0, element)) }
            }
            return true
        }
    }

    private static func repeated(_ call: Call) -> Column {
        let (value, count) = (call.arguments[0], call.int32s(1))
        return call.list([value.column]) { (row, picks) throws(RowError) in
            if count.isNull(row) { return false }
            let times = max(0, Int(count[row]))
            try ListLimits.check(times, picks.count)
            for _ in 0..<times { picks.append(Pick(0, row & value.mask)) }
            return true
        }
    }

    private static func zipped(_ call: Call) -> Column {
        guard case .array(.structure(let schema)) = call.type else { return call.nothing() }
        let arrays = call.arguments.indices.compactMap { call.arrays($0) }
        guard arrays.count == schema.count else { return call.nothing() }
        var picks = [[Pick]](repeating: [], count: arrays.count)
        var total = 0
        let spans = call.fixed(ListSpan(start: 0, length: 0)) { (row) throws(RowError) in
            let ranges = arrays.map { $0.column.range(row & $0.mask) }
            let length = ranges.map(\.count).max() ?? 0
            try ListLimits.check(length, total)
            for (index, range) in ranges.enumerated() {
                for place in 0..<length {
                    picks[index].append(place < range.count ? Pick(0, range.lowerBound + place) : .null)
                }
            }
            defer { total += length }
            return ListSpan(start: Int32(truncatingIfNeeded: total), length: Int32(truncatingIfNeeded: length))
        }
        let columns = arrays.indices.map {
            Column.interleaved([arrays[$0].column.elements], type: schema[$0].type, picks[$0])
        }
        return .array(
            ArrayColumn(
                elements: .structure(StructColumn(schema: schema, columns: columns, count: total)),
                starts: spans.values.map(\.start), lengths: spans.values.map(\.length), nulls: spans.nulls))
    }

    /// The order depends on the batch's time and the row (or on the seed), so that a batch gives the same again.
    private static func shuffled(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let seed = call.arguments.count > 1 ? call.int64s(1) : nil
        return call.list([array.elements]) { row, picks in
            var random = StableRandom(
                seed: UInt64(bitPattern: seed?[row] ?? call.context.now) &+ UInt64(row) &* 0x9E37_79B9)
            for element in array.range(row & mask).shuffled(using: &random) { picks.append(Pick(0, element)) }
            return true
        }
    }
}

/// `array_insert`: places count from 1, from the end when negative; gaps are filled with nulls.
enum ArrayInsertion {
    static func evaluate(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let (place, value) = (call.int32s(1), call.arguments[2])
        return call.list([array.elements, value.column]) { (row, picks) throws(RowError) in
            if call.isNull(0, row) || place.isNull(row) { return false }
            let range = array.range(row & mask)
            let position = Int(place[row])
            if position == 0 { throw RowError("INVALID_INDEX_OF_ZERO", "elements are counted from 1") }
            let item = Pick(1, row & value.mask)
            let index = position > 0 ? position - 1 : range.count + position + 1
            try ListLimits.check(max(range.count + 1, Int(position.magnitude)), picks.count)
            if index < 0 {
                picks.append(item)
                for _ in 0..<(-index) { picks.append(.null) }
                for element in range { picks.append(Pick(0, element)) }
                return true
            }
            for element in range.prefix(index) { picks.append(Pick(0, element)) }
            for _ in 0..<max(0, index - range.count) { picks.append(.null) }
            picks.append(item)
            for element in range.dropFirst(index) { picks.append(Pick(0, element)) }
            return true
        }
    }
}
