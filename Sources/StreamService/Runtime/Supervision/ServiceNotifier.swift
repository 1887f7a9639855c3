private import CSystemd
private import StreamCore

/// Who is told how the service is: systemd, or nobody.
package protocol ServiceNotifier: Sendable {
    /// How often a sign of life is due; nil where none is.
    var watchdogInterval: Duration? { get }
    /// Sends `NAME=value` lines; failures are nobody's trouble.
    func notify(_ lines: [String])
}

/// systemd's notification socket (`Type=notify`). Does nothing outside systemd.
package struct SystemdNotifier: ServiceNotifier {
    package let watchdogInterval: Duration?

    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` through libsystemd.
    package init() {
        var microseconds: UInt64 = 0
        let isEnabled = sd_watchdog_enabled(0, &microseconds) > 0
        watchdogInterval = isEnabled ? .microseconds(Int64(clamping: microseconds)) : nil
    }

    package func notify(_ lines: [String]) {
        // A line break inside a value would begin another assignment.
        _ = sd_notify(0, lines.map(LogText.singleLine).joined(separator: "\n"))
    }
}
