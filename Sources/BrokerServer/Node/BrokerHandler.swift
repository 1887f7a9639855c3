import EmbeddedBroker
import KafkaWire
import StreamCore

/// The broker's machine behind a server: frames are decoded for it, and its answers encoded. On the server's thread.
final class BrokerHandler: FrameHandler {
    /// A request of another API than Produce needs no more, and its parts may take many times its bytes in memory.
    private static let plainFrameBytesMax = 16 << 20

    /// So many go to the socket from where they are; fewer are cheaper to copy.
    private static let recordsDetachedFrom = 4_096

    private let core: BrokerCore
    private let storage: FolderStorageFactory?
    private let syncIntervalMs: Int64?
    private var syncDeadlineMs: Int64?
    private unowned let transport: any FrameTransport
    private let log: any LogHandler
    private let onFailure: (StorageError) -> Void
    private var failure: StorageError?
    /// Called when its data is closed.
    var onStopped: () -> Void = {}

    /// - Parameters:
    ///   - storage: the core's logs where they are on a disk.
    ///   - onFailure: called once when nothing can be answered any more.
    init(
        _ core: BrokerCore, storage: FolderStorageFactory?, sync: SyncPolicy, transport: any FrameTransport,
        log: any LogHandler, onFailure: @escaping (StorageError) -> Void
    ) {
        self.core = core
        self.storage = storage
        self.transport = transport
        self.log = log
        self.onFailure = onFailure
        if storage != nil, case .everyMs(let interval) = sync {
            syncIntervalMs = max(1, interval)
        } else {
            syncIntervalMs = nil
        }
    }

    // MARK: - The server's calls

    func connected(_ id: ConnectionID, from peer: String) {
        core.connected(Self.id(id), host: Self.host(ofPeer: peer))
    }

    func frame(_ bytes: [UInt8], as request: RequestID) {
        guard bytes.count <= Self.plainFrameBytesMax || bytes.starts(with: [0, 0]) else {
            return transport.close(request.connection, because: "it sent a request of \(bytes.count) bytes")
        }
        let frame: RequestFrame
        do throws(WireError) {
            frame = try RequestFrame(decoding: bytes[...])
        } catch {
            return transport.close(request.connection, because: "it sent a request that cannot be read: \(error)")
        }
        core.handle(
            frame, from: Self.id(request.connection), slot: Int(truncatingIfNeeded: request.sequence),
            nowMs: transport.nowMs)
        if let syncIntervalMs, syncDeadlineMs == nil { syncDeadlineMs = transport.nowMs &+ syncIntervalMs }
        deliver()
    }

    func disconnected(_ id: ConnectionID) {
        core.disconnected(Self.id(id), nowMs: transport.nowMs)
        deliver()
    }

    func advance(nowMs: Int64) {
        core.advance(nowMs: nowMs)
        if let due = syncDeadlineMs, due <= nowMs {
            syncDeadlineMs = nil
            do throws(StorageError) { try storage?.sync() } catch { fail(error) }
        }
        deliver()
    }

    var nextDeadlineMs: Int64? {
        guard failure == nil else { return nil }
        guard let sync = syncDeadlineMs else { return core.nextDeadlineMs }
        return min(sync, core.nextDeadlineMs ?? .max)
    }

    func stopped() {
        do throws(StorageError) {
            try storage?.close()
        } catch {
            log.error("The broker's data could not be closed in order; the next start checks it.", Self.field(error))
        }
        onStopped()
    }

    // MARK: - Answers

    private func deliver() {
        for answer in core.takeAnswers() {
            let connection = ConnectionID(number: UInt64(truncatingIfNeeded: answer.connection.rawValue))
            let request = RequestID(connection: connection, sequence: UInt64(truncatingIfNeeded: answer.slot))
            if answer.closesConnection {
                transport.close(connection, because: "its records, for which it wants no answer, were refused")
                continue
            }
            guard let response = answer.response else {
                transport.respond(to: request, with: nil)
                continue
            }
            do throws(WireError) {
                transport.respond(to: request, with: try Self.bytes(response, to: answer.header))
            } catch {
                transport.close(connection, because: "the answer to its request cannot be written: \(error)")
            }
        }
        if let failure = core.failure { fail(failure) }
    }

    private static func bytes(_ response: Response, to header: RequestHeader) throws(WireError) -> ResponseBytes {
        var pieces = try ResponseFrame.pieces(response, to: header, detachingFrom: recordsDetachedFrom)
        // The server writes the length by itself.
        if !pieces.isEmpty { pieces[0].removeFirst(4) }
        var bytes = ResponseBytes()
        for piece in pieces { bytes.append(piece) }
        return bytes
    }

    private func fail(_ error: StorageError) {
        guard failure == nil else { return }
        failure = error
        log.error("The broker stops: its data cannot be written any more.", Self.field(error))
        onFailure(error)
    }

    // MARK: -

    private static func field(_ error: StorageError) -> LogField { LogField("error", "\(error)") }

    private static func id(_ id: ConnectionID) -> EmbeddedBroker.ConnectionID {
        EmbeddedBroker.ConnectionID(rawValue: Int(truncatingIfNeeded: id.number))
    }

    /// As Kafka shows it to administrators: `/127.0.0.1`.
    private static func host(ofPeer peer: String) -> String {
        let host = peer.lastIndex(of: ":").map { peer[..<$0] } ?? peer[...]
        return "/" + host.filter { $0 != "[" && $0 != "]" }
    }
}
