import DStreams
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Stores the lines that a server sends, several together, and sends a byte back for each as soon as it is safe: what a
/// receiver of a queue with acknowledgements does.
final class AcknowledgingReceiver: Receiver {
    private let host: String
    private let port: UInt16
    private let queue = DispatchQueue(label: "acknowledging-receiver")
    /// Of the connection that is open, so that `onStop` can end the waiting for it.
    private let socket = Mutex<Int32?>(nil)

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    func onStart(_ store: ReceiverStore) throws {
        guard let descriptor = connection() else {
            throw StreamError("NO_CONNECTION", "nobody answers at \(host):\(port)", recovery: .retry)
        }
        socket.withLock { $0 = descriptor }
        queue.async { self.receive(descriptor, store) }
    }

    func onStop() {
        socket.withLock { open in
            if let open { _ = shutdown(open, Int32(SHUT_RDWR)) }
        }
        queue.sync {}
    }

    private func receive(_ descriptor: Int32, _ store: ReceiverStore) {
        var chunk = [UInt8](repeating: 0, count: 32 << 10)
        var rest: [UInt8] = []
        do {
            while true {
                let count = recv(descriptor, &chunk, chunk.count, 0)
                guard count > 0 else { break }
                rest += chunk[..<count]
                guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
                let lines = rest[..<end].split(separator: UInt8(ascii: "\n"))
                rest.removeFirst(end + 1)
                try store.store(lines.map { Record(value: String(decoding: $0, as: UTF8.self)) })
                let thanks = [UInt8](repeating: UInt8(ascii: "+"), count: lines.count)
                guard send(descriptor, thanks, thanks.count, Int32(MSG_NOSIGNAL)) == thanks.count else {
                    break
                }
            }
            store.restart("the connection was closed")
        } catch {
            store.restart("lines could not be stored", error)
        }
        socket.withLock { $0 = nil }
        close(descriptor)
    }

    private func connection() -> Int32? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return nil }
        let descriptor = makeSocket()
        guard descriptor >= 0 else { return nil }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if !isConnected { close(descriptor) }
        return isConnected ? descriptor : nil
    }
}

/// Outside of the class, whose own `socket` hides the function.
private func makeSocket() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
