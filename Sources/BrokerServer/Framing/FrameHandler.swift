/// A client's connection. Numbers are not used twice by a server.
package struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
    package let number: UInt64
    package init(number: UInt64) { self.number = number }
    package var description: String { "connection \(number)" }
}

/// One frame of a connection, to be answered once.
package struct RequestID: Hashable, Sendable {
    package let connection: ConnectionID
    package let sequence: UInt64

    package init(connection: ConnectionID, sequence: UInt64) {
        self.connection = connection
        self.sequence = sequence
    }
}

/// What works on the frames that a server reads: the broker. All calls come on the server's thread, one after the
/// other; none comes while another runs.
package protocol FrameHandler: AnyObject {
    func connected(_ id: ConnectionID, from peer: String)
    /// The request is to be answered by `FrameTransport.respond`, at once or later, in any order: the client gets the
    /// answers in the order of its requests.
    func frame(_ bytes: [UInt8], as request: RequestID)
    /// The last call about a connection. Answers to what it asked are dropped from now on.
    func disconnected(_ id: ConnectionID)
    /// Called when `nextDeadlineMs` has come, perhaps earlier.
    func advance(nowMs: Int64)
    /// When `advance` is wanted; asked for after each call.
    var nextDeadlineMs: Int64? { get }
    /// The last call of all: no connection is there any more.
    func stopped()
}

/// The server as its handler sees it; to be used on the server's thread alone.
package protocol FrameTransport: AnyObject {
    /// Milliseconds since 1970 when the server started, and from there by a clock that never goes back.
    var nowMs: Int64 { get }
    /// Where the server listens, with real ports.
    var addresses: [ListenAddress] { get }
    /// Answers a request, with nothing where the protocol wants no answer (a produce request with `acks=0`).
    /// What is answered twice, or to a connection that is gone, is dropped.
    /// - Returns: whether it was taken.
    @discardableResult
    func respond(to request: RequestID, with response: ResponseBytes?) -> Bool
    /// Ends a connection, and what it still has to send; `disconnected` follows when the handler has returned.
    func close(_ id: ConnectionID, because reason: String)
}
