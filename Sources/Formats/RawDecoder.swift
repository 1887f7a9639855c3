public import StreamCore

/// Gives records as Spark's Kafka source does: `key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT,
/// timestamp TIMESTAMP, timestampType INT, headers ARRAY<STRUCT<key: STRING, value: BINARY>>`, as many of them as the
/// schema asks for. Key and value are views into the block.
///
/// Where the schema declares `key` or `value` as STRING they are text: bytes that are no UTF-8 are a fault
/// (`INVALID_UTF8`).
public final class RawDecoder: RowDecoder {
    public let schema: Schema
    private let columns: [RecordColumn]

    /// The column with the headers.
    public static let headers = RecordColumn.headers.rawValue

    /// Spark's row.
    public static let fullSchema = Schema(RecordColumn.allCases.map { Field($0.rawValue, $0.type) })

    /// - Parameter schema: columns of `fullSchema`, in any order.
    /// - Throws: `UNKNOWN_COLUMN`, `UNSUPPORTED_TYPE`.
    public init(schema: Schema) throws(StreamError) {
        self.schema = schema
        var columns: [RecordColumn] = []
        for field in schema.fields {
            guard let column = RecordColumn(rawValue: field.name) else {
                throw StreamError(
                    "UNKNOWN_COLUMN", "Format raw has no column '\(field.name)'.",
                    remedy: "It has: \(RecordColumn.allCases.map(\.rawValue).joined(separator: ", ")).", domain: .user)
            }
            guard field.type == column.type || (column.mayBeText && field.type == .string) else {
                throw StreamError(
                    "UNSUPPORTED_TYPE",
                    "Column '\(field.name)' of format raw is \(column.type.name), not \(field.type.name).",
                    remedy: "Cast it in the query.", domain: .user)
            }
            columns.append(column)
        }
        self.columns = columns
    }

    public func decode(_ block: RecordBlock, rows: [Int32]?) -> (batch: RecordBatch, faults: [RowFault]) {
        let rendered = zip(schema.fields, columns).map { field, column in column.column(of: block, as: field.type) }
        var batch = RecordBatch(schema: schema, columns: rendered, count: block.count, selection: rows)
        let faults = textFaults(batch)
        if !faults.isEmpty {
            let bad = Set(faults.map(\.row))
            let kept = (0..<Int32(block.count)).map { bad.contains($0) ? Int32(block.count) : $0 }
            batch.columns = rendered.map { $0.blanked(kept) }
        }
        return (batch, faults)
    }

    /// The rows whose text is no UTF-8, once each.
    private func textFaults(_ batch: RecordBatch) -> [RowFault] {
        var faults: [Int32: RowFault] = [:]
        for (place, field) in schema.fields.enumerated() where columns[place].mayBeText {
            guard case .string(let texts) = batch.columns[place] else { continue }
            batch.forEachRow { row in
                guard unsafe !isUTF8(texts.bytes(row)), faults[Int32(row)] == nil else { return }
                faults[Int32(row)] = RowFault(
                    row: Int32(row), code: "INVALID_UTF8", message: "The record's \(field.name) is not valid UTF-8.")
            }
        }
        return faults.values.sorted { $0.row < $1.row }
    }
}

extension Column {
    /// The same rows, but null where `rows` points behind the end.
    fileprivate func blanked(_ rows: [Int32]) -> Column {
        let bad = Bitmap.marking(rows) { Int($0) >= count }
        let all = Bitmap.union(nulls, bad)
        switch self {
        case .binary(let column): return .binary(column.with(all))
        case .string(let column): return .string(column.with(all))
        case .int32(let column): return .int32(FixedColumn(column.values, nulls: all))
        case .int64(let column): return .int64(FixedColumn(column.values, nulls: all))
        case .timestamp(let column): return .timestamp(FixedColumn(column.values, nulls: all))
        case .array(var column):
            column.nulls = all
            return .array(column)
        default: return self
        }
    }
}

extension BytesColumn {
    fileprivate func with(_ nulls: Bitmap?) -> BytesColumn {
        guard let nulls else { return self }
        var result = self
        result.nulls = nulls
        for row in 0..<count where nulls[row] { result.views[row] = .empty }
        return result
    }
}

/// Whether the bytes are well-formed UTF-8.
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe String(validating: bytes, as: UTF8.self) != nil
}
