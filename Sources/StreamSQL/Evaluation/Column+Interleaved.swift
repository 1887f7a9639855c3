import StreamCore

/// Where a row of a merged column comes from; `source` -1 is null.
struct Pick: BitwiseCopyable, Sendable {
    var source: Int32
    var row: Int32

    static let null = Pick(source: -1, row: 0)

    init(source: Int32, row: Int32) {
        self.source = source
        self.row = row
    }

    init(_ source: Int, _ row: Int) {
        self.source = Int32(truncatingIfNeeded: source)
        self.row = Int32(truncatingIfNeeded: row)
    }
}

extension Column {
    /// Rows of several columns of one type (or NULLs without a type) in the order of `picks`.
    /// The way in which CASE, COALESCE, `array(a, b)` and the like put their results together.
    static func interleaved(_ sources: [Column], type: DataType, _ picks: [Pick]) -> Column {
        if sources.count == 1, picks.allSatisfy({ $0.source == 0 }), sources[0].type != .null {
            return sources[0].gathered(picks.map(\.row))
        }
        switch type {
        case .null: return .null(picks.count)
        case .boolean: return .boolean(fixed(sources, picks, false) { if case .boolean(let c) = $0 { c } else { nil } })
        case .int8: return .int8(fixed(sources, picks, 0) { if case .int8(let c) = $0 { c } else { nil } })
        case .int16: return .int16(fixed(sources, picks, 0) { if case .int16(let c) = $0 { c } else { nil } })
        case .int32: return .int32(fixed(sources, picks, 0) { if case .int32(let c) = $0 { c } else { nil } })
        case .int64: return .int64(fixed(sources, picks, 0) { if case .int64(let c) = $0 { c } else { nil } })
        case .float: return .float(fixed(sources, picks, 0) { if case .float(let c) = $0 { c } else { nil } })
        case .double: return .double(fixed(sources, picks, 0) { if case .double(let c) = $0 { c } else { nil } })
        case .date: return .date(fixed(sources, picks, 0) { if case .date(let c) = $0 { c } else { nil } })
        case .timestamp:
            return .timestamp(fixed(sources, picks, 0) { if case .timestamp(let c) = $0 { c } else { nil } })
        case .yearMonthInterval:
            return .yearMonthInterval(
                fixed(sources, picks, 0) { if case .yearMonthInterval(let c) = $0 { c } else { nil } })
        case .dayTimeInterval:
            return .dayTimeInterval(
                fixed(sources, picks, 0) { if case .dayTimeInterval(let c) = $0 { c } else { nil } })
        case .calendarInterval:
            let zero = CalendarInterval(months: 0, days: 0, microseconds: 0)
            return .calendarInterval(
                fixed(sources, picks, zero) { if case .calendarInterval(let c) = $0 { c } else { nil } })
        case .decimal(let precision, let scale):
            let column = fixed(sources, picks, Int128(0)) { if case .decimal(let c) = $0 { c.unscaled } else { nil } }
            return .decimal(DecimalColumn(column, precision: precision, scale: scale))
        case .string: return .string(bytes(sources, picks))
        case .binary: return .binary(bytes(sources, picks))
        case .array(let element): return .array(arrays(sources, picks, element))
        case .map(let key, let value): return .map(maps(sources, picks, key, value))
        case .structure(let schema): return .structure(structures(sources, picks, schema))
        }
    }

    private static func fixed<Value>(
        _ sources: [Column], _ picks: [Pick], _ filler: Value, _ unwrap: (Column) -> FixedColumn<Value>?
    ) -> FixedColumn<Value> {
        let columns = sources.map(unwrap)
        var nulls: Bitmap?
        var values = [Value](repeating: filler, count: picks.count)
        for (index, pick) in picks.enumerated() {
            if pick.source >= 0, let column = columns[Int(pick.source)], !column.isNull(Int(pick.row)) {
                values[index] = column.values[Int(pick.row)]
            } else {
                mark(&nulls, index, picks.count)
            }
        }
        return FixedColumn(values, nulls: nulls)
    }

