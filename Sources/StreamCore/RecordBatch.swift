/// Columns of some records inside an epoch.
///
/// A filter does not move rows: it narrows `selection`. Columns always hold all `count` rows; whoever reads a batch
/// looks only at the selected ones.
public struct RecordBatch: Sendable {
    public var schema: Schema
    public var columns: [Column]
    /// Rows in each column, selected or not.
    public var count: Int
    /// The rows that are in the batch, ascending; nil means all.
    public var selection: [Int32]?

    public init(schema: Schema, columns: [Column], count: Int, selection: [Int32]? = nil) {
        precondition(schema.count == columns.count && columns.allSatisfy { $0.count == count })
        self.schema = schema
        self.columns = columns
        self.count = count
        self.selection = selection
    }

    public var selectedCount: Int { selection?.count ?? count }

    /// Calls `body` with each selected row.
    @inlinable
    public func forEachRow(_ body: (Int) -> Void) {
        if let selection {
            for row in selection { body(Int(row)) }
        } else {
            for row in 0..<count { body(row) }
        }
    }
}
