/// What a stateful query's memory is for.
package struct StateShares: Sendable, Hashable {
    /// For everything but state.
    let queryBytes: Int
    /// For values that are in memory while all of them are in the local store.
    private let cacheTotalBytes: Int
    /// For the local store's buffers and cached blocks.
    let storeBytes: Int

    /// - Parameter total: the query's memory.
    ///
    /// Well over a third is no share of anybody: a change of state costs five times its bytes until its epoch is
    /// committed (the journal, the changelog's record, the client's account of that, the batch for the disk), and
    /// batches are as large as `queryBytes` lets them be. (Measured: a million new keys of 100 bytes, 60,000 in each
    /// batch.)
    init(total: Int) {
        queryBytes = total / 4
        cacheTotalBytes = total / 5
        storeBytes = max(8 << 20, total / 8)
    }

    /// The share of one of so many operators in tasks.
    func cacheBytes(of count: Int) -> Int { max(1 << 20, cacheTotalBytes / max(1, count)) }
}
