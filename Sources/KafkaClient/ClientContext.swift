import CRDKafka
import StreamCore
import Synchronization

/// What librdkafka's callbacks of one client write into: the single opaque slot of the client points here.
///
/// Callbacks come on librdkafka's own threads (log) or on the thread that polls (all others).
final class ClientContext: Sendable {
    let name: String
    let log: any LogHandler
    private let shared: Mutex<State>
    private let notify = Callback()
    /// Replaces the remedy of failed logins where the pair of versions is known to fail.
    private let scramRemedy: String?
    /// One for the process: several clients of a query see the same broker go away.
    private static let logGate = Mutex(LogGate())

    struct State {
        var errors: [KafkaError] = []
        var reportedAt: [KafkaError.Code: MonotonicTime] = [:]
        var lastError: KafkaError?
        var lastErrorAt = MonotonicTime.zero
        var statistics: String?
        var throttledMs: Int32 = 0
        /// In the order in which the group asked.
        var rebalances: [Rebalance] = []
        /// Of the last rebalance that the reader has heard of.
        var membership: GroupMetadata?
        /// Since when every commit was refused because of the group; nil: the last one was taken.
        var refusedSince: MonotonicTime?
        var delivery = DeliveryFailures()
        /// The coordinator would not give a producer its id at once.
        var wasRefusedID = false
        var isClosing = false
    }

    /// What the group asked for; recorded by the callback, answered by the owner.
    struct Rebalance {
        var isAssignment: Bool
        var isLost: Bool
        var splits: Set<Split>
        /// A call of ours came between the question and our hearing of it, and was perhaps taken for the answer.
        var mayBeAnswered = false
    }

    init(name: String, log: any LogHandler, settings: KafkaSettings) {
        self.name = name
        self.log = log
        scramRemedy = settings.scramRemedy()
        shared = Mutex(State())
    }

    func withState<R>(_ body: (inout sending State) -> sending R) -> sending R { shared.withLock(body) }

    /// Called from any thread when there is something to poll for.
    func setNotify(_ body: (@Sendable () -> Void)?) { notify.body = body }

    func wake() { notify() }

    // MARK: - From callbacks

    func record(_ error: KafkaError) {
        var error = error
        if let scramRemedy, error.code == .authentication { error.remedy = scramRemedy }
        let now = SystemClock().now
        let isNews = withState { state in
            // "All brokers are down" follows an error that says why.
            if error.code != .allBrokersDown || state.lastError == nil || now - state.lastErrorAt > .seconds(30) {
                state.lastError = error
                state.lastErrorAt = now
            }
            // The same trouble again within ten seconds says nothing new.
            if let last = state.reportedAt[error.code], now - last < .seconds(10), !error.isFatal { return false }
            state.reportedAt[error.code] = now
            if state.errors.count < 64 { state.errors.append(error) }
            return true
        }
        if isNews { wake() }
    }

    func write(_ level: Int32, _ facility: String, _ line: String) {
        if facility == "GETPID" { withState { $0.wasRefusedID = true } }
        // FAIL lines come as error events as well; an id that is refused for long ends in a time-out that is told.
        let isEcho = facility == "FAIL" || facility == "ERROR" || facility == "GETPID"
        let mapped: LogLevel =
            switch level {
            case ...3 where !isEcho: .error
            case 4 where !isEcho: .warning
            case 5: .notice
            case 6: .info
            default: .debug
            }
        if mapped >= .notice {
            guard let text = Self.logGate.withLock({ $0.admit(line, at: SystemClock().now) }) else { return }
            log.log(mapped, text, [LogField("client", name)])
        } else {
            log.log(mapped, line, [LogField("client", name)])
        }
    }

    /// The connection's last error, unless it is long past.
    var recentError: KafkaError? {
        withState { SystemClock().now - $0.lastErrorAt < .seconds(30) ? $0.lastError : nil }
    }

    /// The errors since the last call.
    func takeErrors() -> [KafkaError] {
        withState { state in
            defer { state.errors.removeAll() }
            return state.errors
        }
    }
}

/// Delivery errors of a producer since they were last asked for.
struct DeliveryFailures: Sendable {
    var count = 0
    /// The first one, or the first that names a record at fault.
    var first: (code: KafkaError.Code, tag: UInt, topic: String)?

    mutating func add(_ code: KafkaError.Code, tag: UInt, topic: String) {
        count += 1
        if first == nil || code.refusesRecord && !(first?.code.refusesRecord ?? false) { first = (code, tag, topic) }
    }
}

// MARK: - C callbacks

