import StreamCore
import Synchronization

/// A clock that a test moves; monotonic and wall time go together.
final class ManualClock: EngineClock {
    /// A wall clock that starts on a whole second, so that intervals are easy to reckon.
    static let startMs: Int64 = 1_700_000_000_000
    private let elapsed = Mutex<Int64>(0)

    var now: MonotonicTime { MonotonicTime(nanoseconds: elapsed.withLock { $0 } + 1) }
    var wallMilliseconds: Int64 { Self.startMs + elapsed.withLock { $0 } / 1_000_000 }

    func advance(_ duration: Duration) { elapsed.withLock { $0 += duration.nanoseconds } }
}
