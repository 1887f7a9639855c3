import EngineSimulation
import StreamCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One line on the terminal that tells how far the runs are.
final class Progress: Sendable {
    private struct State {
        var seeds: UInt64 = 0
        var statistics = Statistics()
        var shownAt = MonotonicTime.zero
        var isStopped = false
    }
    private let state = Mutex(State())
    private let total: UInt64
    private let isShown: Bool
    private let began = SystemClock().now

    init(total: UInt64, isShown: Bool) {
        self.total = total
        self.isShown = isShown && isatty(STDERR_FILENO) == 1
    }

    var seconds: Double { Double((SystemClock().now - began).nanoseconds) / 1e9 }

    func stop() { state.withLock { $0.isStopped = true } }

    /// A seed is done. - Returns: false when no more are wanted.
    func note(_ news: Statistics) -> Bool {
        let now = SystemClock().now
        return state.withLock { state in
            state.seeds += 1
            state.statistics += news
            if isShown, now - state.shownAt > .milliseconds(200) {
                state.shownAt = now
                let faults = state.statistics.faults.values.reduce(0, +)
                StandardStream.writeError(
                    "\r\(state.seeds) of \(total) seeds, \(state.statistics.commits) commits, \(faults) faults   ")
            }
            return !state.isStopped
        }
    }

    func end() { if isShown { StandardStream.writeError("\r\u{1b}[K") } }
}

enum StandardStream {
    static func writeError(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
