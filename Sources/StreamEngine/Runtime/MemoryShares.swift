/// How a query's memory is divided, so that the process as a whole keeps within it.
public struct MemoryShares: Sendable, Hashable {
    /// For blocks in flight and buffered outputs: the limit of the `MemoryBudget`.
    public let engineBytes: Int
    /// For records that the client has fetched ahead.
    public let fetchBytes: Int
    /// For records that the client has yet to send.
    public let sendBytes: Int

    /// What the process takes before it has read anything (measured: 30 MB of code, connections, threads), and what
    /// the allocator and responses on their way hold whatever the budget.
    private static let processBytes = 54 << 20

    /// - Parameter total: the query's memory, in bytes.
    ///
    /// The shares add up to five eighths of what the process leaves: the client's own account of a small record is
    /// about half of what it takes, and the allocator keeps some of what was given back.
    public init(total: Int) {
        let usable = max(total / 2, total - Self.processBytes)
        engineBytes = usable / 8 * 3
        fetchBytes = max(1 << 20, usable / 8)
        sendBytes = max(1 << 20, usable / 8)
    }
}
