/// librdkafka properties that a pipeline may not set, because a guarantee or the engine itself rests on them.
public struct ProtectedProperty: Sendable, Hashable {
    public var name: String
    /// Why, and what to use instead: the end of "cannot be set: …".
    public var reason: String

    /// By exact name; nil where the property may be passed through.
    public static func reason(for name: String) -> String? { byName[name] }

    private static let byName = Dictionary(all.map { ($0.name, $0.reason) }, uniquingKeysWith: { first, _ in first })

    public static let all: [ProtectedProperty] = table.flatMap { names, reason in
        names.split(separator: " ").map { ProtectedProperty(name: String($0), reason: reason) }
    }

    /// A section of the reference docs.
    static let reference = """
        ## Properties that cannot be set

        Guarantees rest on these, or they are the engine's own; every other librdkafka property can stand in `options`.

        | properties | because |
        |---|---|

        """
        + table.map { names, reason in
            "| " + names.split(separator: " ").map { "`\($0)`" }.joined(separator: ", ") + " | \(reason) |"
        }.joined(separator: "\n")

    private static let table: [(names: String, reason: String)] = [
        ("bootstrap.servers metadata.broker.list", "use the field 'brokers'"),
        ("group.id group.instance.id", "the group's identity comes from the pipeline's name"),
        (
            "group.protocol group.remote.assignor group.protocol.type partition.assignment.strategy",
            "who owns a partition is decided with the commit protocol"
        ),
        (
            "enable.auto.commit auto.commit.enable enable.auto.offset.store auto.commit.interval.ms "
                + "offset.store.method "
                + "offset.store.path offset.store.sync.interval.ms",
            "positions are committed with the output they belong to"
        ),
        ("auto.offset.reset", "a silent jump would lose or repeat records; use 'start' and 'on-data-loss'"),
        ("isolation.level", "reading uncommitted records would let aborted ones through"),
        ("enable.partition.eof", "positions behind transaction markers are learned from it"),
        ("transactional.id", "it fences older instances, and comes from the pipeline's name"),
        ("transaction.timeout.ms", "recovery after a crash is timed by it"),
        (
            "enable.idempotence enable.gapless.guarantee acks request.required.acks max.in.flight "
                + "max.in.flight.requests.per.connection retries message.send.max.retries queuing.strategy",
            "records could be lost, repeated or reordered"
        ),
        (
            "message.timeout.ms delivery.timeout.ms request.timeout.ms retry.backoff.ms",
            "the transaction's deadlines are built on it"
        ),
        (
            "partitioner msg_order_cmp partitioner_cb",
            "keys go to the partitions that Java clients choose; use the field 'partition'"
        ),
        (
            "queued.max.messages.kbytes queued.min.messages queue.buffering.max.kbytes queue.buffering.max.messages",
            "the memory budget decides; use the top-level field 'memory'"
        ),
        ("delivery.report.only.error enabled_events statistics.interval.ms", "the engine needs these events"),
        ("test.mock.num.brokers test.mock.broker.rtt", "a mock cluster keeps no guarantee"),
        ("plugin.library.paths", "a pipeline file loads no code"),
        (
            "dr_cb dr_msg_cb error_cb throttle_cb stats_cb log_cb socket_cb connect_cb closesocket_cb open_cb "
                + "resolve_cb "
                + "rebalance_cb offset_commit_cb consume_cb background_event_cb oauthbearer_token_refresh_cb "
                + "ssl.certificate.verify_cb opaque default_topic_conf interceptors ssl_certificate ssl_key ssl_ca "
                + "ssl_engine_callback_data",
            "it cannot be written as text"
        ),
    ]
}
