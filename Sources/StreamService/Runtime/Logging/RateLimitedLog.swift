package import StreamCore
private import Synchronization

/// Passes an identical line at most once a second; the next one that passes says how many were held back.
///
/// While a broker is away the same trouble comes many times a second: the log tells it once a second and no oftener.
/// Lines of level `error` and lines that differ in their text are different lines; fields do not count (they hold
/// attempts and offsets, which always differ).
package final class RateLimitedLog: LogHandler {
    private struct Key: Hashable {
        var level: LogLevel
        var message: String
    }

    private struct Entry {
        var passedAt: MonotonicTime
        var suppressed: Int
    }

    /// More different lines than this within a second are passed unlimited: memory stays bounded.
    private static let keysMax = 256

    private let inner: any LogHandler
    private let clock: any EngineClock
    private let interval: Duration
    private let entries = Mutex<[Key: Entry]>([:])

    package init(
        _ inner: any LogHandler, every interval: Duration = .seconds(1), clock: any EngineClock = SystemClock()
    ) {
        self.inner = inner
        self.interval = interval
        self.clock = clock
    }

    package func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) {
        guard let suppressed = admit(Key(level: level, message: message)) else { return }
        inner.log(level, message, suppressed == 0 ? fields : fields + [LogField("repeated", suppressed)])
    }

    /// Says what was held back and has not been told since. Called when the service ends, or a period does.
    package func flush() {
        let held = entries.withLock { entries in
            defer { entries.removeAll() }
            return entries.filter { $0.value.suppressed > 0 }
        }
        for (key, entry) in held { inner.log(key.level, key.message, [LogField("repeated", entry.suppressed)]) }
    }

    /// The number held back since the last that passed, or nil to hold this one back as well.
    private func admit(_ key: Key) -> Int? {
        let now = clock.now
        return entries.withLock { entries -> Int? in
            if var entry = entries[key], now - entry.passedAt < interval {
                entry.suppressed += 1
                entries[key] = entry
                return nil
            }
            let suppressed = entries[key]?.suppressed ?? 0
            if entries.count >= Self.keysMax {
                entries = entries.filter { now - $0.value.passedAt < interval || $0.value.suppressed > 0 }
                if entries.count >= Self.keysMax { entries.removeAll() }
            }
            entries[key] = Entry(passedAt: now, suppressed: 0)
            return suppressed
        }
    }
}
