private import Synchronization

/// The bytes that a query's batches, overlays and buffered outputs may take. Full means "stop polling": never drop,
/// never grow.
public final class MemoryBudget: Sendable {
    public let limit: Int
    private let taken = Atomic<Int>(0)
    private let waiter: Signal

    /// - Parameter waiter: raised when there is room after it was full (the driver's signal).
    public init(limit: Int, waiter: Signal) {
        self.limit = limit
        self.waiter = waiter
    }

    public var used: Int { taken.load(ordering: .relaxed) }
    public var available: Int { max(0, limit - used) }
    public var isFull: Bool { used >= limit }

    /// Counts bytes as taken, beyond the limit too: who takes has looked at `isFull` before.
    public func take(_ bytes: Int) { taken.add(bytes, ordering: .relaxed) }

    /// Gives bytes back; raises the waiter's signal when there is room again.
    public func give(_ bytes: Int) {
        let before = taken.subtract(bytes, ordering: .relaxed)
        if before.oldValue >= limit, before.newValue < limit { waiter.raise() }
    }
}
