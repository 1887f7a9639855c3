public import StreamCore
private import Synchronization

/// A clock that moves only when a test or a simulation says so.
public final class ManualClock: EngineClock {
    private let nanoseconds: Atomic<Int64>
    private let wallStartMs: Int64

    /// - Parameter wallStartMs: the wall clock at monotonic zero; they run side by side.
    public init(wallStartMs: Int64 = 1_704_067_200_000) {
        nanoseconds = Atomic(1)
        self.wallStartMs = wallStartMs
    }

    public var now: MonotonicTime { MonotonicTime(nanoseconds: nanoseconds.load(ordering: .relaxed)) }
    public var wallMilliseconds: Int64 { wallStartMs + now.nanoseconds / 1_000_000 }

    public func advance(by duration: Duration) { nanoseconds.add(duration.nanoseconds, ordering: .relaxed) }

    /// Never goes back.
    public func advance(to time: MonotonicTime) {
        if time > now { nanoseconds.store(time.nanoseconds, ordering: .relaxed) }
    }
}
