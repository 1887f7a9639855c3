public import StreamCore

/// Writes a column as text, for record keys and header values that are not strings already.
///
/// Strings and binaries are their own bytes; numbers, booleans, dates and instants are as `CAST(… AS STRING)` writes
/// them; arrays, maps and structs are JSON. Null stays null.
public enum TextEncoder {
    /// The texts of the selected rows, in their order; `.null` for null.
    /// - Throws: `BATCH_TOO_LARGE`; the arena is then as before.
    public static func encode(
        _ column: Column, selection: [Int32]?, into arena: ByteArena
    ) throws(StreamError) -> [ByteView] {
        let rows = selection ?? Array(0..<Int32(column.count))
        if let own = shared(column, rows, arena) { return own }
        let pieces = TextRenderer(style: .plain).render(column, rows)
        try arena.checkRoom(pieces.byteCount)
        arena.reserve(pieces.byteCount)
        return (0..<rows.count).map { index in
            let piece = pieces[index]
            if piece.isNull { return .null }
            return unsafe arena.append(UnsafeRawBufferPointer(start: pieces.address(piece), count: piece.length))
        }
    }

    /// Views that lie in the arena already.
    private static func shared(_ column: Column, _ rows: [Int32], _ arena: ByteArena) -> [ByteView]? {
        switch column {
        case .string(let bytes), .binary(let bytes):
            guard bytes.arena === arena else { return nil }
            return rows.map { bytes.isNull(Int($0)) ? .null : bytes.views[Int($0)] }
        default: return nil
        }
    }
}

/// The value of a record is one column as it is: a STRING or BINARY. Null makes a tombstone.
public final class RawEncoder: RowEncoder {
    public let schema: Schema
    private let column: Int

    /// - Parameter column: the name of the value's column; nil: the one called `value`, else the only one.
    /// - Throws: `UNKNOWN_COLUMN`, `UNSUPPORTED_TYPE`.
    public init(schema: Schema, column: String? = nil) throws(StreamError) {
        self.schema = schema
        guard let index = schema.index(of: column ?? "value") ?? (column == nil && schema.count == 1 ? 0 : nil) else {
            throw StreamError(
                "UNKNOWN_COLUMN",
                "Format raw writes column '\(column ?? "value")' as the record's value, but there are only: "
                    + schema.fields.map(\.name).joined(separator: ", ") + ".",
                remedy: "Name one of them, or select one column AS value.", domain: .user)
        }
        switch schema[index].type {
        case .string, .binary, .null: self.column = index
        case let type:
            throw StreamError(
                "UNSUPPORTED_TYPE",
                "Format raw writes a STRING or BINARY column, but '\(schema[index].name)' is \(type.name).",
                remedy: "Cast it to STRING, or use format json.", domain: .user)
        }
    }

    public func encode(_ batch: RecordBatch, into arena: ByteArena) throws(StreamError) -> [ByteView] {
        try TextEncoder.encode(batch.columns[column], selection: batch.selection, into: arena)
    }
}
