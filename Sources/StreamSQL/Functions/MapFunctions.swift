import StreamCore

/// Maps taken apart and put together. Keys are never null and differ within a map.
enum MapFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("map_keys", part { $0.key }) { parts($0) { $0.keys } },
        ScalarFunction("map_values", part { $0.value }) { parts($0) { $0.values } },
        ScalarFunction(
            "map_entries", part { .structure(Schema([Field("key", $0.key), Field("value", $0.value)])) }
        ) { entries($0) },
        ScalarFunction("map_contains_key", containsSignature) { containsKey($0) },
        ScalarFunction("map_from_arrays", fromArrays) { call in
            guard let (keys, keyMask) = call.arrays(0), let (values, valueMask) = call.arrays(1) else {
                return call.nothing()
            }
            return MapBuilder.build(call, keys: [keys.elements], values: [values.elements]) {
                (row, map) throws(RowError) in
                let (left, right) = (keys.range(row & keyMask), values.range(row & valueMask))
                guard left.count == right.count else {
                    throw RowError("MAP_KEY_VALUE_DIFF_SIZES", "the arrays of keys and values differ in length")
                }
                for (key, value) in zip(left, right) { try map.add(Pick(0, key), Pick(0, value)) }
                return true
            }
        },
        ScalarFunction("map_from_entries", fromEntries) { call in
            guard let (array, mask) = call.arrays(0), case .structure(let entries) = array.elements else {
                return call.nothing()
            }
            return MapBuilder.build(call, keys: [entries.columns[0]], values: [entries.columns[1]]) {
                (row, map) throws(RowError) in
                let range = array.range(row & mask)
                if range.contains(where: { entries.isNull($0) }) { return false }
                for entry in range { try map.add(Pick(0, entry), Pick(0, entry)) }
                return true
            }
        },
        ScalarFunction("map_concat", concatSignature) { call in
            let maps = call.arguments.indices.compactMap { call.maps($0) }
            return MapBuilder.build(
                call, keys: maps.map(\.column.keys), values: maps.map(\.column.values)
            ) { (row, result) throws(RowError) in
                for (source, map) in maps.enumerated() {
                    for entry in map.column.range(row & map.mask) {
                        try result.add(Pick(source, entry), Pick(source, entry))
                    }
                }
                return true
            }
        },
        ScalarFunction(
            "str_to_map", .exact([.string], optional: [.string, .string], returns: .map(.string, .string)),
            implementation: .prepared { _ in
                let splitters = (TextSplitter(), TextSplitter())
                return { TextMap.evaluate($0, splitters.0, splitters.1) }
            }),
    ]

    // MARK: - Types

    private static func part(_ type: @escaping @Sendable ((key: DataType, value: DataType)) -> DataType) -> Signature {
        .custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in ResultType(.array(type(try typing.entry(0))))
        }
    }

    private static let containsSignature = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let (key, value) = try typing.entry(0)
        guard typing.type(1) != .null, let common = Coercion.common(key, typing.type(1)) else {
            throw typing.mismatch(1, wanted: key.name.uppercased())
        }
        typing.arguments[0] = typing.arguments[0].cast(to: .map(common, value))
        typing.arguments[1] = typing.arguments[1].cast(to: common)
        return ResultType(.boolean)
    }

    private static let fromArrays = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        ResultType(.map(try typing.element(0), try typing.element(1)))
    }

    private static let fromEntries = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        guard case .structure(let schema) = try typing.element(0), schema.count == 2 else {
            throw typing.mismatch(0, wanted: "ARRAY of pair STRUCT")
        }
        return ResultType(.map(schema[0].type, schema[1].type))
    }

    private static let concatSignature = Signature.custom(0...Int.max) {
        (typing: inout CallTyping) throws(SyntaxIssue) in
        guard typing.count > 0 else { return ResultType(.map(.string, .string)) }
        for index in typing.arguments.indices { _ = try typing.entry(index) }
        return try typing.unify(0...)
    }

    // MARK: - Values

    /// Keys or values: the map's own columns, without a copy.
    private static func parts(_ call: Call, _ part: (MapColumn) -> Column) -> Column {
        guard let (map, mask) = call.maps(0) else { return call.nothing() }
        let array = ArrayColumn(elements: part(map), starts: map.starts, lengths: map.lengths, nulls: map.nulls)
        return Vector(.array(array), isConstant: mask == 0).expanded(call.count)
    }

    private static func entries(_ call: Call) -> Column {
        guard case .array(.structure(let schema)) = call.type else { return call.nothing() }
        return parts(call) { map in
            .structure(StructColumn(schema: schema, columns: [map.keys, map.values], count: map.keys.count))
        }
    }

    private static func containsKey(_ call: Call) -> Column {
        guard let (map, mask) = call.maps(0) else { return call.nothing() }
        let key = call.arguments[1]
        let order = ValueOrder(key.column.type)
        return call.boolean { row in
            map.range(row & mask).contains { order.compare(map.keys, $0, key.column, row & key.mask) == 0 }
        }
    }
}

