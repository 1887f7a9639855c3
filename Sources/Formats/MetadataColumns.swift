public import StreamCore

/// A record's Kafka metadata beside the columns of a decoded format: `_key BINARY, _topic STRING, _partition INT,
/// _offset BIGINT, _timestamp TIMESTAMP, _headers ARRAY<STRUCT<key: STRING, value: BINARY>>`.
public enum MetadataColumns {
    private static let columns: [RecordColumn] = [.key, .topic, .partition, .offset, .timestamp, .headers]

    /// All of them, in the order in which `SELECT *` shows them.
    public static let fields = columns.map { Field("_" + $0.rawValue, $0.type) }

    /// The one with the headers.
    public static let headers = "_" + RecordColumn.headers.rawValue

    /// Whether a column's name is one of these.
    public static func isMetadata(_ name: String) -> Bool { fields.contains { $0.name == name } }

    /// The batch with metadata of the block that it was decoded from, behind its own columns.
    ///
    /// They are there for faulted rows and tombstones too. Unknown names are left out.
    /// - Parameter names: which of them, in this order.
    public static func append(_ names: [String], of block: RecordBlock, to batch: RecordBatch) -> RecordBatch {
        precondition(batch.count == block.count, "the batch was decoded from this block")
        var result = batch
        for name in names {
            guard let column = columns.first(where: { "_" + $0.rawValue == name }) else { continue }
            result.schema.fields.append(Field(name, column.type))
            result.columns.append(column.column(of: block, as: column.type))
        }
        return result
    }
}
