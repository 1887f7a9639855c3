import StreamCore

/// Thins out log lines: at most one a second, identical ones once in ten seconds, and what was left out is counted.
///
/// librdkafka repeats itself many times a second while a broker is away. Pure: time is a parameter.
struct LogGate {
    private var lastAt: MonotonicTime?
    private var lastLine = ""
    private var lastLineAt = MonotonicTime.zero
    private var withheld = 0

    /// The line to write now, or nil. Lines that were withheld before are mentioned in it.
    mutating func admit(_ line: String, at now: MonotonicTime) -> String? {
        if let lastAt, now - lastAt < .seconds(1) {
            withheld += 1
            return nil
        }
        if line == lastLine, lastAt != nil, now - lastLineAt < .seconds(10) {
            withheld += 1
            return nil
        }
        let text = withheld == 0 ? line : "\(line) (\(withheld) more lines left out)"
        lastAt = now
        lastLine = line
        lastLineAt = now
        withheld = 0
        return text
    }
}
