/// Lets one line of a kind pass in each interval, and counts what it held back: outsiders must not fill the log.
struct LogThrottle {
    private var nextMs = Int64.min
    private var suppressed = 0
    private let intervalMs: Int64

    init(intervalMs: Int64 = 1_000) {
        self.intervalMs = intervalMs
    }

    /// - Returns: how many lines were held back since the last that passed; nil where this one is held back too.
    mutating func pass(nowMs: Int64) -> Int? {
        guard nowMs >= nextMs else {
            suppressed &+= 1
            return nil
        }
        nextMs = nowMs &+ intervalMs
        defer { suppressed = 0 }
        return suppressed
    }
}
