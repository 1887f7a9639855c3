import StreamCore
import StreamEngine
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Receives lines of UTF-8 text from a TCP server: Spark's `socketTextStream`.
///
/// What has arrived together is stored together. The end of the connection, and a connection that cannot be made, lead
/// to a restart.
final class SocketReceiver: Receiver {
    private struct State {
        var isStopped = false
        var ended: Signal?
    }

    private static let lineBytesMax = 16 << 20

    private let host: String
    private let port: UInt16
    private let state = Mutex(State())

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    func onStart(_ store: ReceiverStore) {
        let ended = Signal()
        state.withLock { $0 = State(ended: ended) }
        startThread(name: "socket-receiver") { [self] in
            do {
                let connection = try SocketConnection(host: host, port: port) { isOver(store) }
                try receive(connection, store)
                if !isOver(store) { store.restart("the connection to \(host):\(port) was closed") }
            } catch {
                if !isOver(store) { store.restart("\(error)") }
            }
            ended.raise()
        }
    }

    func onStop() {
        let ended = state.withLock { state in
            state.isStopped = true
            return state.ended
        }
        // It looks at the stop several times a second.
        ended?.wait(until: SystemClock().now + .seconds(5))
    }

    private func isOver(_ store: ReceiverStore) -> Bool { store.isStopped || state.withLock { $0.isStopped } }

    private func receive(_ connection: SocketConnection, _ store: ReceiverStore) throws {
        var rest: [UInt8] = []
        while let bytes = try connection.read(until: { isOver(store) }) {
            rest += bytes
            guard let end = rest.lastIndex(of: 10) else {
                guard rest.count <= Self.lineBytesMax else {
                    throw StreamError("LINE_TOO_LONG", "a line has more than \(Self.lineBytesMax >> 20) MB")
                }
                continue
            }
            try store.store(Self.lines(rest[..<end]))
            rest.removeFirst(end + 1)
        }
        // As Java's readLine, a last line needs no end.
        if !rest.isEmpty, !isOver(store) { try store.store(Self.lines(rest[...])) }
    }

    private static func lines(_ bytes: ArraySlice<UInt8>) -> [Record] {
        bytes.split(separator: 10, omittingEmptySubsequences: false).map { line in
            Record(value: Array(line.last == 13 ? line.dropLast() : line))
        }
    }
}

/// A TCP connection whose waiting can be ended.
private final class SocketConnection {
    private static let patienceMs: Int32 = 100
    private let descriptor: Int32

    /// - Throws: `SOCKET`, also when it was stopped.
    init(host: String, port: UInt16, until isStopped: () -> Bool) throws {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw Self.trouble("cannot find \(host): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        var reason = "it has no address"
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let opened = socket(
                address.ai_family, address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
                address.ai_protocol)
            guard opened >= 0 else { continue }
            if let failure = Self.connect(opened, address, until: isStopped) {
                reason = failure
                close(opened)
                continue
            }
            descriptor = opened
            return
        }
        throw Self.trouble("cannot connect to \(host):\(port): \(reason)")
    }

    deinit { close(descriptor) }

    private static func trouble(_ message: String) -> StreamError {
        StreamError("SOCKET", message, domain: .external, recovery: .retry)
    }

    /// - Returns: why it did not work; nil: connected.
    private static func connect(_ descriptor: Int32, _ address: addrinfo, until isStopped: () -> Bool) -> String? {
        if openConnection(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return nil }
        guard errno == EINPROGRESS else { return FileTrouble.reason(errno) }
        while !isStopped() {
            guard wait(descriptor, POLLOUT) else { continue }
            var code: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
            return code == 0 ? nil : FileTrouble.reason(code)
        }
        return "it was stopped"
    }

    private static func wait(_ descriptor: Int32, _ events: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return poll(&request, 1, patienceMs) > 0
    }

    /// What has come, waiting for it; nil: the connection is over, or it was stopped.
    func read(until isStopped: () -> Bool) throws -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while !isStopped() {
            guard Self.wait(descriptor, Int32(POLLIN)) else { continue }
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 { return Array(chunk[..<count]) }
            if count == 0 { return nil }
            if errno == EINTR || errno == EAGAIN { continue }
            throw Self.trouble("the connection broke: \(FileTrouble.reason(errno))")
        }
        return nil
    }
}

/// `connect(2)`, under a name that the method does not hide.
private func openConnection(_ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ size: socklen_t) -> Int32
{
    connect(descriptor, address, size)
}
