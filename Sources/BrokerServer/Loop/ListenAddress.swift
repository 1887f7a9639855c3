/// Where a server listens: `127.0.0.1:9092`, `[::1]:9092`, a host's name and port. Port 0 lets the system choose.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    package init(_ text: String) throws(ServerError) {
        let invalid = ServerError(
            .addressInvalid, "'\(text)' is no address to listen on: use 127.0.0.1:9092, [::1]:9092 or name:9092")
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw invalid
        }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { throw invalid }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw invalid
        }
        guard !host.isEmpty, !host.utf8.contains(0) else { throw invalid }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
