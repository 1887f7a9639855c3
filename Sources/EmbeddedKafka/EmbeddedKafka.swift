private import BrokerServer
private import EmbeddedBroker
public import StreamCore

/// A Kafka-compatible broker of one node inside this process: for tests and demonstrations that need nothing installed.
///
/// Any client of Kafka uses it by `brokers`, on 127.0.0.1. Transactions, groups and `read_committed` readers are those
/// of Kafka; nothing is replicated, and everyone on this machine is let in. Safe from any thread.
public final class EmbeddedKafka: Sendable {
    /// For `KafkaSettings(brokers:)` and every other client: one `host:port`.
    public let brokers: [String]
    private let broker: LocalBroker

    /// Starts it; clients can connect when this returns, some 20 ms later.
    /// - Parameters:
    ///   - folder: keeps its data for the next start, also if the process is killed; one broker at a time uses it.
    ///     Nil: in memory, gone with the broker.
    ///   - port: 0: the system chooses.
    ///   - topics: partitions by the topic's name; made where they are not there. Others are made with one
    ///     partition when a client writes to them.
    /// - Throws: `EMBEDDED_BROKER`: the port or the folder cannot be used, or a topic cannot be made.
    public init(folder: String? = nil, port: UInt16 = 0, topics: [String: Int] = [:]) throws(StreamError) {
        var options = LocalBroker.Options()
        options.listen = [ListenAddress(host: "127.0.0.1", port: port)]
        options.dataFolder = folder
        options.topics = topics.sorted { $0.key < $1.key }.map { ($0.key, Int32(clamping: $0.value)) }
        do {
            broker = try LocalBroker(options)
        } catch {
            throw StreamError(
                "EMBEDDED_BROKER", "The broker inside this process could not start: \(error)", domain: .external,
                cause: error)
        }
        brokers = [broker.advertised.description]
    }

    /// Answers what was asked, and closes its data in order. Its clients go first.
    /// - Returns: whether all of it is done within the time.
    @discardableResult
    public func stop(within timeout: Duration = .seconds(5)) -> Bool { broker.stop(within: timeout) }

    deinit { broker.stop(within: .seconds(1)) }
}
