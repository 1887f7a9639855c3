package import KafkaWire

/// A single-node Kafka as one machine: requests go in with the time, answers come out, and bytes go to the storage.
///
/// It belongs to one thread, and has no clock, no randomness and no I/O of its own. The order of what it writes is such
/// that a stop between any two writes loses nothing that was answered; see the decision on the embedded broker.
///
/// Where its own log cannot be written, memory may be ahead of what is kept. It then answers nothing more and
/// `failure` says why: whoever runs it stops, as Kafka does, and opens it again.
package final class BrokerCore {
    package let settings: BrokerSettings
    /// 22 characters, as Kafka's `Uuid` has them.
    package let clusterId: String
    package internal(set) var failure: StorageError?

    var storage: any LogStorageFactory
    var state: StateLog
    let random: () -> UInt64
    var topics: [String: Topic] = [:]
    var topicNames: [WireUUID: String] = [:]
    var collisions: [String: String] = [:]
    var groups: GroupCoordinator
    var transactions: TransactionCoordinator
    var fetches = WaitingFetches()
    /// Members that wait for a rebalance.
    var waitingMembers: [RequestToken: (address: AnswerAddress, groupId: String)] = [:]
    var maintenance: Maintenance
    var hosts: [ConnectionID: String] = [:]
    /// Nil where it has to be computed again.
    var coordinatorDeadline: Int64??
    private var answers: [BrokerAnswer] = []
    private var lastToken = 0

    /// Opens a broker on what the storage has of it, or a new one on an empty storage. Transactions whose end was
    /// decided are completed.
    package init(
        settings: BrokerSettings, storage: any LogStorageFactory, nowMs: Int64, random: @escaping () -> UInt64
    ) throws(StorageError) {
        self.settings = settings
        self.random = random
        var storage = storage
        let names = try storage.list()
        let isNew = !names.contains(StateLog.name)
        guard !isNew || names.isEmpty else {
            throw .failed("there are logs of topics, but the broker's own log is missing")
        }
        state = try StateLog(storage: isNew ? storage.make(StateLog.name) : storage.open(StateLog.name))
        self.storage = storage
        groups = GroupCoordinator(settings: settings.groups)
        transactions = TransactionCoordinator(settings: settings.transactions)
        maintenance = Maintenance(settings, now: nowMs)
        let entries = try state.load()
        if let cluster = entries.first(where: { $0.key.kind == .cluster }) {
            let id: StateNumber = try cluster.read()
            clusterId = WireUUID(high: id.high, low: id.low).text
        } else {
            let id = WireUUID.random(random)
            clusterId = id.text
            let value = StateNumber {
                $0.high = id.high
                $0.low = id.low
            }
            try state.append([StateRecord(StateKey(.cluster), value)], now: nowMs)
        }
        try restore(entries, names: names, now: nowMs)
    }

    // MARK: - Requests

    /// A client's address, as administrators read it of a group's members.
    package func connected(_ connection: ConnectionID, host: String) {
        hosts[connection] = host
    }

    package func disconnected(_ connection: ConnectionID, nowMs: Int64) {
        hosts[connection] = nil
        coordinatorDeadline = nil
        fetches.removeAll { $0.address.connection == connection }
        for (token, waiting) in waitingMembers where waiting.address.connection == connection {
            groups.drop(token, groupId: waiting.groupId)
            waitingMembers[token] = nil
        }
    }

    /// Takes a request. Its answer is in `takeAnswers` at once or after a later call.
    package func handle(_ frame: RequestFrame, from connection: ConnectionID, slot: Int, nowMs: Int64) {
        guard failure == nil else { return }
        let call = Call(
            address: AnswerAddress(connection: connection, slot: slot, header: frame.header), now: nowMs)
        if let response = respond(to: frame.request, call) { answer(call.address, response) }
        wakeFetches(now: nowMs)
    }

    /// Does what is due at a time: rebalances, sessions, transactions' time-outs, waiting fetches, retention. One call
    /// goes over one log at most.
    package func advance(nowMs: Int64) {
        guard failure == nil else { return }
        advanceCoordinators(now: nowMs)
        compactState(now: nowMs)
        maintain(now: nowMs)
        wakeFetches(now: nowMs)
        answerLateFetches(now: nowMs)
    }

    /// When `advance` is next due.
    package var nextDeadlineMs: Int64? {
        guard failure == nil else { return nil }
        return [nextCoordinatorDeadline, fetches.nextDeadline, maintenance.nextDeadline].compactMap(\.self).min()
    }

    package func takeAnswers() -> [BrokerAnswer] {
        defer { answers = [] }
        return answers
    }

    // MARK: - What the parts share

    /// A request's place and time.
    struct Call {
        var address: AnswerAddress
        var now: Int64
        var version: Int16 { address.header.version }
        var clientId: String { address.header.clientID ?? "" }
    }

    func answer(_ address: AnswerAddress, _ response: Response?, closesConnection: Bool = false) {
        guard failure == nil else { return }
        answers.append(BrokerAnswer(address: address, response: response, closesConnection: closesConnection))
    }

    /// Appends to the broker's own log. After a failure nothing may be done that relies on it.
    @discardableResult
    func keep(_ records: [StateRecord], now: Int64) -> Bool {
        guard failure == nil else { return false }
        do throws(StorageError) {
            try state.append(records, now: now)
        } catch {
            failure = error
        }
        return failure == nil
    }

    func nextToken() -> RequestToken {
        lastToken += 1
        return lastToken
    }

    func log(_ topic: String, _ partition: Int32) -> PartitionLog? { topics[topic]?.log(partition) }
}
