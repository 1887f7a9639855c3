import Synchronization

/// A closure that one thread sets and any thread calls.
///
/// The mutex holds a struct around it. A bare closure would be wrapped once more by each access (its calling convention
/// changes on the way out of generic code and again on the way back in): each call slower and deeper than the last.
package final class Callback: Sendable {
    private struct Holder: Sendable { var body: (@Sendable () -> Void)? }

    private let holder = Mutex(Holder())

    package init() {}

    package var body: (@Sendable () -> Void)? {
        get { holder.withLock { $0.body } }
        set { holder.withLock { $0.body = newValue } }
    }

    /// Calls it, without the lock; nothing happens where none is set.
    package func callAsFunction() { body?() }
}
