import EmbeddedBroker
import KafkaWire
import StreamCore
import StreamTesting

/// A broker's machine, and the way to it: requests and answers take their time, are lost and refused as a seed decides.
///
/// Everything goes through the bytes of the wire. The broker may be stopped and opened again on what its storage has.
final class SimulatedNetwork: WorldActor {
    let name = "network"
    let clock: ManualClock
    var random: StableRandom
    var conditions: NetworkConditions
    /// A request was carried out.
    var onHandled: (Request, Response?) -> Void = { _, _ in }
    /// Writer faults that wait for their request, by client.
    var armed: [ClientID: SimulatedWriter.Fault] = [:]
    var faultCounts: [ClientID: [SimulatedWriter.Fault: Int]] = [:]
    /// What went wrong by itself, by kind.
    var counts: [String: Int] = [:]
    private(set) var lateCommitCount = 0
    private let storage = MemoryStorageFactory(chunkBytes: 16 << 10)
    private let numbers: Numbers
    /// nil: it is stopped.
    private var core: BrokerCore?
    private var parcels: [Parcel] = []
    /// Requests that the broker has and has not answered, by their slot.
    private var unanswered: [Int: Sent] = [:]
    /// Who waits for an answer.
    private var open: [ConnectionID: Connection] = [:]
    private var lastSlot = 0
    private var lastConnection = 0

    /// Something on its way, which arrives then or later.
    private struct Parcel {
        var dueAt: MonotonicTime
        var what: Content
    }
    private enum Content {
        case request(Sent)
        case answer(ConnectionID, Connection.Arrival)
        case hangUp(ConnectionID)
    }

    /// A request, and what will become of it.
    struct Sent {
        var connection: ConnectionID
        var header: RequestHeader
        var bytes: [UInt8]
        var fate = Fate.answered
    }

    private final class Numbers {
        private var random: StableRandom
        init(_ seed: UInt64) { random = StableRandom(seed: seed) }
        func next() -> UInt64 { random.next() }
    }

    init(seed: UInt64, conditions: NetworkConditions, clock: ManualClock) {
        random = StableRandom(seed: seed)
        numbers = Numbers(seed &* 3 &+ 1)
        self.conditions = conditions
        self.clock = clock
    }

    // MARK: - The broker

    private var nowMs: Int64 { clock.wallMilliseconds }
    var isUp: Bool { core != nil }

    func startBroker() throws(StorageError) {
        guard core == nil else { return }
        core = try BrokerCore(settings: BrokerSettings(), storage: storage, nowMs: nowMs) { [numbers] in
            numbers.next()
        }
    }

    /// Its connections end; what its storage has stays.
    func stopBroker() {
        guard core != nil else { return }
        core = nil
        counts["broker restarts", default: 0] += 1
        for slot in unanswered.keys.sorted() {
            if let sent = unanswered.removeValue(forKey: slot) { deliver(.dropped, to: sent.connection) }
        }
        for index in parcels.indices {
            guard case .answer(let connection, .response) = parcels[index].what else { continue }
            parcels[index].what = .answer(connection, .dropped)
        }
    }

    /// A request of somebody beside the clients, which is carried out at once; nil while the broker is stopped.
    func ask(_ request: Request) -> Response? {
        guard let core else { return nil }
        let header = header(of: request, from: ClientID("observer"), correlationID: 0)
        core.handle(RequestFrame(header: header, request: request), from: Self.observer, slot: -1, nowMs: nowMs)
        return takeAnswers(core).first { $0.slot == -1 }?.response
    }

    private static let observer = ConnectionID(rawValue: 0)

    /// Answers to clients are sent; those to others are returned.
    private func takeAnswers(_ core: BrokerCore) -> [BrokerAnswer] {
        let answers = core.takeAnswers()
        for answer in answers where answer.slot >= 0 { send(answer) }
        return answers
    }

    // MARK: - Clients

    func connect() -> ConnectionID {
        lastConnection += 1
        return ConnectionID(rawValue: lastConnection)
    }

    /// What the connection has under way arrives all the same, or not; its answer goes nowhere.
    func disconnect(_ connection: ConnectionID, requestArrives: Bool) {
        open[connection] = nil
        parcels.removeAll { parcel in
            switch parcel.what {
            case .request(let sent): sent.connection == connection && !requestArrives && sent.fate != .late
            case .answer(let to, _): to == connection
            case .hangUp: false
            }
        }
        // The broker reads what came before it reads the end.
        let last = parcels.filter { parcel in
            if case .request(let sent) = parcel.what { sent.connection == connection } else { false }
        }.map(\.dueAt).max()
        post(.hangUp(connection), at: last ?? clock.now)
    }

