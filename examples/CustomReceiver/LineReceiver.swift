import DStreams
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Receives lines of text from a TCP server. `socketTextStream` does the same; this shows what a receiver is made of.
final class LineReceiver: Receiver {
    private let host: String
    private let port: UInt16
    private let queue = DispatchQueue(label: "line-receiver")
    /// Of the connection that is open, so that `onStop` can end the waiting for it.
    private let socket = Mutex<Int32?>(nil)

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Begins to receive on a queue of its own and returns.
    func onStart(_ store: ReceiverStore) throws {
        guard let descriptor = connectTo(host, port) else {
            throw StreamError("NO_CONNECTION", "nobody answers at \(host):\(port)", recovery: .retry)
        }
        socket.withLock { $0 = descriptor }
        queue.async { self.receive(descriptor, store) }
    }

    /// Wakes the reading thread, and waits until it is done.
    func onStop() {
        socket.withLock { open in
            if let open { _ = shutdown(open, Int32(SHUT_RDWR)) }
        }
        queue.sync {}
    }

    private func receive(_ descriptor: Int32, _ store: ReceiverStore) {
        guard let stream = fdopen(descriptor, "r") else { return }
        var buffer: UnsafeMutablePointer<CChar>?
        var capacity = 0
        do {
            while getline(&buffer, &capacity, stream) > 0, let buffer {
                // A line is on disk when this returns; a source that can be asked again would hear of it now.
                let line = String(cString: buffer)
                try store.store([Record(value: String(line.last?.isNewline == true ? line.dropLast() : line[...]))])
            }
            store.restart("the connection was closed")
        } catch {
            store.restart("a line could not be stored", error)
        }
        free(buffer)
        socket.withLock { $0 = nil }
        fclose(stream)
    }
}

/// A connection to the first address that answers.
private func connectTo(_ host: String, _ port: UInt16) -> Int32? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return nil }
    defer { freeaddrinfo(list) }
    var next = list
    while let address = next?.pointee {
        let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        if descriptor >= 0, connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
        if descriptor >= 0 { close(descriptor) }
        next = address.ai_next
    }
    return nil
}
