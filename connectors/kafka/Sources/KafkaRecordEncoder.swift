public import Formats
public import StreamCore

/// Turns rows into Kafka records as a sink's settings say: value, key, headers, partition, timestamp, topic. One per
/// task.
///
/// Without `value`, the record's value is the row in the sink's format, less the columns that only say where the record
/// goes (`topic-from`, `headers`, `partition`, `timestamp`); the key's column stays in it.
public final class KafkaRecordEncoder {
    /// What Kafka adds to a record in a batch of one, at most: its header, and the varints of the record itself.
    private static let overheadBytes = 128

    private let values: any RowEncoder
    /// Columns of the query's result that go into the value, in order.
    private let valueColumns: [Int]
    private let key: Int?
    private let headers: Int?
    private let partition: Int?
    private let timestamp: Int?
    private let topicColumn: Int?
    private let topic: TopicName?
    private let recordBytesMax: Int

    /// - Parameters:
    ///   - schema: the query's result.
    ///   - recordBytesMax: the smallest limit on the way to the topic (`message.max.bytes`, `max.message.bytes`).
    /// - Throws: `UNKNOWN_COLUMN`, `UNSUPPORTED_TYPE`.
    public init(
        _ config: KafkaSinkConfig, format: EncoderFormat, schema: Schema, recordBytesMax: Int = 1_000_000
    ) throws(StreamError) {
        let keyColumn = try Self.column(config.key, "key", schema)
        key = keyColumn
        headers = try Self.column(config.headers, "headers", schema)
        partition = try Self.column(config.partition, "partition", schema, [.int8, .int16, .int32])
        timestamp = try Self.column(config.timestamp, "timestamp", schema, [.timestamp])
        switch config.target {
        case .topic(let name): (topic, topicColumn) = (name, nil)
        case .column(let name): (topic, topicColumn) = (nil, try Self.column(name, "topic-from", schema, [.string]))
        }
        if let headers { try Self.checkHeaders(schema[headers]) }
        let value = try Self.column(config.value, "value", schema)
        let routing = Set([headers, partition, timestamp, topicColumn].compactMap { $0 })
        switch (format, value) {
        case (_, .some(let value)): valueColumns = [value]
        case (.json, nil): valueColumns = (0..<schema.count).filter { !routing.contains($0) }
        case (.raw, nil):
            let left = (0..<schema.count).filter { !routing.contains($0) && $0 != keyColumn }
            valueColumns = left.count == 1 ? left : schema.index(of: "value").map { [$0] } ?? left
        }
        values = try format.makeEncoder(schema: Schema(valueColumns.map { schema[$0] }))
        self.recordBytesMax = recordBytesMax
    }

    private static func column(
        _ name: String?, _ role: String, _ schema: Schema, _ types: [DataType]? = nil
    ) throws(StreamError) -> Int? {
        guard let name else { return nil }
        guard let index = schema.index(of: name) else {
            throw StreamError(
                "UNKNOWN_COLUMN", "The sink's \(role) '\(name)' is no column of the query's result.",
                remedy: "It has: \(schema.fields.map(\.name).joined(separator: ", ")).", domain: .user)
        }
        guard types?.contains(schema[index].type) ?? true else {
            throw StreamError(
                "UNSUPPORTED_TYPE", "The sink's \(role) '\(name)' is \(schema[index].type.name).",
                remedy: "Cast it to \(types?.last?.name ?? "string").", domain: .user)
        }
        return index
    }

    private static func checkHeaders(_ field: Field) throws(StreamError) {
        if case .array(.structure(let schema)) = field.type, schema.count == 2, schema[0].type == .string,
            schema[1].type == .binary || schema[1].type == .string
        {
            return
        }
        if case .map(.string, let value) = field.type, value == .string || value == .binary { return }
        throw StreamError(
            "UNSUPPORTED_TYPE", "The sink's headers '\(field.name)' are \(field.type.name).",
            remedy: "Give ARRAY<STRUCT<key: STRING, value: BINARY>> or MAP<STRING, STRING>.", domain: .user)
    }

    // MARK: - Encoding