/// The maps of a batch, put together from rows of other columns.
struct MapBuilder {
    private var seen: ElementSet
    private let keys: [Column]
    private var keyPicks: [Pick] = []
    private var valuePicks: [Pick] = []

    private init(_ keys: [Column], _ type: DataType) {
        self.keys = keys
        seen = ElementSet(keys, type)
    }

    mutating func add(_ key: Pick, _ value: Pick) throws(RowError) {
        if keys[Int(key.source)].isNull(Int(key.row)) { throw RowError("NULL_MAP_KEY", "a map key is null") }
        guard seen.insert(key) else { throw RowError("DUPLICATED_MAP_KEY", "a map key is there twice") }
        try ListLimits.check(1, keyPicks.count)
        keyPicks.append(key)
        valuePicks.append(value)
    }

    /// `body` adds a row's entries and says whether the row is not null.
    static func build(
        _ call: Call, keys: [Column], values: [Column], _ body: (Int, inout MapBuilder) throws(RowError) -> Bool
    ) -> Column {
        guard case .map(let keyType, let valueType) = call.type else { return call.nothing() }
        var builder = MapBuilder(keys, keyType)
        let spans = call.fixed(ListSpan(start: 0, length: 0)) { (row) throws(RowError) in
            let start = builder.keyPicks.count
            builder.seen.removeAll()
            guard try body(row, &builder) else { return nil }
            return ListSpan(
                start: Int32(truncatingIfNeeded: start),
                length: Int32(truncatingIfNeeded: builder.keyPicks.count - start))
        }
        return .map(
            MapColumn(
                keys: .interleaved(keys, type: keyType, builder.keyPicks),
                values: .interleaved(values, type: valueType, builder.valuePicks), starts: spans.values.map(\.start),
                lengths: spans.values.map(\.length), nulls: spans.nulls))
    }
}

/// `str_to_map`: keys and values are views of the text.
enum TextMap {
    static func evaluate(_ call: Call, _ pairSplitter: TextSplitter, _ keySplitter: TextSplitter) -> Column {
        let text = call.bytes(0)
        let pairMark = call.arguments.count > 1 ? call.bytes(1) : BytesInput(BytesColumn([","]), mask: 0)
        let keyMark = call.arguments.count > 2 ? call.bytes(2) : BytesInput(BytesColumn([":"]), mask: 0)
        var keys: [ByteView] = []
        var values: [ByteView] = []
        var known: Set<[UInt8]> = []
        let spans = call.fixed(ListSpan(start: 0, length: 0)) { (row) throws(RowError) in
            let bytes = text[row]
            let base = Int(text.view(row).start)
            let start = keys.count
            known.removeAll(keepingCapacity: true)
            for pair in try pairSplitter.split(bytes, pairMark[row], limit: .max) {
                let part = UnsafeRawBufferPointer(rebasing: bytes[pair])
                let halves = try keySplitter.split(part, keyMark[row], limit: 2)
                let key = halves[0]
                guard known.insert(Array(part[key])).inserted else {
                    throw RowError("DUPLICATED_MAP_KEY", "a map key is there twice")
                }
                keys.append(ByteView(start: base + pair.lowerBound + key.lowerBound, length: key.count))
                values.append(
                    halves.count > 1
                        ? ByteView(start: base + pair.lowerBound + halves[1].lowerBound, length: halves[1].count)
                        : .null)
            }
            return ListSpan(
                start: Int32(truncatingIfNeeded: start), length: Int32(truncatingIfNeeded: keys.count - start))
        }
        let nulls = Bitmap.marking(values) { $0.isNull }
        return .map(
            MapColumn(
                keys: .string(BytesColumn(arena: text.arena, views: keys)),
                values: .string(
                    BytesColumn(arena: text.arena, views: values.map { $0.isNull ? .empty : $0 }, nulls: nulls)),
                starts: spans.values.map(\.start), lengths: spans.values.map(\.length), nulls: spans.nulls))
    }
}

/// Splits text at a delimiter, which is a regular expression as in Spark.
final class TextSplitter {
    private let cache = RegexCache()

    /// At least one part; parts at the end may be empty.
    func split(
        _ bytes: UnsafeRawBufferPointer, _ delimiter: UnsafeRawBufferPointer, limit: Int
    ) throws(RowError) -> [Range<Int>] {
        let regex = try cache.regex(delimiter)
        var parts: [Range<Int>] = []
        var start = 0
        var from = 0
        while parts.count + 1 < limit, from <= bytes.count, try regex.search(bytes, from: from),
            let match = regex.range(of: 0)
        {
            if match.isEmpty {
                // An empty match splits between characters, not before the first one.
                guard match.lowerBound < bytes.count else { break }
                from = UTF8Text.nextPoint(bytes, match.lowerBound)
                if match.lowerBound == 0 { continue }
            } else {
                from = match.upperBound
            }
            parts.append(start..<match.lowerBound)
            start = match.upperBound
        }
        parts.append(start..<bytes.count)
        return parts
    }
}
