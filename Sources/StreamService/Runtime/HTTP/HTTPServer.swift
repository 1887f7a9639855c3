private import CMicrohttpd
private import Glibc
package import StreamCore
private import Synchronization

/// Serves `HTTPRoutes` on one address: libmicrohttpd with one thread of its own, few connections, small requests, short
/// time-outs. Nothing that a client sends reaches further than its method and path.
package final class HTTPServer: Sendable {
    /// What the C callback is given: alive until the server is stopped.
    private final class Context: Sendable {
        let routes: HTTPRoutes
        init(_ routes: HTTPRoutes) { self.routes = routes }
    }

    /// The running daemon and the context that it points to.
    // Safety: both are only taken out, once, under the mutex below; any thread may stop a daemon.
    private struct Running: @unchecked Sendable {
        var daemon: OpaquePointer
        var context: Unmanaged<Context>
    }

    private let running: Mutex<Running?>
    /// Where it listens, with the port that the system chose where 0 was asked for.
    package let address: ListenAddress

    /// Begins to listen.
    /// - Throws: `HTTP_LISTEN_FAILED`: the port is taken, or the address is not this machine's.
    package init(listen: ListenAddress, routes: HTTPRoutes) throws(StreamError) {
        guard let socketAddress = listen.socketAddress else {
            throw StreamError("INVALID_LISTEN_ADDRESS", "'\(listen.host)' is not a numeric IP address.", domain: .user)
        }
        let context = Unmanaged.passRetained(Context(routes))
        let started = socketAddress.withUnsafeBytes { bytes in
            millrace_httpd_start(
                listen.isIPv6 ? 1 : 0, bytes.baseAddress, HTTPServer.answer, context.toOpaque())
        }
        guard let daemon = started else {
            let cause = String(cString: strerror(errno))
            context.release()
            throw StreamError(
                "HTTP_LISTEN_FAILED", "Could not listen on \(listen): \(cause).",
                remedy: "Choose another port in http.listen, or stop the program that uses it.", domain: .user)
        }
        running = Mutex(Running(daemon: daemon, context: context))
        address = ListenAddress(host: listen.host, port: millrace_httpd_port(daemon))
    }

    /// Stops listening and waits for the answers that are under way. Once; later calls do nothing.
    package func close() {
        let ended = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let ended else { return }
        MHD_stop_daemon(ended.daemon)
        ended.context.release()
    }

    deinit { close() }

    /// Called on the daemon's thread once the headers of a request are there.
    private static let answer: MHD_AccessHandlerCallback = { context, connection, path, method, _, _, uploadBytes, _ in
        guard let context, let connection, let method, let path else { return .NO }
        let routes = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue().routes
        let hasBody =
            (uploadBytes?.pointee ?? 0) > 0 || isPresent("Transfer-Encoding", connection)
            || (header("Content-Length", connection) ?? "0") != "0"
        let response = routes.respond(method: String(cString: method), path: String(cString: path), hasBody: hasBody)
        return send(response, connection)
    }

    private static func send(_ response: HTTPResponse, _ connection: OpaquePointer) -> MHD_Result {
        var body = Array(response.body.utf8)
        let made = body.withUnsafeMutableBytes { bytes in
            MHD_create_response_from_buffer(bytes.count, bytes.baseAddress, .RESPMEM_MUST_COPY)
        }
        guard let made else { return .NO }
        // Queueing takes a reference of its own.
        defer { MHD_destroy_response(made) }
        MHD_add_response_header(made, "Content-Type", response.contentType)
        MHD_add_response_header(made, "Cache-Control", "no-store")
        MHD_add_response_header(made, "X-Content-Type-Options", "nosniff")
        if let allow = response.allow { MHD_add_response_header(made, "Allow", allow) }
        return MHD_queue_response(connection, UInt32(clamping: response.status), made)
    }

    private static func header(_ name: String, _ connection: OpaquePointer) -> String? {
        MHD_lookup_connection_value(connection, .HEADER_KIND, name).map { String(cString: $0) }
    }

    private static func isPresent(_ name: String, _ connection: OpaquePointer) -> Bool {
        header(name, connection) != nil
    }
}
