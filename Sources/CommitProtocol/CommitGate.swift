import Synchronization

/// Keeps commits back that were given up while they were on their way to the broker.
///
/// The driver drops an attempt at once (splits were lost, a drain took too long) and gives the splits back, while the
/// writer may still be busy with that attempt's last epoch. What that epoch read is another instance's a moment later,
/// and by then the writer's membership may look perfectly right again. So the driver shuts the gate before it gives
/// anything back, the writer looks at it after it has taken its membership and before it adds positions, and opens it
/// when it begins anew: behind everything that was submitted for the attempt that is over.
public final class CommitGate: Sendable {
    private let isShutFlag = Atomic(false)

    public init() {}

    /// Nothing that was submitted so far is to be committed any more. From any thread.
    public func shut() { isShutFlag.store(true, ordering: .sequentiallyConsistent) }

    /// A new attempt begins. By the writer, when it carries out `initialize`.
    public func open() { isShutFlag.store(false, ordering: .sequentiallyConsistent) }

    public var isOpen: Bool { !isShutFlag.load(ordering: .sequentiallyConsistent) }
}
