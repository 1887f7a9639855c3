import EmbeddedBroker
import KafkaWire
import Testing

/// A broker in memory with a client that sends one request at a time; all of it goes through the bytes of the wire.
final class TestBroker {
    var settings: BrokerSettings
    let storage: any LogStorageFactory
    private(set) var core: BrokerCore
    var now: Int64
    private var numbers: SeededNumbers
    private var slot = 0
    /// Answers that came for requests of earlier calls, by slot.
    private(set) var late: [Int: Response] = [:]
    private(set) var closed = 0

    init(
        _ settings: BrokerSettings = BrokerSettings(), storage: any LogStorageFactory = MemoryStorageFactory(),
        now: Int64 = 1_000_000, seed: UInt64 = 1
    ) throws {
        self.settings = settings
        self.storage = storage
        self.now = now
        let source = Numbers(seed)
        numbers = SeededNumbers(state: seed)
        core = try BrokerCore(settings: settings, storage: storage, nowMs: now) { source.next() }
    }

    private final class Numbers {
        var numbers: SeededNumbers
        init(_ seed: UInt64) { numbers = SeededNumbers(state: seed) }
        func next() -> UInt64 { numbers.next() }
    }

    /// The process is gone and another one is there.
    func restart() throws {
        let source = Numbers(numbers.next())
        late = [:]
        core = try BrokerCore(settings: settings, storage: storage, nowMs: now) { source.next() }
    }

    /// Sends a request and returns its slot.
    @discardableResult
    func send(_ key: APIKey, _ request: Request, version: Int16? = nil, from connection: Int = 1) throws -> Int {
        slot += 1
        let header = RequestHeader(
            key: key, version: version ?? key.versions.upperBound, correlationID: Int32(slot), clientID: "test")
        let frame = try RequestFrame(header: header, request: request).encode()
        let decoded = try RequestFrame(decoding: frame[4...])
        core.handle(decoded, from: ConnectionID(rawValue: connection), slot: slot, nowMs: now)
        try take()
        return slot
    }

    /// Sends a request and returns its answer, if there is one at once.
    func ask(_ key: APIKey, _ request: Request, version: Int16? = nil, from connection: Int = 1) throws -> Response? {
        late.removeValue(forKey: try send(key, request, version: version, from: connection))
    }

    func answer(to slot: Int) -> Response? { late.removeValue(forKey: slot) }

    /// Lets time pass, with every deadline on the way.
    func pass(_ ms: Int64) throws {
        let end = now + ms
        while let next = core.nextDeadlineMs, next <= end {
            now = max(now, next)
            core.advance(nowMs: now)
            try take()
        }
        now = end
        core.advance(nowMs: now)
        try take()
    }

    private func take() throws {
        for answer in core.takeAnswers() {
            if answer.closesConnection { closed += 1 }
            guard let response = answer.response else { continue }
            let bytes = try ResponseFrame.encode(response, to: answer.header)
            let frame = try ResponseFrame(
                decoding: bytes[4...], key: answer.header.key, version: answer.header.responseVersion)
            #expect(frame.correlationID == answer.header.correlationID)
            #expect(late[answer.slot] == nil)
            late[answer.slot] = frame.response
        }
    }
}

// MARK: - Requests

extension TestBroker {
    @discardableResult
    func createTopic(_ name: String, partitions: Int32 = 1, configs: [String: String] = [:]) throws -> ErrorCode {
        let request = CreateTopicsRequest {
            $0.topics = [
                CreateTopicsRequest.Topic {
                    $0.name = name
                    $0.numPartitions = partitions
                    $0.replicationFactor = 1
                    $0.configs = configs.sorted { $0.key < $1.key }.map { name, value in
                        CreateTopicsRequest.Config {
                            $0.name = name
                            $0.value = value
                        }
                    }
                }
            ]
        }
        guard case .createTopics(let response)? = try ask(.createTopics, .createTopics(request)) else {
            throw Missing()
        }
        return try #require(response.topics.first).errorCode
    }

    func metadata(_ topics: [String]?, creates: Bool = true, version: Int16 = 12) throws -> MetadataResponse {
        let request = MetadataRequest {
            $0.topics = topics.map { $0.map { name in MetadataRequest.Topic { $0.name = name } } }
            $0.allowAutoTopicCreation = creates
        }
        guard case .metadata(let response)? = try ask(.metadata, .metadata(request), version: version) else {
            throw Missing()
        }
        return response
    }