    func send(_ request: Request, correlationID: Int32, from client: Connection) throws(WireError) {
        let header = header(of: request, from: client.clientID, correlationID: correlationID)
        open[client.id] = client
        let bytes = try RequestFrame(header: header, request: request).encode()
        var sent = Sent(connection: client.id, header: header, bytes: bytes)
        sent.fate = fate(of: request, from: client.clientID)
        post(.request(sent), after: sent.fate == .late ? .milliseconds(Int64(random.below(400))) : delay)
        if sent.fate == .late { deliver(.silence, to: client.id) }
    }

    private func header(of request: Request, from client: ClientID, correlationID: Int32) -> RequestHeader {
        RequestHeader(
            key: request.key, version: request.key.versions.upperBound, correlationID: correlationID,
            clientID: client.text)
    }

    // MARK: - On the way

    private var delay: Duration {
        let isSlow = random.below(1_000) < conditions.delays
        return .microseconds(Int64(random.below(isSlow ? 1_000_000 : 600)))
    }

    private func post(_ what: Content, after: Duration) { post(what, at: clock.now + after) }
    private func post(_ what: Content, at time: MonotonicTime) { parcels.append(Parcel(dueAt: time, what: what)) }

    private func deliver(_ arrival: Connection.Arrival, to connection: ConnectionID) {
        post(.answer(connection, arrival), after: delay)
    }

    private func send(_ answer: BrokerAnswer) {
        guard let sent = unanswered.removeValue(forKey: answer.slot), let response = answer.response else { return }
        switch sent.fate {
        case .unanswered(let isNoticed): deliver(isNoticed ? .dropped : .silence, to: sent.connection)
        case .late: if case .endTxn(let ended) = response, ended.errorCode == .none { lateCommitCount += 1 }
        default:
            guard let bytes = try? ResponseFrame.encode(response, to: sent.header) else { return }
            deliver(.response(sent.header, bytes), to: sent.connection)
        }
    }

    private func arrive(_ sent: Sent) {
        guard let core, let frame = try? RequestFrame(decoding: sent.bytes[4...]) else {
            if sent.fate != .late { deliver(.dropped, to: sent.connection) }
            return
        }
        switch sent.fate {
        case .lost(let isNoticed): return deliver(isNoticed ? .dropped : .silence, to: sent.connection)
        case .refused(let code):
            let bytes = frame.request.refused(with: code).flatMap { try? ResponseFrame.encode($0, to: sent.header) }
            return deliver(bytes.map { .response(sent.header, $0) } ?? .dropped, to: sent.connection)
        case .overdue:
            clock.advance(by: BrokerWriter.Options.transactionTimeout)
            core.advance(nowMs: nowMs)
            _ = takeAnswers(core)
        case .answered, .unanswered, .late: break
        }
        lastSlot += 1
        unanswered[lastSlot] = sent
        core.handle(frame, from: sent.connection, slot: lastSlot, nowMs: nowMs)
        let slot = lastSlot
        let response = takeAnswers(core).first { $0.slot == slot }?.response
        onHandled(frame.request, response)
    }

    private func hangUp(_ connection: ConnectionID) {
        for slot in unanswered.keys where unanswered[slot]?.connection == connection { unanswered[slot] = nil }
        core?.disconnected(connection, nowMs: nowMs)
    }

    // MARK: - The world

    var hasWork: Bool { deadline <= clock.now }

    var deadline: MonotonicTime {
        min(parcels.map(\.dueAt).min() ?? .distantFuture, brokerDeadline)
    }

    private var brokerDeadline: MonotonicTime {
        guard let due = core?.nextDeadlineMs else { return .distantFuture }
        let now = clock.now
        let startMs = nowMs - now.nanoseconds / 1_000_000
        return due <= nowMs ? now : MonotonicTime(nanoseconds: 0) + .milliseconds(due - startMs)
    }

    func act() {
        let now = clock.now
        let due = parcels.indices.filter { parcels[$0].dueAt <= now }
        let isBrokerDue = brokerDeadline <= now
        let choice = random.below(due.count + (isBrokerDue ? 1 : 0))
        guard choice < due.count else {
            if let core {
                core.advance(nowMs: nowMs)
                _ = takeAnswers(core)
            }
            return
        }
        switch parcels.remove(at: due[choice]).what {
        case .request(let sent): arrive(sent)
        case .answer(let connection, let arrival): open.removeValue(forKey: connection)?.receive(arrival)
        case .hangUp(let connection): hangUp(connection)
        }
    }
}
