import StreamEngine
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A TCP server on the loopback interface for one client at a time.
final class LineServer: Sendable {
    let port: UInt16
    private let listener: Int32

    init?() {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(descriptor, raw, size) == 0 && listen(descriptor, 4) == 0
                    && getsockname(descriptor, raw, &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        if !found {
            close(descriptor)
            return nil
        }
    }

    deinit { close(listener) }

    /// Waits for a client, at most ten seconds.
    func accept() -> Client? {
        var request = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, 10_000) > 0 else { return nil }
        let descriptor = acceptConnection(listener)
        return descriptor < 0 ? nil : Client(descriptor)
    }

    /// A connection, open until deinit.
    final class Client: Sendable {
        private let descriptor: Int32
        fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }

        func send(_ text: String) {
            _ = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        }
    }
}

private func acceptConnection(_ listener: Int32) -> Int32 { accept(listener, nil, nil) }
