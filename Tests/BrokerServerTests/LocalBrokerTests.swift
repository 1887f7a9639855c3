import EmbeddedBroker
import Foundation
import KafkaWire
import StreamCore
import Synchronization
import Testing

@testable import BrokerServer

/// The broker by its sockets: one client that speaks Kafka's protocol.
struct LocalBrokerTests {
    private let folder: TemporaryFolder
    private var data: String { folder.path + "/data" }

    init() throws { folder = try TemporaryFolder() }

    private func options(data: String? = nil, topics: [(String, Int32)] = []) -> LocalBroker.Options {
        var options = LocalBroker.Options()
        options.dataFolder = data
        options.topics = topics.map { (name: $0.0, partitions: $0.1) }
        return options
    }

    @Test func tellsClientsWhereItListens() throws {
        let broker = try LocalBroker(options(topics: [("orders", 3)]))
        defer { broker.stop(within: .seconds(1)) }
        let client = try KafkaTestClient(broker.addresses[0])
        let metadata = try client.metadata()
        #expect(metadata.brokers.map(\.host) == ["127.0.0.1"])
        #expect(metadata.brokers.map(\.port) == [Int32(broker.addresses[0].port)])
        #expect(metadata.topics.map(\.name) == ["orders"])
        #expect(metadata.topics.first?.partitions.count == 3)
    }

    @Test func tellsClientsTheAddressThatIsAdvertised() throws {
        var options = options()
        options.listen = [ListenAddress(host: "0.0.0.0", port: 0)]
        let byName = try LocalBroker(options)
        #expect(byName.advertised.host == ProcessInfo.processInfo.hostName)
        #expect(byName.advertised.port == byName.addresses[0].port)
        byName.stop(within: .seconds(1))
        options.advertised = ListenAddress(host: "broker.example", port: 99)
        let named = try LocalBroker(options)
        defer { named.stop(within: .seconds(1)) }
        let client = try KafkaTestClient(ListenAddress(host: "127.0.0.1", port: named.addresses[0].port))
        let node = try #require(try client.metadata().brokers.first)
        #expect(node.host == "broker.example")
        #expect(node.port == 99)
    }

    @Test(arguments: [SyncPolicy.never, .everyMs(5), .eachAppend]) func keepsRecordsOverRestarts(sync: SyncPolicy)
        throws
    {
        var options = options(data: data, topics: [("t", 1)])
        options.sync = sync
        for offset in 0..<3 as Range<Int64> {
            let broker = try LocalBroker(options)
            let client = try KafkaTestClient(broker.addresses[0])
            #expect(try client.produce("t", value: "\(offset)") == offset)
            #expect(try client.fetch("t") == (0...offset).map { "\($0)" })
            #expect(broker.stop(within: .seconds(5)))
            #expect(broker.hasEnded)
            #expect(FileManager.default.fileExists(atPath: data + "/t-0/clean-stop"))
        }
    }

    @Test func aFetchWaitsForRecords() throws {
        let broker = try LocalBroker(options(topics: [("t", 1)]))
        defer { broker.stop(within: .seconds(1)) }
        let reader = try KafkaTestClient(broker.addresses[0])
        try reader.sendFetch("t", maxWaitMs: 60_000)
        let writer = try KafkaTestClient(broker.addresses[0])
        #expect(try writer.produce("t", value: "x") == 0)
        #expect(try reader.receiveFetch() == ["x"])
    }

    @Test func whatIsNoRequestEndsItsConnectionAndIsLogged() throws {
        let journal = Journal()
        let broker = try LocalBroker(options(), log: journal)
        defer { broker.stop(within: .seconds(1)) }
        for bytes in [[0], [0, 3, 0, 9], [127, 255, 0, 0, 0, 0, 0, 1, 255, 255], Array("GET / HTTP/1.1".utf8)] {
            let client = try TestClient(broker.addresses[0])
            try client.send(frame: bytes)
            #expect(client.isEndedByServer())
        }
        #expect(journal.now.lines.contains { $0.contains("a request that cannot be read") })
        #expect(try KafkaTestClient(broker.addresses[0]).metadata().brokers.count == 1)
    }

    @Test func aRefusedProduceWithoutAnswerEndsItsConnection() throws {
        let broker = try LocalBroker(options())
        defer { broker.stop(within: .seconds(1)) }
        let client = try KafkaTestClient(broker.addresses[0])
        try client.sendProduce("missing", value: "x", acks: 0)
        #expect(client.client.isEndedByServer())
    }

    @Test func aUsedPortAndAUsedFolderAreTold() throws {
        let broker = try LocalBroker(options(data: data))
        defer { broker.stop(within: .seconds(1)) }
        var second = options()
        second.listen = broker.addresses
        #expect { try LocalBroker(second) } throws: { ($0 as? ServerError)?.code == .addressInUse }
        #expect(throws: StorageError.self) { try LocalBroker(options(data: data)) }
    }

    @Test func aTopicThatCannotBeMadeIsTold() throws {
        #expect { try LocalBroker(options(topics: [("a b", 1)])) } throws: { error in
            (error as? ServerError)?.code == .topicInvalid && "\(error)".contains("'a b'")
        }
    }

    /// The broker's own log cannot be written: it answers nothing more, and ends.
    @Test func stopsWhenItsOwnLogCannotBeWritten() throws {
        let hasEnded = Mutex(false)
        var options = options(data: data)
        // Each batch begins a file, so that none can be written once the folder is gone.
        options.segmentBytesMax = 1
        let broker = try LocalBroker(options) { _ in hasEnded.withLock { $0 = true } }
        let client = try KafkaTestClient(broker.addresses[0])
        try FileManager.default.removeItem(atPath: data)
        try client.send(
            .initProducerID,
            .initProducerID(
                InitProducerIDRequest {
                    $0.transactionalID = nil
                    $0.producerID = -1
                    $0.producerEpoch = -1
                }))
        #expect(client.client.isEndedByServer())
        #expect(broker.stop(within: .seconds(10)))
        #expect(broker.failure != nil)
        #expect(hasEnded.withLock { $0 })
    }
}
