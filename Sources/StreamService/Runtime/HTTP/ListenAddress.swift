private import Glibc
package import StreamCore

/// Where the HTTP server listens: a numeric IP address, or `localhost`, and a port (0 lets the system choose).
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.
    /// - Throws: `INVALID_LISTEN_ADDRESS`, of the user's domain.
    package init(parsing text: String) throws(StreamError) {
        let invalid = StreamError(
            "INVALID_LISTEN_ADDRESS", "'\(LogText.singleLine(text))' is not an address to listen on.",
            remedy: "Write it as 127.0.0.1:8080, [::1]:8080 or localhost:8080.", domain: .user)
        guard let colon = text.lastIndex(of: ":") else { throw invalid }
        let digits = text[text.index(after: colon)...]
        guard let port = UInt16(digits), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { throw invalid }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { throw invalid }
        } else if host.contains(":") {
            throw invalid
        }
        self.init(host: host == "localhost" ? "127.0.0.1" : host, port: port)
        guard socketAddress != nil else { throw invalid }
    }

    package var isIPv6: Bool { host.contains(":") }

    /// 127.0.0.0/8 or ::1: nobody but this machine reaches it.
    package var isLoopback: Bool {
        guard let bytes = socketAddress else { return false }
        // The address begins at byte 4 of a sockaddr_in and at byte 8 of a sockaddr_in6.
        return isIPv6 ? bytes[8..<24].elementsEqual([UInt8](repeating: 0, count: 15) + [1]) : bytes[4] == 127
    }

    package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The bytes of a `sockaddr_in` or `sockaddr_in6`; nil where the host is not a numeric address.
    var socketAddress: [UInt8]? {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            guard inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { return nil }
            return withUnsafeBytes(of: &address) { Array($0) }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { Array($0) }
    }
}
