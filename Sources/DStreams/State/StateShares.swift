/// What a stateful query's memory is for.
package struct StateShares: Sendable, Hashable {
    /// For everything but state.
    let queryBytes: Int
    /// For values that are in memory while all of them are in the local store.
    private let cacheTotalBytes: Int
    /// For the local store's buffers and cached blocks.
    let storeBytes: Int

    /// - Parameter total: the query's memory.
    init(total: Int) {
        queryBytes = total / 8 * 5
        cacheTotalBytes = total / 4
        storeBytes = max(8 << 20, total / 8)
    }

    /// The share of one of so many operators in tasks.
    func cacheBytes(of count: Int) -> Int { max(1 << 20, cacheTotalBytes / max(1, count)) }
}
