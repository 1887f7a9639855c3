import DStreams

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// SIGTERM and SIGINT, taken by one thread instead of interrupting any.
struct StopSignals: Sendable {
    /// Holds the signals back in this thread and in those that it starts.
    init() {
        var set = Self.stopSet
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Calls `stop` at each signal, and once when the time is over.
    func onStop(after duration: Duration?, _ stop: @escaping @Sendable () -> Void) {
        startThread(name: "signals") {
            var set = Self.stopSet
            if let duration {
                var time = timespec()
                let nanoseconds = duration.nanoseconds
                time.tv_sec = Int(nanoseconds / 1_000_000_000)
                time.tv_nsec = Int(nanoseconds % 1_000_000_000)
                while sigtimedwait(&set, nil, &time) < 0, errno == EINTR {}
                stop()
            }
            var number: Int32 = 0
            while true {
                if sigwait(&set, &number) == 0 { stop() }
            }
        }
    }

    private static var stopSet: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }
}

/// Log lines on standard error; what is worth knowing, nothing below.
struct StandardErrorLog: LogHandler {
    func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) {
        guard level >= .info else { return }
        let details = fields.map { " \($0.name)=\($0.value)" }.joined()
        complain("\(level) \(message)\(details)")
    }
}

/// One line on standard error, in one write, so that lines of several threads do not mix.
func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}

func exitProgram(_ code: Int32) -> Never { exit(code) }

func environmentVariable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}
