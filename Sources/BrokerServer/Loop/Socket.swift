import CUV

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a call on a socket that does not block came to.
enum SocketResult: Equatable {
    case moved(Int)
    /// The other side sends nothing more.
    case ended
    case wouldBlock
    case failed(Int32)
}

/// TCP sockets that never block. Buffers are lent to the system for the length of a call and no longer.
enum Socket {
    /// - Returns: the socket and the port it got.
    static func listening(on address: ListenAddress) throws(ServerError) -> (socket: Int32, port: UInt16) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(address.host, String(address.port), &hints, &found)
        defer { if let found = unsafe found { unsafe freeaddrinfo(found) } }
        guard status == 0, let info = unsafe found?.pointee else {
            let text = unsafe gai_strerror(status).map { unsafe String(cString: $0) } ?? "error \(status)"
            throw ServerError(.addressInvalid, "Could not listen on \(address): \(text)")
        }
        let socket = unsafe Glibc.socket(info.ai_family, info.ai_socktype, info.ai_protocol)
        guard socket >= 0 else { throw ServerError("Could not listen on \(address)", number: errno) }
        do throws(ServerError) {
            try prepare(socket)
            set(socket, SOL_SOCKET, SO_REUSEADDR)
            // Else `[::]` would take IPv4's port as well, and be in the way of `0.0.0.0`.
            if unsafe info.ai_family == AF_INET6 { set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
            guard unsafe bind(socket, info.ai_addr, info.ai_addrlen) == 0, Glibc.listen(socket, 1_024) == 0 else {
                throw ServerError("Could not listen on \(address)", number: errno)
            }
            return (socket, try port(of: socket))
        } catch {
            close(socket)
            throw error
        }
    }

    /// The next client of a listening socket, ready for use.
    static func accept(_ listener: Int32) -> Result<Int32, SystemNumber> {
        while true {
            let socket = Glibc.accept(listener, nil, nil)
            if socket >= 0 {
                guard (try? prepare(socket)) != nil else {
                    close(socket)
                    continue
                }
                set(socket, Int32(IPPROTO_TCP), TCP_NODELAY)
                set(socket, SOL_SOCKET, SO_KEEPALIVE)
                return .success(socket)
            }
            // Clients that were gone before they were looked at are no failure of the listener.
            guard errno == EINTR || errno == ECONNABORTED else { return .failure(SystemNumber(value: errno)) }
        }
    }

    struct SystemNumber: Error {
        let value: Int32
    }

    static func receive(_ socket: Int32, into bytes: UnsafeMutableRawBufferPointer) -> SocketResult {
        while true {
            let count = unsafe recv(socket, bytes.baseAddress, bytes.count, 0)
            if count > 0 { return .moved(count) }
            if count == 0 { return .ended }
            if errno != EINTR { return failure(errno) }
        }
    }

    /// Sends as much as the system takes of the pieces, in one call.
    static func send(_ socket: Int32, _ pieces: ArraySlice<ArraySlice<UInt8>>) -> SocketResult {
        var vectors = unsafe [iovec]()
        unsafe vectors.reserveCapacity(pieces.count)
        return unsafe send(socket, pieces, &vectors)
    }

    /// Each piece's address is valid inside its closure, so the call is made within all of them.
    private static func send(
        _ socket: Int32, _ pieces: ArraySlice<ArraySlice<UInt8>>, _ vectors: inout [iovec]
    ) -> SocketResult {
        guard let piece = pieces.first else { return unsafe send(socket, &vectors) }
        return unsafe piece.withUnsafeBytes { (bytes) -> SocketResult in
            let start = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            unsafe vectors.append(iovec(iov_base: start, iov_len: bytes.count))
            return unsafe send(socket, pieces.dropFirst(), &vectors)
        }
    }

    private static func send(_ socket: Int32, _ vectors: inout [iovec]) -> SocketResult {
        unsafe vectors.withUnsafeMutableBufferPointer { buffer in
            var message = unsafe msghdr()
            unsafe message.msg_iov = buffer.baseAddress
            unsafe message.msg_iovlen = buffer.count
            while true {
                let count = unsafe sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
                if count >= 0 { return .moved(count) }
                if errno != EINTR { return failure(errno) }
            }
        }
    }

    static func close(_ socket: Int32) { _ = Glibc.close(socket) }

    /// The client's address, for the log.
    static func peer(of socket: Int32) -> String {
        var address = sockaddr_storage()
        guard unsafe withAddress(&address, { unsafe getpeername(socket, $0, $1) }) else { return "unknown" }
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let (hostSize, portSize) = (socklen_t(host.count), socklen_t(port.count))
        let isNamed = unsafe withAddress(&address) { raw, length in
            let flags = Int32(NI_NUMERICHOST | NI_NUMERICSERV)
            return unsafe getnameinfo(raw, length.pointee, &host, hostSize, &port, portSize, flags)
        }
        guard isNamed else { return "unknown" }
        let (name, number) = (text(host), text(port))
        return name.contains(":") ? "[\(name)]:\(number)" : "\(name):\(number)"
    }

    // MARK: - Private

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func failure(_ number: Int32) -> SocketResult {
        number == EAGAIN || number == EWOULDBLOCK ? .wouldBlock : .failed(number)
    }

    private static func prepare(_ socket: Int32) throws(ServerError) {
        let flags = fcntl(socket, F_GETFL)
        guard flags >= 0, fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0, fcntl(socket, F_SETFD, FD_CLOEXEC) == 0
        else { throw ServerError("Could not set up a socket", number: errno) }
    }

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32) {
        var on: Int32 = 1
        _ = unsafe setsockopt(socket, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func port(of socket: Int32) throws(ServerError) -> UInt16 {
        var address = sockaddr_storage()
        guard unsafe withAddress(&address, { unsafe getsockname(socket, $0, $1) }) else {
            throw ServerError("Could not read a socket's port", number: errno)
        }
        let isIPv6 = address.ss_family == sa_family_t(AF_INET6)
        return unsafe withUnsafeBytes(of: &address) { bytes in
            let port =
                isIPv6
                ? unsafe bytes.loadUnaligned(as: sockaddr_in6.self).sin6_port
                : unsafe bytes.loadUnaligned(as: sockaddr_in.self).sin_port
            return UInt16(bigEndian: port)
        }
    }

    private static func withAddress(
        _ address: inout sockaddr_storage,
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Bool {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &address) { raw in
            unsafe raw.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call($0, &length) == 0 }
        }
    }
}
