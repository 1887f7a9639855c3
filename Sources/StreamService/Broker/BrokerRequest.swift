package import BrokerServer
internal import ConnectorKit
private import StreamCore

/// What `millrace broker` asks for.
public struct BrokerRequest: Sendable {
    package struct TopicRequest: Sendable, Hashable {
        package var name: String
        package var partitions: Int32
    }

    package typealias Address = BrokerServer.ListenAddress

    package var listen: [Address]
    package var advertised: Address?
    package var dataFolder: String?
    package var sync: SyncPolicy
    package var topics: [TopicRequest]
    /// Of topics that are made without saying how many.
    package var partitions: Int32
    /// Whether a client that asks for a topic makes it.
    package var createsTopics: Bool

    /// From options that were checked.
    init(_ call: CommandCall) {
        let values = call.values
        partitions = values["partitions"].flatMap(Self.partitions) ?? 1
        createsTopics = !call.flags.contains("no-auto-create")
        listen = Self.addresses(values["listen"] ?? Self.listenDefault) ?? []
        advertised = values["advertise"].flatMap(Self.advertised)
        dataFolder = values["data"]
        sync = values["fsync"].flatMap(Self.sync) ?? .never
        topics = values["topics"].flatMap { [partitions] in Self.topics($0, default: partitions) } ?? []
    }
}

/// Options' values; nil where they are none.
extension BrokerRequest {
    static let listenDefault = "127.0.0.1:9092"

    static func addresses(_ text: String) -> [Address]? {
        let addresses = list(text).map { try? Address($0) }
        return addresses.isEmpty || addresses.contains(nil) ? nil : addresses.compactMap(\.self)
    }

    /// `HOST` or `HOST:PORT`; without a port it is the one that is listened on.
    static func advertised(_ text: String) -> Address? {
        (try? Address(text)) ?? (try? Address("\(text):0"))
    }

    static func sync(_ text: String) -> SyncPolicy? {
        switch text {
        case "never": return .never
        case "always": return .eachAppend
        default:
            guard let milliseconds = Units.duration(text).map({ $0.nanoseconds / 1_000_000 }),
                (1...3_600_000).contains(milliseconds)
            else { return nil }
            return .everyMs(milliseconds)
        }
    }

    static func partitions(_ text: String) -> Int32? {
        Int32(text).flatMap { (1...10_000).contains($0) ? $0 : nil }
    }

    /// `orders:4,clicks`
    static func topics(_ text: String, default partitions: Int32 = 1) -> [TopicRequest]? {
        var topics: [TopicRequest] = []
        for part in list(text) {
            let words = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard words.count <= 2, !words[0].isEmpty else { return nil }
            guard let count = words.count == 2 ? Self.partitions(words[1]) : partitions else { return nil }
            topics.append(TopicRequest(name: words[0], partitions: count))
        }
        return topics.isEmpty ? nil : topics
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map(String.init)
    }
}

extension CommandLineSpec {
    static let broker = CommandSpec(
        name: "broker", summary: "Run a Kafka-compatible broker of one node, for development and tests",
        options: [
            OptionSpec(
                name: "data", valueName: "DIR", doc: "Keep data in this folder; without it, in memory.",
                complaint: { $0.isEmpty ? "expected a folder" : nil }),
            OptionSpec(
                name: "listen", valueName: "HOST:PORT,…",
                doc: "Listen here (\(BrokerRequest.listenDefault)); port 0: the system chooses.",
                complaint: { BrokerRequest.addresses($0) == nil ? "expected 127.0.0.1:9092 or [::1]:9092" : nil }),
            OptionSpec(
                name: "advertise", valueName: "HOST[:PORT]",
                doc: "What clients are told to connect to (where it listens).",
                complaint: { BrokerRequest.advertised($0) == nil ? "expected a host, or host:port" : nil }),
            OptionSpec(
                name: "fsync", valueName: "never|always|DURATION",
                doc: "When data is forced to the disk (never).",
                complaint: {
                    BrokerRequest.sync($0) == nil ? "expected never, always or a duration such as 100ms" : nil
                }
            ),
            OptionSpec(
                name: "topics", valueName: "NAME[:PARTITIONS],…", doc: "Make these topics if they are not there.",
                complaint: { BrokerRequest.topics($0) == nil ? "expected a list such as orders:4,clicks:1" : nil }),
            OptionSpec(
                name: "partitions", valueName: "N", doc: "Partitions of topics that clients make by using them (1).",
                complaint: { BrokerRequest.partitions($0) == nil ? "expected a number from 1 to 10000" : nil }),
            OptionSpec(
                name: "no-auto-create", valueName: nil, doc: "Make no topic because a client asks for it."),
        ],
        details: """
            One node: nothing is replicated, and there is no authentication and no encryption. It is for
            development, tests and demos. Clients of Kafka use it unchanged, with transactions, groups
            and the administrators' tools. What was acknowledged outlasts the end of the process, also by
            SIGKILL, where --data is given; a loss of power only with --fsync: always, before each answer, or
            after a time such as 100ms.

            It ends with status 0 on SIGTERM and SIGINT; a second one ends it at once.
            """,
        examples: [
            ("millrace broker", "in memory, on \(BrokerRequest.listenDefault)"),
            ("millrace broker --data /tmp/broker --topics orders:4,clicks", "in a folder, with two topics"),
            ("millrace broker --listen 127.0.0.1:0", "on a free port, which it prints"),
        ])
}
