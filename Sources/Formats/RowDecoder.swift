public import StreamCore

/// Turns records into rows. One belongs to each task, and reuses its memory from batch to batch.
public protocol RowDecoder: AnyObject {
    /// The columns of every batch.
    var schema: Schema { get }

    /// Decodes a block: row i is slot i.
    ///
    /// A row is all or nothing: a record that cannot be decoded is null in all columns and listed once in `faults`,
    /// ascending by row. A tombstone is a row of nulls and no fault.
    ///
    /// - Parameter rows: the slots that are wanted, ascending; nil means all. The others are not in the
    ///   batch's selection, and what its columns hold there is unspecified.
    /// - Returns: columns that may share the block's arena; they are valid as long as they are kept.
    func decode(_ block: RecordBlock, rows: [Int32]?) -> (batch: RecordBatch, faults: [RowFault])
}

extension RowDecoder {
    /// Decodes all slots of a block.
    public func decode(_ block: RecordBlock) -> (batch: RecordBatch, faults: [RowFault]) {
        decode(block, rows: nil)
    }
}

/// The input formats by the names that pipelines use.
public enum DecoderFormat: String, Sendable, CaseIterable {
    /// One JSON object per record value.
    case json
    /// Spark's Kafka row: `key, value, topic, partition, offset, timestamp, timestampType, headers`.
    case raw

    /// - Throws: `UNKNOWN_FORMAT`, which lists what there is.
    public init(name: String) throws(StreamError) {
        guard let format = DecoderFormat(rawValue: name) else {
            throw unknownFormat(name, "input", among: Self.allCases.map(\.rawValue))
        }
        self = format
    }

    /// A decoder for the columns that a query uses.
    /// - Throws: `UNSUPPORTED_TYPE`, `UNKNOWN_COLUMN` (raw) with the column's name.
    public func makeDecoder(schema: Schema) throws(StreamError) -> any RowDecoder {
        switch self {
        case .json: try JSONDecoder(schema: schema)
        case .raw: try RawDecoder(schema: schema)
        }
    }
}

func unknownFormat(_ name: String, _ direction: String, among names: [String]) -> StreamError {
    StreamError(
        "UNKNOWN_FORMAT", "There is no \(direction) format '\(name)'.",
        remedy: "Use one of: \(names.joined(separator: ", ")).", domain: .user)
}