    func produce(
        _ records: [UInt8], to topic: String, _ partition: Int32 = 0, acks: Int16 = -1, transactionalId: String? = nil,
        version: Int16 = 9
    ) throws -> ProduceResponse.Partition? {
        let request = ProduceRequest {
            $0.acks = acks
            $0.transactionalID = transactionalId
            $0.topics = [
                ProduceRequest.Topic {
                    $0.name = topic
                    $0.partitions = [
                        ProduceRequest.Partition {
                            $0.partition = partition
                            $0.records = records[...]
                        }
                    ]
                }
            ]
        }
        guard case .produce(let response)? = try ask(.produce, .produce(request), version: version) else { return nil }
        return response.topics.first?.partitions.first
    }

    static func fetchRequest(
        _ partitions: [TopicPartition], from offset: Int64, isCommitted: Bool = false, maxWaitMs: Int32 = 0,
        minBytes: Int32 = 1, maxBytes: Int32 = .max, partitionMaxBytes: Int32 = 1 << 20
    ) -> FetchRequest {
        FetchRequest {
            $0.maxWaitMs = maxWaitMs
            $0.minBytes = minBytes
            $0.maxBytes = maxBytes
            $0.isolationLevel = isCommitted ? 1 : 0
            $0.topics = partitions.map { name in
                FetchRequest.Topic {
                    $0.name = name.topic
                    $0.partitions = [
                        FetchRequest.Partition {
                            $0.partition = name.partition
                            $0.fetchOffset = offset
                            $0.maxBytes = partitionMaxBytes
                        }
                    ]
                }
            }
        }
    }

    func fetch(_ request: FetchRequest, version: Int16 = 12) throws -> FetchResponse? {
        guard case .fetch(let response)? = try ask(.fetch, .fetch(request), version: version) else { return nil }
        return response
    }

    func fetch(_ topic: String, _ partition: Int32 = 0, from offset: Int64 = 0, isCommitted: Bool = false) throws
        -> FetchResponse.Partition
    {
        let request = Self.fetchRequest([TopicPartition(topic, partition)], from: offset, isCommitted: isCommitted)
        guard let part = try fetch(request)?.topics.first?.partitions.first else { throw Missing() }
        return part
    }

    /// The values that a consumer gets, as it drops what was aborted.
    func values(_ topic: String, _ partition: Int32 = 0, isCommitted: Bool = false) throws -> [String] {
        var offset: Int64 = 0
        var seen: [String] = []
        while true {
            let part = try fetch(topic, partition, from: offset, isCommitted: isCommitted)
            #expect(part.errorCode == .none)
            guard let records = part.records, !records.isEmpty else { return seen }
            var waiting = (part.abortedTransactions ?? []).sorted { $0.firstOffset < $1.firstOffset }[...]
            var aborted: Set<Int64> = []
            var rest = records
            while !rest.isEmpty {
                let header = try RecordBatchHeader(checked: rest)
                let batch = rest.prefix(header.byteCount)
                rest = rest.dropFirst(header.byteCount)
                while let next = waiting.first, next.firstOffset <= header.lastOffset {
                    aborted.insert(next.producerID)
                    waiting = waiting.dropFirst()
                }
                offset = header.nextOffset
                if header.isControl {
                    if try TransactionMarker(batch: batch)?.result == .abort { aborted.remove(header.producerId) }
                } else if !header.isTransactional || !aborted.contains(header.producerId) {
                    seen += try LogRecord.records(of: batch).map { String(decoding: $0.value ?? [], as: UTF8.self) }
                }
            }
        }
    }

    func listOffset(_ topic: String, _ partition: Int32 = 0, at timestamp: Int64, isCommitted: Bool = false) throws
        -> ListOffsetsResponse.Partition
    {
        let request = ListOffsetsRequest {
            $0.isolationLevel = isCommitted ? 1 : 0
            $0.topics = [
                ListOffsetsRequest.Topic {
                    $0.name = topic
                    $0.partitions = [
                        ListOffsetsRequest.Partition {
                            $0.partition = partition
                            $0.timestamp = timestamp
                        }
                    ]
                }
            ]
        }
        guard case .listOffsets(let response)? = try ask(.listOffsets, .listOffsets(request)),
            let part = response.topics.first?.partitions.first
        else { throw Missing() }
        return part
    }
}

/// There was no answer, or one of another kind.
struct Missing: Error {}