    /// Encodes the selected rows of a batch.
    /// - Returns: one record per row, in order, without those that are listed as faults (by their row in the batch).
    /// - Throws: `BATCH_TOO_LARGE`.
    public func encode(_ batch: RecordBatch) throws(StreamError) -> (block: RecordBlock, faults: [RowFault]) {
        let rows = batch.selectedCount
        let block = RecordBlock(slotCapacity: rows, topics: topic.map { [$0] } ?? [])
        let part = RecordBatch(
            schema: values.schema, columns: valueColumns.map { batch.columns[$0] }, count: batch.count,
            selection: batch.selection)
        let encoded = try values.encode(part, into: block.arena)
        let keys = try key.map { column throws(StreamError) in
            try TextEncoder.encode(batch.columns[column], selection: batch.selection, into: block.arena)
        }
        let headerViews = headers.map { encodeHeaders(batch.columns[$0], batch, block.arena) }
        var faults: [RowFault] = []
        var place = 0
        batch.forEachRow { row in
            defer { place += 1 }
            var slot = RecordSlot(
                key: keys?[place] ?? .null, value: encoded[place], headers: headerViews?[place] ?? .null)
            if let fault = route(&slot, row, batch, block) ?? oversize(slot, row) {
                faults.append(fault)
            } else {
                block.slots.append(slot)
            }
        }
        return (block, faults)
    }

    private func oversize(_ slot: RecordSlot, _ row: Int) -> RowFault? {
        let bytes = Int(slot.key.length) + Int(slot.value.length) + Int(slot.headers.length) + Self.overheadBytes
        guard bytes > recordBytesMax else { return nil }
        return RowFault(
            row: Int32(row), code: "RECORD_TOO_LARGE",
            message: "the record to write takes about \(bytes) bytes, and the topic takes \(recordBytesMax)")
    }

    /// Sets topic, partition and timestamp.
    private func route(_ slot: inout RecordSlot, _ row: Int, _ batch: RecordBatch, _ block: RecordBlock) -> RowFault? {
        if let topicColumn, case .string(let names) = batch.columns[topicColumn] {
            // A name that the broker refuses would fail the whole transaction, again and again.
            guard let name = names.string(row), KafkaNames.topicComplaint(name) == nil else {
                return RowFault(
                    row: Int32(row), code: "NO_TOPIC", message: "the column of the topic is null or no topic's name")
            }
            slot.topic = block.topicIndex(TopicName(name))
        }
        if let partition, let number = Self.number(batch.columns[partition], row) {
            guard number >= 0 else {
                return RowFault(row: Int32(row), code: "NO_PARTITION", message: "partition \(number) does not exist")
            }
            slot.partition = number
        }
        if let timestamp, case .timestamp(let times) = batch.columns[timestamp], let time = times[row] {
            guard time >= 0 else {
                return RowFault(row: Int32(row), code: "NEGATIVE_TIMESTAMP", message: "the timestamp lies before 1970")
            }
            slot.timestamp = time / 1000
        }
        return nil
    }

    private static func number(_ column: Column, _ row: Int) -> Int32? {
        switch column {
        case .int8(let numbers): numbers[row].map(Int32.init)
        case .int16(let numbers): numbers[row].map(Int32.init)
        case .int32(let numbers): numbers[row]
        default: nil
        }
    }

    private func encodeHeaders(_ column: Column, _ batch: RecordBatch, _ arena: ByteArena) -> [ByteView] {
        var views: [ByteView] = []
        batch.forEachRow { row in
            views.append(RecordHeaders.encode(Self.headers(column, row), into: arena))
        }
        return views
    }

    private static func headers(_ column: Column, _ row: Int) -> [RecordHeader] {
        switch column {
        case .array(let lists) where !lists.isNull(row):
            guard case .structure(let entries) = lists.elements else { return [] }
            return lists.range(row).compactMap { entry in
                entries.isNull(entry)
                    ? nil : name(entries.columns[0], entry).map { RecordHeader($0, bytes(entries.columns[1], entry)) }
            }
        case .map(let maps) where !maps.isNull(row):
            return maps.range(row).compactMap { entry in
                name(maps.keys, entry).map { RecordHeader($0, bytes(maps.values, entry)) }
            }
        default: return []
        }
    }

    private static func name(_ column: Column, _ row: Int) -> String? {
        if case .string(let names) = column { names.string(row) } else { nil }
    }

    private static func bytes(_ column: Column, _ row: Int) -> [UInt8]? {
        switch column {
        case .string(let values), .binary(let values): values.isNull(row) ? nil : values.arena.array(values.views[row])
        default: nil
        }
    }
}
