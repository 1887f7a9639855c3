import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A socket that clients connect to.
final class Listener {
    let socket: Int32
    let address: ListenAddress
    private let poll: PollHandle
    /// The system had nothing left for another client: it is asked again later.
    private(set) var isPaused = false

    init(_ loop: UVLoop, _ address: ListenAddress, _ onClients: @escaping () -> Void) throws(ServerError) {
        let (socket, port) = try Socket.listening(on: address)
        do throws(ServerError) {
            poll = try PollHandle(loop, socket: socket) { _ in onClients() }
        } catch {
            Socket.close(socket)
            throw error
        }
        self.socket = socket
        self.address = ListenAddress(host: address.host, port: port)
        poll.want(.readable)
    }

    func pause() {
        isPaused = true
        poll.want([])
    }

    func resume() {
        isPaused = false
        poll.want(.readable)
    }

    func close() {
        guard !poll.isClosed else { return }
        poll.close()
        Socket.close(socket)
    }
}

extension LoopCore {
    private static let clientsPerEvent = 64

    func listen(on address: ListenAddress) throws(ServerError) -> ListenAddress {
        let index = listeners.count
        let listener = try Listener(loop, address) { [unowned self] in event { accept(at: index) } }
        listeners.append(listener)
        return listener.address
    }

    private func accept(at index: Int) {
        guard listeners.indices.contains(index) else { return }
        let listener = listeners[index]
        for _ in 0..<Self.clientsPerEvent {
            switch Socket.accept(listener.socket) {
            case .success(let socket): add(socket)
            case .failure(let number) where number.value == EAGAIN || number.value == EWOULDBLOCK: return
            case .failure(let number):
                // The client stays in the system's queue, which would wake the loop again at once.
                listener.pause()
                nextSweepMs = min(nextSweepMs, nowMs &+ 100)
                let text = ServerError.text(of: number.value)
                return report(.error, "Could not accept a client: \(text).", listener.address.description, "accept")
            }
        }
    }

    private func add(_ socket: Int32) {
        let peer = Socket.peer(of: socket)
        guard connections.count < limits.connectionsMax else {
            Socket.close(socket)
            let message = "A client was turned away: there are \(limits.connectionsMax) connections, the most allowed."
            return report(.warning, message, peer, "full")
        }
        lastNumber += 1
        let id = ConnectionID(number: lastNumber)
        let connection = Connection(id, socket: socket, peer: peer, limits: limits, nowMs: nowMs)
        do throws(ServerError) {
            let poll = try PollHandle(loop, socket: socket) { [unowned self, unowned connection] events in
                event { serve(connection, events) }
            }
            connection.poll = poll
            poll.want(.readable)
        } catch {
            Socket.close(socket)
            return report(.error, error.description, peer, "accept")
        }
        connections[id] = connection
        // An idle loop has no sweep ahead of it.
        nextSweepMs = min(nextSweepMs, connection.nextLookMs(limits))
        handler?.connected(id, from: peer)
    }
}