    private static func mark(_ nulls: inout Bitmap?, _ index: Int, _ count: Int) {
        if nulls == nil { nulls = Bitmap(count: count) }
        nulls?[index] = true
    }

    private static func bytes(_ sources: [Column], _ picks: [Pick]) -> BytesColumn {
        let columns = sources.map { source -> BytesColumn? in
            switch source {
            case .string(let column), .binary(let column): column
            default: nil
            }
        }
        let present = columns.compactMap { $0?.arena }
        let isShared = present.allSatisfy { $0 === present[0] }
        let arena = isShared ? present.first ?? ByteArena() : ByteArena()
        var nulls: Bitmap?
        var views = [ByteView](repeating: .empty, count: picks.count)
        for (index, pick) in picks.enumerated() {
            guard pick.source >= 0, let column = columns[Int(pick.source)], !column.isNull(Int(pick.row)) else {
                mark(&nulls, index, picks.count)
                continue
            }
            let view = column.views[Int(pick.row)]
            views[index] = isShared ? view : arena.append(view, from: column.arena)
        }
        return BytesColumn(arena: arena, views: views, nulls: nulls)
    }

    private static func arrays(_ sources: [Column], _ picks: [Pick], _ element: DataType) -> ArrayColumn {
        let columns = sources.map { if case .array(let column) = $0 { column } else { nil as ArrayColumn? } }
        let (spans, inner, nulls) = spread(picks) { pick in
            guard let column = columns[Int(pick.source)], !column.isNull(Int(pick.row)) else { return nil }
            return column.range(Int(pick.row))
        }
        let elements = interleaved(columns.map { $0?.elements ?? .null(0) }, type: element, inner)
        return ArrayColumn(elements: elements, starts: spans.starts, lengths: spans.lengths, nulls: nulls)
    }

    private static func maps(_ sources: [Column], _ picks: [Pick], _ key: DataType, _ value: DataType) -> MapColumn {
        let columns = sources.map { if case .map(let column) = $0 { column } else { nil as MapColumn? } }
        let (spans, inner, nulls) = spread(picks) { pick in
            guard let column = columns[Int(pick.source)], !column.isNull(Int(pick.row)) else { return nil }
            return column.range(Int(pick.row))
        }
        return MapColumn(
            keys: interleaved(columns.map { $0?.keys ?? .null(0) }, type: key, inner),
            values: interleaved(columns.map { $0?.values ?? .null(0) }, type: value, inner), starts: spans.starts,
            lengths: spans.lengths, nulls: nulls)
    }

    /// Picks of lists turned into picks of their elements.
    private static func spread(
        _ picks: [Pick], _ range: (Pick) -> Range<Int>?
    ) -> (spans: (starts: [Int32], lengths: [Int32]), inner: [Pick], nulls: Bitmap?) {
        var starts = [Int32](repeating: 0, count: picks.count)
        var lengths = starts
        var inner: [Pick] = []
        var nulls: Bitmap?
        for (index, pick) in picks.enumerated() {
            starts[index] = Int32(truncatingIfNeeded: inner.count)
            guard pick.source >= 0, let elements = range(pick) else {
                mark(&nulls, index, picks.count)
                continue
            }
            lengths[index] = Int32(truncatingIfNeeded: elements.count)
            for element in elements { inner.append(Pick(Int(pick.source), element)) }
        }
        return ((starts, lengths), inner, nulls)
    }

    private static func structures(_ sources: [Column], _ picks: [Pick], _ schema: Schema) -> StructColumn {
        let columns = sources.map { if case .structure(let column) = $0 { column } else { nil as StructColumn? } }
        var nulls: Bitmap?
        var inner = picks
        for (index, pick) in picks.enumerated() {
            if pick.source >= 0, let column = columns[Int(pick.source)], !column.isNull(Int(pick.row)) { continue }
            mark(&nulls, index, picks.count)
            inner[index] = .null
        }
        let members = schema.fields.indices.map { field in
            interleaved(columns.map { $0?.columns[field] ?? .null(0) }, type: schema[field].type, inner)
        }
        return StructColumn(schema: schema, columns: members, count: picks.count, nulls: nulls)
    }
}
