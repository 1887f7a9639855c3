import Glibc
import StreamCore
import Synchronization

@testable import BrokerServer

/// What happened in a server under test, for the test's thread.
final class Journal: LogHandler {
    struct Content {
        var connected: [ConnectionID] = []
        var disconnected: [ConnectionID] = []
        var frames = 0
        var advanced = 0
        var hasStopped = false
        var lines: [String] = []
    }

    private let content = Mutex(Content())

    var now: Content { content.withLock { $0 } }
    func note(_ change: (inout Content) -> Void) { content.withLock { change(&$0) } }
    func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) { note { $0.lines.append(message) } }

    /// Looks until it is so, for ten seconds at most.
    func becomes(_ condition: (Content) -> Bool) -> Bool {
        let end = SystemClock().now + .seconds(10)
        while SystemClock().now < end {
            if condition(now) { return true }
            // Leaves the processor to the server between two looks.
            _ = poll(nil, 0, 1)
        }
        return condition(now)
    }
}

/// Answers each frame by its first byte: what tests want of a broker.
final class TestHandler: FrameHandler {
    static let silent: UInt8 = 1
    static let held: UInt8 = 2
    static let release: UInt8 = 3
    static let large: UInt8 = 4
    static let close: UInt8 = 5
    static let later: UInt8 = 6
    static let inRounds: UInt8 = 7
    static let largeBytes = 1_000_000

    private let transport: any FrameTransport
    private let journal: Journal
    private var held: [(RequestID, [UInt8])] = []
    private var due: [(Int64, RequestID, [UInt8])] = []
    /// Work that is always overdue, a round at a time.
    private var rounds: (left: Int, request: RequestID, bytes: [UInt8])?
    private let large = [UInt8](repeating: 7, count: TestHandler.largeBytes)

    init(_ transport: any FrameTransport, _ journal: Journal) {
        self.transport = transport
        self.journal = journal
    }

    func connected(_ id: ConnectionID, from peer: String) { journal.note { $0.connected.append(id) } }

    func disconnected(_ id: ConnectionID) {
        held.removeAll { $0.0.connection == id }
        journal.note { $0.disconnected.append(id) }
    }

    func frame(_ bytes: [UInt8], as request: RequestID) {
        journal.note { $0.frames += 1 }
        switch bytes.first {
        case Self.silent: transport.respond(to: request, with: nil)
        case Self.held: held.append((request, bytes))
        case Self.release:
            transport.respond(to: request, with: ResponseBytes(bytes))
            let all = held
            held = []
            for (request, bytes) in all.reversed() { transport.respond(to: request, with: ResponseBytes(bytes)) }
        case Self.large: transport.respond(to: request, with: ResponseBytes(large))
        case Self.close: transport.close(request.connection, because: "the test wants it")
        case Self.inRounds: rounds = (3, request, bytes)
        case Self.later: due.append((transport.nowMs + 30, request, bytes))
        default: transport.respond(to: request, with: ResponseBytes(bytes))
        }
    }

    func advance(nowMs: Int64) {
        journal.note { $0.advanced += 1 }
        for (_, request, bytes) in due.filter({ $0.0 <= nowMs }) {
            transport.respond(to: request, with: ResponseBytes(bytes))
        }
        due.removeAll { $0.0 <= nowMs }
        rounds?.left -= 1
        guard let done = rounds, done.left == 0 else { return }
        rounds = nil
        transport.respond(to: done.request, with: ResponseBytes(done.bytes))
    }

    var nextDeadlineMs: Int64? { rounds == nil ? due.map(\.0).min() : .min }
    func stopped() { journal.note { $0.hasStopped = true } }
}

/// Starts a server on a free port, runs the test, and stops it.
func withServer(
    _ limits: ServerLimits = ServerLimits(), on host: String = "127.0.0.1",
    _ body: (ListenAddress, Journal, EventLoop) throws -> Void
) throws {
    let journal = Journal()
    let server = try EventLoop([ListenAddress(host: host, port: 0)], limits: limits, log: journal) { transport in
        TestHandler(transport, journal)
    }
    defer { _ = server.stop(withinMs: 1_000) }
    try body(server.addresses[0], journal, server)
}
