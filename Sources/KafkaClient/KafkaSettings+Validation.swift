import CRDKafka

extension KafkaSettings {
    /// Properties that a guarantee rests on, or that have a setting of their own, each with the reason.
    public static let protectedProperties: [String: String] = [
        "bootstrap.servers": "set 'brokers' instead",
        "metadata.broker.list": "set 'brokers' instead",
        "transactional.id": "it is the query's identity, made from its name, the installation and the slot",
        "group.id": "it is the query's name",
        "group.instance.id": "it is the query's identity, made from its name, the installation and the slot",
        "isolation.level": "exactly-once reads committed records only",
        "enable.auto.commit": "offsets are committed with the outputs",
        "auto.commit.enable": "offsets are committed with the outputs",
        "auto.commit.interval.ms": "offsets are committed with the outputs",
        "enable.auto.offset.store": "offsets are committed with the outputs",
        "offset.store.method": "offsets are committed with the outputs",
        "auto.offset.reset": "use 'start' and 'on-data-loss': a reset by itself would lose records silently",
        "enable.idempotence": "without it records are duplicated or reordered by retries",
        "acks": "fewer than all in-sync replicas may lose committed records",
        "request.required.acks": "fewer than all in-sync replicas may lose committed records",
        "max.in.flight": "more than five break the order",
        "max.in.flight.requests.per.connection": "more than five break the order",
        "enable.gapless.guarantee": "transactions decide what happens to a gap",
        "message.send.max.retries": "fewer retries lose epochs to passing trouble",
        "retries": "fewer retries lose epochs to passing trouble",
        "partition.assignment.strategy": "the way splits move between instances depends on it",
        "enable.partition.eof": "positions behind transaction markers depend on it",
        "delivery.report.only.error": "delivery errors are counted by it",
        "dr_cb": "callbacks are set by the program",
        "transaction.timeout.ms": "it is chosen by the engine",
        "session.timeout.ms": "it is chosen by the engine",
        "partitioner": "keys must go where Java clients send them (murmur2_random)",
        "allow.auto.create.topics": "topics are created by the query or by an administrator, never by accident",
        "queued.max.messages.kbytes": "set 'memory' instead",
        "queue.buffering.max.kbytes": "set 'memory' instead",
        "test.mock.num.brokers": "it replaces the cluster by an imitation that keeps nothing",
        "plugin.library.paths": "it loads foreign code into the process",
    ]

    /// Whose defaults and checks apply.
    public enum Role: Sendable, Hashable { case consumer, producer, admin }

    /// Everything that is wrong with the properties, all at once, in the order of their names. Connects to nothing.
    public func problems() -> [SettingProblem] {
        var found: [SettingProblem] = []
        if brokers.isEmpty || brokers.contains(where: { $0.allSatisfy(\.isWhitespace) }) {
            found.append(SettingProblem(property: "brokers", message: "name at least one broker as 'host:port'"))
        }
        let conf = ConfHandle()
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            if let problem = problem(name, value, in: conf) { found.append(problem) }
        }
        return found
    }

    private func problem(_ name: String, _ value: String, in conf: borrowing ConfHandle) -> SettingProblem? {
        if let reason = Self.protectedProperties[name] {
            return SettingProblem(property: name, message: "'\(name)' cannot be set: \(reason)")
        }
        do throws(KafkaError) {
            try conf.set(name, value)
            return nil
        } catch {
            return SettingProblem(property: name, message: error.message)
        }
    }

    /// Names whose values are never shown.
    static func isSecret(_ name: String) -> Bool {
        ["password", "secret", "jaas", "token", "key.pem", "oauthbearer.config"].contains { name.contains($0) }
    }

    /// A configuration of these settings: `defaults` give way to the user's properties, `fixed` do not.
    func conf(
        defaults: [(String, String)] = [], fixed: [(String, String)] = []
    ) throws(KafkaError) -> ConfHandle {
        guard !brokers.isEmpty else {
            throw KafkaError(.invalidArgument, "No broker is named.", remedy: "Set 'brokers'.", property: "brokers")
        }
        let conf = ConfHandle()
        try conf.set("bootstrap.servers", brokers.joined(separator: ","))
        try conf.set("client.id", "millrace")
        for (name, value) in defaults { try conf.set(name, value) }
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            if let problem = problem(name, value, in: conf) {
                throw KafkaError(.invalidArgument, problem.message + ".", property: name)
            }
        }
        for (name, value) in fixed { try conf.set(name, value) }
        return conf
    }
}

/// A configuration in the making.
@safe
struct ConfHandle: ~Copyable {
    private let raw: OpaquePointer

    init() { unsafe raw = rd_kafka_conf_new() }

    deinit { unsafe rd_kafka_conf_destroy(raw) }

    /// - Throws: `invalidArgument` with the property's name, and librdkafka's reason unless that might show a secret.
    borrowing func set(_ name: String, _ value: String) throws(KafkaError) {
        var text = [CChar](repeating: 0, count: 512)
        // Safety: the buffers outlive the call.
        let result = unsafe rd_kafka_conf_set(raw, name, value, &text, text.count)
        guard result != RD_KAFKA_CONF_OK else { return }
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let message =
            switch result {
            case RD_KAFKA_CONF_UNKNOWN: "'\(name)' is no property of librdkafka \(KafkaSettings.librdkafkaVersion)"
            case _ where KafkaSettings.isSecret(name): "the value of '\(name)' is not accepted"
            default: reason
            }
        throw KafkaError(.invalidArgument, message, remedy: "", property: name)
    }

    /// Whether the running version knows a property.
    borrowing func knows(_ name: String) -> Bool {
        var size = 0
        return unsafe rd_kafka_conf_get(raw, name, nil, &size) == RD_KAFKA_CONF_OK
    }

    borrowing func withRaw<R, E>(_ body: (OpaquePointer) throws(E) -> R) throws(E) -> R { try unsafe body(raw) }

    /// A copy that librdkafka may keep.
    borrowing func duplicate() -> OpaquePointer { unsafe rd_kafka_conf_dup(raw) }
}
