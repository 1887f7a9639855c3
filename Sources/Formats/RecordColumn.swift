internal import StreamCore

/// What is known of a record besides its value's content, as columns with Spark's names and types.
enum RecordColumn: String, CaseIterable {
    case key, value, topic, partition, offset, timestamp, timestampType, headers

    static let headerSchema = Schema([Field("key", .string), Field("value", .binary)])

    var type: DataType {
        switch self {
        case .key, .value: .binary
        case .topic: .string
        case .partition, .timestampType: .int32
        case .offset: .int64
        case .timestamp: .timestamp
        case .headers: .array(.structure(Self.headerSchema))
        }
    }

    var mayBeText: Bool { self == .key || self == .value }

    /// - Parameter type: BINARY or STRING for key and value, whose text is not checked here.
    func column(of block: RecordBlock, as type: DataType) -> Column {
        switch self {
        case .key: Self.bytes(block, type) { $0.key }
        case .value: Self.bytes(block, type) { $0.value }
        case .topic: Self.topics(block)
        case .partition: .int32(FixedColumn(block.slots.map(\.partition)))
        case .offset: .int64(FixedColumn(block.slots.map(\.offset)))
        case .timestamp: Self.timestamps(block)
        case .timestampType: .int32(FixedColumn(block.slots.map { Int32($0.timestampType.rawValue) }))
        case .headers: Self.headers(block)
        }
    }

    private static func bytes(_ block: RecordBlock, _ type: DataType, _ view: (RecordSlot) -> ByteView) -> Column {
        var views = block.slots.map(view)
        // A loop of our own: the generic helper costs ten times as much across the module's border.
        var nulls = Bitmap(count: views.count)
        var hasNulls = false
        for row in views.indices where views[row].isNull {
            views[row] = .empty
            nulls[row] = true
            hasNulls = true
        }
        let column = BytesColumn(arena: block.arena, views: views, nulls: hasNulls ? nulls : nil)
        return type == .string ? .string(column) : .binary(column)
    }

    private static func topics(_ block: RecordBlock) -> Column {
        let arena = ByteArena()
        let names = block.topics.map { arena.append($0.text) }
        return .string(BytesColumn(arena: arena, views: block.slots.map { names[Int($0.topic)] }))
    }

    private static func timestamps(_ block: RecordBlock) -> Column {
        // A record without a time, or with one that no TIMESTAMP can hold, has none.
        let values = block.slots.map { slot -> Int64? in
            let (product, overflow) = slot.timestamp.multipliedReportingOverflow(by: 1000)
            return overflow || slot.timestamp == -1 ? nil : product
        }
        return .timestamp(FixedColumn(values, default: 0))
    }

    /// Spark gives null for a record without headers. A name that is no UTF-8 is repaired with U+FFFD.
    private static func headers(_ block: RecordBlock) -> Column {
        let arena = ByteArena()
        var keys: [ByteView] = []
        var values: [ByteView] = []
        var starts: [Int32] = []
        var lengths: [Int32] = []
        for (row, slot) in block.slots.enumerated() {
            starts.append(Int32(keys.count))
            if !slot.headers.isNull {
                for header in block.headers(row) {
                    keys.append(arena.append(header.name))
                    values.append(header.value.map { arena.append(contentsOf: $0) } ?? .null)
                }
            }
            lengths.append(Int32(keys.count) - starts[row])
        }
        let valueNulls = Bitmap.marking(values) { $0.isNull }
        let entries = StructColumn(
            schema: headerSchema,
            columns: [
                .string(BytesColumn(arena: arena, views: keys)),
                .binary(BytesColumn(arena: arena, views: values.map { $0.isNull ? .empty : $0 }, nulls: valueNulls)),
            ], count: keys.count)
        return .array(
            ArrayColumn(
                elements: .structure(entries), starts: starts, lengths: lengths,
                nulls: Bitmap.marking(block.slots) { $0.headers.isNull }))
    }
}
