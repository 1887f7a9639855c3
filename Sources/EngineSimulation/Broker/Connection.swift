import EmbeddedBroker
import KafkaWire
import StreamCore
import StreamTesting

/// Why a call came to nothing.
enum CallFailure: Error {
    /// The broker said so in this answer: it was not carried out.
    case refused(ErrorCode, Response?)
    /// No answer came in time: it may have been carried out.
    case silence
}

/// A client's connection: one request at a time, with librdkafka's patience. What ends by itself (a connection that is
/// lost, a broker that is not ready) is tried again with the same bytes until the call's time is over.
final class Connection {
    typealias Handler = (Result<Response, CallFailure>) -> Void

    /// What the network brings.
    enum Arrival {
        case response(RequestHeader, [UInt8])
        /// The connection has ended.
        case dropped
        /// The client's time-out is over.
        case silence
    }

    private struct Call {
        var request: Request
        var deadline: MonotonicTime
        var handler: Handler
        var retries = 0
    }

    let clientID: ClientID
    private(set) var id: ConnectionID
    private let network: SimulatedNetwork
    /// The first one is under way.
    private var calls: [Call] = []
    private var arrival: Arrival?
    private var retryAt: MonotonicTime?
    private var lastCorrelation: Int32 = 0
    private var isClosed = false

    init(_ network: SimulatedNetwork, _ clientID: ClientID) {
        self.network = network
        self.clientID = clientID
        id = network.connect()
    }

    var isIdle: Bool { calls.isEmpty }

    /// - Parameter within: how long it is tried; nil: for ever.
    func call(_ request: Request, within: Duration? = nil, then handler: @escaping Handler) {
        guard !isClosed else { return }
        let deadline = within.map { network.clock.now + $0 } ?? .distantFuture
        calls.append(Call(request: request, deadline: deadline, handler: handler))
        if calls.count == 1 { send() }
    }

    /// Forgets what was asked for. What is under way may still arrive.
    func reset(requestArrives: Bool = true) {
        calls.removeAll()
        arrival = nil
        retryAt = nil
        network.disconnect(id, requestArrives: requestArrives)
        id = network.connect()
    }

    /// Sends a last request whose answer nobody waits for.
    func part(with request: Request) {
        reset()
        call(request) { _ in }
        close(requestArrives: true)
    }

    func close(requestArrives: Bool) {
        guard !isClosed else { return }
        reset(requestArrives: requestArrives)
        isClosed = true
    }

    func receive(_ arrival: Arrival) { self.arrival = arrival }

    private func send() {
        retryAt = nil
        lastCorrelation += 1
        do throws(WireError) {
            try network.send(calls[0].request, correlationID: lastCorrelation, from: self)
        } catch {
            // The request cannot be written in the version that is spoken.
            finish(.failure(.refused(.invalidRequest, nil)))
        }
    }

    /// For reports of what has come to a stop.
    var summary: String {
        calls.first.map { "\($0.request.key) under way, \($0.retries) tries before" } ?? "nothing under way"
    }

    // MARK: - The world

    var hasWork: Bool { arrival != nil || (retryAt ?? .distantFuture) <= network.clock.now }
    var deadline: MonotonicTime { retryAt ?? .distantFuture }

    func act() {
        guard let arrival else {
            if retryAt != nil { send() }
            return
        }
        self.arrival = nil
        switch arrival {
        case .response(let header, let bytes): read(bytes, header)
        case .silence:
            renew()
            finish(.failure(.silence))
        case .dropped:
            renew()
            retry { .failure(.silence) }
        }
    }

    private func renew() {
        network.disconnect(id, requestArrives: false)
        id = network.connect()
    }

    private func read(_ bytes: [UInt8], _ header: RequestHeader) {
        guard
            let frame = try? ResponseFrame(
                decoding: bytes[4...], key: header.key, version: header.responseVersion),
            frame.correlationID == lastCorrelation
        else {
            renew()
            return retry { .failure(.silence) }
        }
        let code = frame.response.errorCode
        if code == .none { return finish(.success(frame.response)) }
        if code.isPassing { return retry { .failure(.refused(code, frame.response)) } }
        finish(.failure(.refused(code, frame.response)))
    }

    /// - Parameter otherwise: what to say when the call's time is over.
    private func retry(otherwise: () -> Result<Response, CallFailure>) {
        let pause = Duration.milliseconds(5 << min(calls[0].retries, 5))
        let time = network.clock.now + pause
        guard time < calls[0].deadline else { return finish(otherwise()) }
        calls[0].retries += 1
        retryAt = time
    }

    private func finish(_ result: Result<Response, CallFailure>) {
        let call = calls.removeFirst()
        if !calls.isEmpty { send() }
        call.handler(result)
    }
}

extension ErrorCode {
    /// The same request may succeed a moment later.
    var isPassing: Bool {
        [
            .notCoordinator, .coordinatorLoadInProgress, .coordinatorNotAvailable, .concurrentTransactions,
            .notEnoughReplicas, .notLeaderOrFollower, .leaderNotAvailable, .unstableOffsetCommit,
        ].contains(self)
    }
}
