public import StreamCore

/// Turns rows into record values. One belongs to each task.
public protocol RowEncoder: AnyObject {
    /// The columns of every batch it is given.
    var schema: Schema { get }

    /// Encodes the selected rows of a batch, in their order.
    /// - Returns: views into `arena`, one for each selected row; `.null` for a tombstone.
    /// - Throws: `BATCH_TOO_LARGE` if the arena cannot hold it; the arena is then as before.
    func encode(_ batch: RecordBatch, into arena: ByteArena) throws(StreamError) -> [ByteView]
}

/// The output formats by the names that pipelines use.
public enum EncoderFormat: String, Sendable, CaseIterable {
    /// One JSON object per row.
    case json
    /// One STRING or BINARY column as it is.
    case raw

    /// - Throws: `UNKNOWN_FORMAT`, which lists what there is.
    public init(name: String) throws(StreamError) {
        guard let format = EncoderFormat(rawValue: name) else {
            throw unknownFormat(name, "output", among: Self.allCases.map(\.rawValue))
        }
        self = format
    }

    /// An encoder for rows of these columns.
    /// - Throws: `UNSUPPORTED_TYPE`; `UNKNOWN_COLUMN` (raw) if it is not clear which column is the value.
    public func makeEncoder(schema: Schema) throws(StreamError) -> any RowEncoder {
        switch self {
        case .json: try JSONEncoder(schema: schema)
        case .raw: try RawEncoder(schema: schema)
        }
    }
}

extension ByteArena {
    /// - Throws: `BATCH_TOO_LARGE`.
    func checkRoom(_ bytes: Int) throws(StreamError) {
        guard bytes > ByteArena.sizeMax - count else { return }
        throw StreamError(
            "BATCH_TOO_LARGE",
            "Could not encode a batch: its rows take up to \(bytes) bytes, and a block holds less than 4 GiB.",
            remedy: "Lower max-offsets-per-trigger or memory.", domain: .user)
    }
}

extension RecordBatch {
    /// The selected rows, spelled out.
    var rows: [Int32] { selection ?? Array(0..<Int32(count)) }
}
