package import StreamCore

/// Log lines for people: time, level, message, fields; colour only on a terminal and without `NO_COLOR`.
///
/// `12:30:45.123 WARN  Could not reach any broker. brokers=localhost:9092`
package struct TerminalLog: LogHandler {
    private let screen: TerminalScreen
    private let level: LogLevel
    private let coloured: Bool
    private let clock: any EngineClock

    /// - Parameter environment: `NO_COLOR`, set to anything but an empty text, turns colour off (no-color.org).
    package init(
        screen: TerminalScreen, level: LogLevel, environment: [String: String], clock: any EngineClock = SystemClock()
    ) {
        self.screen = screen
        self.level = level
        self.clock = clock
        let refused = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
        coloured = screen.isTerminal && !refused
    }

    package func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) {
        guard level >= self.level else { return }
        screen.show(line: line(level, message, fields))
    }

    private func line(_ level: LogLevel, _ message: String, _ fields: [LogField]) -> String {
        // A terminal is watched now; a file or a pipe is read later and needs the date.
        let ms = clock.wallMilliseconds
        let time = screen.isTerminal ? WallTime.timeOfDay(milliseconds: ms) : WallTime.iso(milliseconds: ms)
        var text =
            paint(time, "2") + " " + paint(Self.label(level), Self.colour(level)) + " " + LogText.singleLine(message)
        for field in fields {
            text += " " + paint(LogText.singleLine(field.name) + "=", "2") + LogText.value(field.value)
        }
        return text
    }

    private func paint(_ text: String, _ code: String) -> String {
        coloured && !code.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private static func label(_ level: LogLevel) -> String {
        switch level {
        case .debug: "DEBUG"
        case .info: "INFO "
        case .notice: "NOTE "
        case .warning: "WARN "
        case .error: "ERROR"
        }
    }

    private static func colour(_ level: LogLevel) -> String {
        switch level {
        case .debug: "2"
        case .info: ""
        case .notice: "36"
        case .warning: "33"
        case .error: "31;1"
        }
    }
}
