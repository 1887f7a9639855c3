import DStreams
import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// SIGTERM and SIGINT, and the end of the time that was given, as calls on a queue.
struct StopSignals {
    private let sources: [any DispatchSourceProtocol]

    /// Calls `stop` at each signal, and once when the time is over, as long as this object is there.
    init(after duration: Duration?, _ stop: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "stop")
        var sources: [any DispatchSourceProtocol] = [SIGTERM, SIGINT].map { number in
            // The source sees the signal all the same; without this it would end the process.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler(handler: stop)
            return source
        }
        if let duration {
            let timer = DispatchSource.makeTimerSource(queue: queue)
            timer.schedule(deadline: .now() + .nanoseconds(Int(clamping: duration.nanoseconds)))
            timer.setEventHandler(handler: stop)
            sources.append(timer)
        }
        for source in sources { source.activate() }
        self.sources = sources
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
package func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}

package func exitProgram(_ code: Int32) -> Never { exit(code) }

package func environmentVariable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}
