import StreamCore

/// Where what a receiver stores waits to be read and committed: segments on disk, or memory. Positions count records.
protocol ReceivedRecords: AnyObject, Sendable {
    /// Makes the records ours, with what is there already. On the source's thread.
    /// - Returns: false while another process has them.
    func open() throws -> Bool
    /// Reading begins here.
    func begin(at position: Int64)
    /// The records are as safe as they will get when it returns. From any thread.
    func append(_ records: [Record]) throws
    /// Frees what lies before the position.
    func trim(before position: Int64)
    /// Bytes of what is not committed up to this position.
    func heldBytes(behind position: Int64) -> Int
    var bounds: Range<Int64> { get }
    func makeReader() -> any SourceReader
    /// Another process may have them from now on.
    func letGo()
}
