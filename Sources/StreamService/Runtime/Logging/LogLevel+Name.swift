package import StreamCore

extension LogLevel {
    /// The word that configuration, logs and JSON use.
    package var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        }
    }

    /// Reads `--log-level` or `MILLRACE_LOG`, in any case; `warn` and `trace` are understood as well. Nil for others.
    package init?(name: String) {
        switch name.lowercased() {
        case "trace", "debug": self = .debug
        case "info": self = .info
        case "notice": self = .notice
        case "warning", "warn": self = .warning
        case "error": self = .error
        default: return nil
        }
    }

    /// The option wins over `MILLRACE_LOG`; `info` without either.
    /// - Throws: `INVALID_LOG_LEVEL`, naming where the word came from.
    package static func choose(option: String?, environment: [String: String]) throws(StreamError) -> LogLevel {
        let (word, origin) = option.map { ($0, "--log-level") } ?? (environment["MILLRACE_LOG"] ?? "", "MILLRACE_LOG")
        if word.isEmpty { return .info }
        if let level = LogLevel(name: word) { return level }
        throw StreamError(
            "INVALID_LOG_LEVEL", "\(origin) is '\(word)', which is not a log level.",
            remedy: "Use one of debug, info, notice, warning, error.", domain: .user)
    }

    /// syslog's severity, as the journal stores it.
    package var journalPriority: Int {
        switch self {
        case .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        }
    }
}
