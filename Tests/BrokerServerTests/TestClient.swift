import Glibc

@testable import BrokerServer

/// A client by plain blocking calls, each of which ends within some seconds.
final class TestClient {
    struct Failure: Error {
        let call: String
        let number: Int32
    }

    let socket: Int32
    private var isOpen = true

    init(_ address: ListenAddress, receiveBuffer: Int32? = nil, patienceSeconds: Int = 10) throws {
        let family = address.host.contains(":") ? AF_INET6 : AF_INET
        socket = Glibc.socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Failure(call: "socket", number: errno) }
        if var size = receiveBuffer {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let status: Int32
        if family == AF_INET6 {
            var target = sockaddr_in6()
            target.sin6_family = sa_family_t(AF_INET6)
            target.sin6_port = address.port.bigEndian
            inet_pton(AF_INET6, address.host, &target.sin6_addr)
            status = Self.connect(socket, &target)
        } else {
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = address.port.bigEndian
            inet_pton(AF_INET, address.host, &target.sin_addr)
            status = Self.connect(socket, &target)
        }
        guard status == 0 else {
            let number = errno
            close()
            throw Failure(call: "connect", number: number)
        }
    }

    private static func connect<Address>(_ socket: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(call: "send", number: errno) }
            sent += count
        }
    }

    func send(frame body: [UInt8]) throws { try send(framed(body)) }

    /// Exactly so many bytes.
    func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var here = 0
        while here < count {
            let more = bytes.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + here, count - here, 0) }
            guard more > 0 else { throw Failure(call: "recv", number: more == 0 ? 0 : errno) }
            here += more
        }
        return bytes
    }

    func receiveFrame() throws -> [UInt8] {
        let header = try receive(4)
        return try receive(header.reduce(0) { $0 << 8 | Int($1) })
    }

    /// Whether the server ends the connection (in order, or by a reset) before the patience is over.
    func isEndedByServer() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &bytes, bytes.count, 0)
            if count == 0 { return true }
            if count < 0 { return errno == ECONNRESET || errno == EPIPE }
        }
    }

    func endOutput() { shutdown(socket, Int32(SHUT_WR)) }

    /// The server gets a reset instead of an orderly end.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        _ = Glibc.close(socket)
    }

    deinit { close() }
}

func framed(_ body: [UInt8]) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (24 - 8 * $0)) } + body
}
