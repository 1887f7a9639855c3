package import StreamCore

package struct HTTPResponse: Sendable, Hashable {
    package var status: Int
    package var contentType: String
    package var body: String
    /// For 405: the methods that are understood.
    package var allow: String?

    package init(_ status: Int, _ body: String, contentType: String = "text/plain; charset=utf-8", allow: String? = nil)
    {
        self.status = status
        self.body = body
        self.contentType = contentType
        self.allow = allow
    }
}

/// What the service answers: pure but for the clocks and sources it was given.
///
/// - `/healthz`: 200 while every loop comes round, else 503 with the names of those that do not.
/// - `/readyz`: 200 when the query has joined, recovered and commits (or stands by), else 503 with its state.
/// - `/metrics`: Prometheus' text format. `/status`: JSON.
package struct HTTPRoutes: Sendable {
    private let status: StatusSource
    private let heartbeats: Heartbeats
    private let clock: any EngineClock
    private let version: String
    private let process: @Sendable () -> ProcessReport

    package init(
        version: String, heartbeats: Heartbeats, clock: any EngineClock = SystemClock(),
        process: @escaping @Sendable () -> ProcessReport = ProcessReport.read, status: @escaping StatusSource
    ) {
        self.version = version
        self.heartbeats = heartbeats
        self.clock = clock
        self.process = process
        self.status = status
    }

    /// - Parameter path: without the query part.
    package func respond(method: String, path: String, hasBody: Bool) -> HTTPResponse {
        guard ["/", "/healthz", "/readyz", "/metrics", "/status"].contains(path) else {
            return HTTPResponse(404, "There is no such page. Try /healthz, /readyz, /metrics or /status.\n")
        }
        guard method == "GET" || method == "HEAD" else {
            return HTTPResponse(405, "Only GET and HEAD are understood.\n", allow: "GET, HEAD")
        }
        guard !hasBody else { return HTTPResponse(413, "No page takes a body.\n") }
        switch path {
        case "/healthz": return health()
        case "/readyz": return readiness()
        case "/metrics":
            let text = MetricsPage.text(
                status(), process: process(), pulses: heartbeats.pulses(at: clock.now), version: version)
            return HTTPResponse(200, text, contentType: MetricsText.contentType)
        case "/status":
            let text = StatusDocument.text(
                status(), process: process(), pulses: heartbeats.pulses(at: clock.now), version: version,
                wallMs: clock.wallMilliseconds)
            return HTTPResponse(200, text + "\n", contentType: "application/json")
        default:
            return HTTPResponse(200, "millrace \(version): /healthz /readyz /metrics /status\n")
        }
    }

    private func health() -> HTTPResponse {
        let late = heartbeats.overdue(at: clock.now)
        if late.isEmpty { return HTTPResponse(200, "ok\n") }
        let lines = late.map { "\($0.loop) has not come round for \(Int($0.age.seconds)) s\n" }
        return HTTPResponse(503, lines.joined())
    }

    private func readiness() -> HTTPResponse {
        let state = status().state
        return HTTPResponse(state.isReady ? 200 : 503, state.rawValue + "\n")
    }
}
