import Glibc
import StreamCore
import StreamService
import Synchronization
import Testing

/// Sends raw bytes to 127.0.0.1 and reads until the server closes.
private func exchange(_ port: UInt16, _ request: String) -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var time = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard connected == 0 else { return "not connected" }
    let bytes = Array(request.utf8)
    _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    shutdown(descriptor, Int32(SHUT_WR))
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
        let got = recv(descriptor, &chunk, chunk.count, 0)
        if got <= 0 { break }
        answer += chunk.prefix(got)
    }
    return String(decoding: answer, as: UTF8.self)
}

private func get(_ port: UInt16, _ path: String, method: String = "GET", extra: String = "") -> String {
    exchange(port, "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(extra)\r\n")
}

@Suite("HTTP", .timeLimit(.minutes(1)))
struct HTTPTests {
    private let hearts = Heartbeats()
    private let clock = HandClock()

    private func serve(_ snapshot: ServiceSnapshot) throws -> HTTPServer {
        let routes = HTTPRoutes(version: "0.1.0", heartbeats: hearts, clock: clock) { snapshot }
        return try HTTPServer(listen: ListenAddress(parsing: "127.0.0.1:0"), routes: routes)
    }

    @Test("the pages answer over a socket")
    func pages() throws {
        let server = try serve(.sample)
        defer { server.close() }
        let port = server.address.port
        #expect(port != 0)
        let health = get(port, "/healthz")
        #expect(health.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(health.hasSuffix("\r\n\r\nok\n"))
        #expect(get(port, "/readyz?verbose=1").hasSuffix("\r\n\r\nrunning\n"))
        #expect(get(port, "/status").contains("\r\nContent-Type: application/json\r\n"))
        let metrics = get(port, "/metrics")
        #expect(metrics.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        let body = try #require(metrics.firstRange(of: "\r\n\r\n")).upperBound
        let page = try PrometheusParser(String(metrics[body...]))
        #expect(page.value("millrace_records_read_total") == 1000)
        #expect((page.value("process_resident_memory_bytes", [:]) ?? 0) > 1_000_000)
        let head = get(port, "/healthz", method: "HEAD")
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
    }

    @Test("what is not understood is refused")
    func refusals() throws {
        let server = try serve(.sample)
        defer { server.close() }
        let port = server.address.port
        #expect(get(port, "/etc/passwd").hasPrefix("HTTP/1.1 404 "))
        let post = get(port, "/status", method: "POST", extra: "Content-Length: 0\r\n")
        #expect(post.hasPrefix("HTTP/1.1 405 ") && post.contains("\r\nAllow: GET, HEAD\r\n"))
        let long = String(repeating: "x", count: 40_000)
        #expect(get(port, "/status", extra: "X-Long: \(long)\r\n").hasPrefix("HTTP/1.1 4"))
        #expect(
            exchange(port, "GET /status HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").hasPrefix("HTTP/1.1 413 ")
        )
        #expect(!exchange(port, "\u{1}nonsense / HTTP/9.9\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        #expect(get(port, "/healthz").hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test("a stuck loop makes it unhealthy, a query that recovers makes it unready")
    func unwell() throws {
        var snapshot = ServiceSnapshot.sample
        snapshot.state = .recovering
        let loop = hearts.register("driver", within: .seconds(5), at: clock.now)
        let server = try serve(snapshot)
        defer { server.close() }
        clock.advance(.seconds(8))
        let health = get(server.address.port, "/healthz")
        #expect(health.hasPrefix("HTTP/1.1 503 "))
        #expect(health.hasSuffix("\r\n\r\ndriver has not come round for 8 s\n"))
        loop.beat(at: clock.now)
        #expect(get(server.address.port, "/healthz").hasPrefix("HTTP/1.1 200 "))
        let ready = get(server.address.port, "/readyz")
        #expect(ready.hasPrefix("HTTP/1.1 503 ") && ready.hasSuffix("\r\n\r\nrecovering\n"))
    }

    @Test("a port that is taken is an error with a remedy")
    func taken() throws {
        let server = try serve(.sample)
        defer { server.close() }
        let routes = HTTPRoutes(version: "", heartbeats: hearts, clock: clock) { .sample }
        #expect(throws: StreamError("HTTP_LISTEN_FAILED", "")) {
            try HTTPServer(listen: server.address, routes: routes)
        }
    }

    @Test("closing stops listening, and twice is harmless")
    func closes() throws {
        let server = try serve(.sample)
        let port = server.address.port
        server.close()
        server.close()
        #expect(get(port, "/healthz") == "not connected")
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1:8080", true), ("localhost:0", "127.0.0.1:0", true),
        ("[::1]:80", "[::1]:80", true),
        ("0.0.0.0:80", "0.0.0.0:80", false), ("[::]:65535", "[::]:65535", false), ("127.9.9.9:1", "127.9.9.9:1", true),
    ])
    func addresses(text: String, description: String, isLoopback: Bool) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address.description == description)
        #expect(address.isLoopback == isLoopback)
    }

    @Test(arguments: [
        "", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "::1:80", "[::1]", "host:80",
        "[127.0.0.1]:1", "256.0.0.1:1",
    ])
    func badAddresses(text: String) {
        #expect(throws: StreamError("INVALID_LISTEN_ADDRESS", "")) { try ListenAddress(parsing: text) }
    }
}
