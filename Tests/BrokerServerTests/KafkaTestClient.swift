import EmbeddedBroker
import KafkaWire
import Testing

@testable import BrokerServer

/// A client that sends one request after the other, in the newest versions.
final class KafkaTestClient {
    let client: TestClient
    private var correlation: Int32 = 0

    init(_ address: ListenAddress) throws { client = try TestClient(address) }

    func send(_ key: APIKey, _ request: Request, version: Int16? = nil) throws {
        correlation += 1
        let header = RequestHeader(
            key: key, version: version ?? key.versions.upperBound, correlationID: correlation, clientID: "test")
        try client.send(try RequestFrame(header: header, request: request).encode())
    }

    func receive(_ key: APIKey) throws -> Response {
        let bytes = try client.receiveFrame()
        let frame = try ResponseFrame(decoding: bytes[...], key: key, version: key.versions.upperBound)
        #expect(frame.correlationID == correlation)
        return frame.response
    }

    func metadata(creating topic: String? = nil) throws -> MetadataResponse {
        let request = MetadataRequest {
            $0.topics = topic.map { name in [MetadataRequest.Topic { $0.name = name }] }
            $0.allowAutoTopicCreation = topic != nil
        }
        try send(.metadata, .metadata(request))
        guard case .metadata(let response) = try receive(.metadata) else { throw Unexpected() }
        return response
    }

    struct Unexpected: Error {}

    func sendProduce(_ topic: String, value: String, acks: Int16 = -1) throws {
        var builder = RecordBatchBuilder()
        builder.add(key: nil, value: Array(value.utf8), timestamp: 1_000)
        let records = builder.build()
        let request = ProduceRequest {
            $0.acks = acks
            $0.timeoutMs = 1_000
            $0.topics = [
                ProduceRequest.Topic {
                    $0.name = topic
                    $0.partitions = [
                        ProduceRequest.Partition {
                            $0.partition = 0
                            $0.records = records[...]
                        }
                    ]
                }
            ]
        }
        try send(.produce, .produce(request))
    }

    /// - Returns: the record's offset.
    func produce(_ topic: String, value: String) throws -> Int64 {
        try sendProduce(topic, value: value)
        guard case .produce(let response) = try receive(.produce),
            let partition = response.topics.first?.partitions.first
        else { throw Unexpected() }
        #expect(partition.errorCode == .none)
        return partition.baseOffset
    }

    func sendFetch(_ topic: String, maxWaitMs: Int32 = 0) throws {
        let request = FetchRequest {
            $0.maxWaitMs = maxWaitMs
            $0.minBytes = 1
            $0.maxBytes = 1 << 20
            $0.sessionEpoch = -1
            $0.topics = [
                FetchRequest.Topic {
                    $0.name = topic
                    $0.partitions = [
                        FetchRequest.Partition {
                            $0.partition = 0
                            $0.currentLeaderEpoch = -1
                            $0.fetchOffset = 0
                            $0.maxBytes = 1 << 20
                        }
                    ]
                }
            ]
        }
        try send(.fetch, .fetch(request))
    }

    func receiveFetch() throws -> [String] {
        guard case .fetch(let response) = try receive(.fetch),
            let partition = response.topics.first?.partitions.first, let records = partition.records
        else { throw Unexpected() }
        #expect(partition.errorCode == .none)
        return try LogRecord.records(ofBatches: records).map { String(decoding: $0.value ?? [], as: UTF8.self) }
    }

    func fetch(_ topic: String) throws -> [String] {
        try sendFetch(topic)
        return try receiveFetch()
    }
}