/// Safety: the opaque is the context that `ClientHandle` retains until after `rd_kafka_destroy`.
private func context(_ opaque: UnsafeMutableRawPointer?) -> ClientContext? {
    guard let opaque = unsafe opaque else { return nil }
    return unsafe Unmanaged<ClientContext>.fromOpaque(opaque).takeUnretainedValue()
}

private func text(_ raw: UnsafePointer<CChar>?) -> String {
    guard let raw = unsafe raw else { return "" }
    return unsafe String(cString: raw)
}

extension ConfHandle {
    /// Sets the callbacks that every client has. The context must live until the client is destroyed.
    borrowing func installCallbacks(_ owner: ClientContext) {
        unsafe withRaw { raw in
            unsafe rd_kafka_conf_set_opaque(raw, Unmanaged.passUnretained(owner).toOpaque())
            unsafe rd_kafka_conf_set_log_cb(raw) { client, level, facility, line in
                guard let client = unsafe client else { return }
                unsafe context(rd_kafka_opaque(client))?.write(level, text(facility), text(line))
            }
            unsafe rd_kafka_conf_set_error_cb(raw) { client, code, reason, opaque in
                var error = KafkaError(KafkaError.Code(code), unsafe text(reason))
                if code == RD_KAFKA_RESP_ERR__FATAL.rawValue, let client = unsafe client {
                    // The callback says only "fatal": the cause is asked for.
                    error = unsafe KafkaError(endOf: client) ?? error
                }
                unsafe context(opaque)?.record(error)
            }
            unsafe rd_kafka_conf_set_throttle_cb(raw) { _, _, _, milliseconds, opaque in
                unsafe context(opaque)?.withState { $0.throttledMs = milliseconds }
            }
            unsafe rd_kafka_conf_set_stats_cb(raw) { _, json, length, opaque in
                guard let json = unsafe json else { return 0 }
                let bytes = unsafe UnsafeRawBufferPointer(start: json, count: length)
                let copy = unsafe String(decoding: bytes, as: UTF8.self)
                unsafe context(opaque)?.withState { $0.statistics = copy }
                return 0
            }
        }
    }

    /// The rebalance callback only records: the owner answers outside of it, when the open epoch is committed or
    /// dropped. Until then librdkafka waits (WAIT_ASSIGN_CALL, WAIT_UNASSIGN_CALL) and goes on sending heartbeats.
    borrowing func installRebalance() {
        unsafe withRaw { raw in
            unsafe rd_kafka_conf_set_rebalance_cb(raw) { client, code, list, opaque in
                guard let client = unsafe client, let owner = unsafe context(opaque) else { return }
                let isAssignment = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
                if owner.withState({ $0.isClosing }) {
                    unsafe RebalanceAnswer.giveBack(client, isAssignment: isAssignment, list)
                    return
                }
                let splits = unsafe TopicPartitionList.splits(list)
                let isLost = unsafe !isAssignment && rd_kafka_assignment_lost(client) != 0
                owner.withState {
                    $0.rebalances.append(Rebalance(isAssignment: isAssignment, isLost: isLost, splits: splits))
                }
            }
        }
    }

    /// Only failures are reported (`delivery.report.only.error`); the tag in the message names the record.
    borrowing func installDelivery() {
        unsafe withRaw { raw in
            unsafe rd_kafka_conf_set_dr_msg_cb(raw) { _, message, opaque in
                guard let message = unsafe message, unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR else {
                    return
                }
                let code = unsafe KafkaError.Code(message.pointee.err)
                let tag = unsafe UInt(bitPattern: message.pointee._private)
                let topic = unsafe message.pointee.rkt == nil ? "" : text(rd_kafka_topic_name(message.pointee.rkt))
                unsafe context(opaque)?.withState { $0.delivery.add(code, tag: tag, topic: topic) }
            }
        }
    }
}

private typealias Rebalance = ClientContext.Rebalance

/// How a rebalance is answered where nobody is left to ask: while the client closes.
enum RebalanceAnswer {
    static func giveBack(
        _ client: OpaquePointer, isAssignment: Bool, _ list: UnsafePointer<rd_kafka_topic_partition_list_t>?
    ) {
        // Safety: the client is alive inside its own callback.
        let protocolName = unsafe rd_kafka_rebalance_protocol(client).map { unsafe String(cString: $0) }
        guard protocolName == "COOPERATIVE" else {
            unsafe rd_kafka_assign(client, nil)
            return
        }
        let list = unsafe TopicPartitionList(isAssignment ? [] : TopicPartitionList.splits(list))
        let error = unsafe list.withRaw { list in
            isAssignment
                ? unsafe rd_kafka_incremental_assign(client, list) : unsafe rd_kafka_incremental_unassign(client, list)
        }
        if let error = unsafe error { unsafe rd_kafka_error_destroy(error) }
    }
}
