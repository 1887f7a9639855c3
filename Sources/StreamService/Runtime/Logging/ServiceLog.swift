package import StreamCore

/// The log of a service process: the journal where systemd connected it, else a terminal or a file, limited in rate.
package enum ServiceLog {
    /// - Parameters:
    ///   - query: named in every line of the journal.
    ///   - screen: standard error, shared with the progress display.
    package static func make(
        level: LogLevel, query: String?, screen: TerminalScreen, environment: [String: String],
        clock: any EngineClock = SystemClock()
    ) -> RateLimitedLog {
        let inner: any LogHandler =
            JournalLog.isConnected(environment: environment)
            ? JournalLog(level: level, query: query)
            : TerminalLog(screen: screen, level: level, environment: environment, clock: clock)
        return RateLimitedLog(inner, clock: clock)
    }
}
