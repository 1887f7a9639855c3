private import Dispatch

/// Calls back once after a while: how an input that knows when its next record is due says so to a driver that sleeps.
///
/// A simulator hands in its own; a test that polls by hand needs none.
public struct WakeTimer: Sendable {
    private let schedule: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    public init(_ schedule: @escaping @Sendable (Duration, @escaping @Sendable () -> Void) -> Void) {
        self.schedule = schedule
    }

    /// Calls `body` once, from any thread, not before the delay is over.
    public func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) { schedule(delay, body) }

    /// The machine's own time.
    public static let system = WakeTimer { delay, body in
        let (seconds, attoseconds) = delay.components
        let nanoseconds = Int(clamping: min(seconds, 86400)) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(max(0, nanoseconds)), execute: body)
    }

    /// Never calls back.
    public static let never = WakeTimer { _, _ in }
}
