import CUV
package import EmbeddedBroker
import KafkaWire
package import StreamCore
import Synchronization

/// A Kafka-compatible broker of one node inside this process, for clients on TCP. Safe from any thread.
///
/// Nothing is replicated: it is for development, tests and demonstrations.
package final class LocalBroker: Sendable {
    /// What it is started with.
    package struct Options: Sendable {
        /// The first one is told to clients, unless `advertised` is. Port 0 lets the system choose.
        package var listen = [ListenAddress(host: "127.0.0.1", port: 0)]
        /// What clients are told to connect to; its port 0 stands for the real one.
        package var advertised: ListenAddress?
        /// Where logs are kept; nil: in memory, until it stops.
        package var dataFolder: String?
        package var sync = SyncPolicy.never
        package var segmentBytesMax: Int64 = 1 << 30
        /// Made at the start if they are not there.
        package var topics: [(name: String, partitions: Int32)] = []
        /// Its advertised address is that of above.
        package var settings = BrokerSettings()
        package var limits = ServerLimits()

        package init() {}
    }

    /// Where it listens, with real ports.
    package var addresses: [ListenAddress] { loop.addresses }
    /// What clients are told to connect to.
    package let advertised: ListenAddress
    private let loop: EventLoop
    private let end: End

    /// What the server's thread tells the others, and may ask for before the server is there.
    fileprivate final class End: Sendable {
        struct State {
            var loop: EventLoop?
            var failure: StorageError?
            var hasEnded = false
        }
        let state = Mutex(State())
    }

    /// Starts it and returns when clients can connect.
    /// - Parameter onEnd: called on the server's thread when it has stopped, with the failure where it did by itself.
    /// - Throws: `ServerError` where it cannot listen, `StorageError` where its data cannot be used.
    package init(
        _ options: Options, log: any LogHandler = NullLog(),
        onEnd: @escaping @Sendable (StorageError?) -> Void = { _ in }
    ) throws {
        let end = End()
        let first = options.listen.first ?? ListenAddress(host: "127.0.0.1", port: 0)
        loop = try EventLoop(options.listen.isEmpty ? [first] : options.listen, limits: options.limits, log: log) {
            transport in
            let storage = try options.dataFolder.map { path throws(StorageError) in
                try FolderStorageFactory(path: path, segmentBytesMax: options.segmentBytesMax, sync: options.sync)
            }
            var settings = options.settings
            let advertised = Self.advertised(options, bound: transport.addresses.first ?? first)
            settings.advertisedHost = advertised.host
            settings.advertisedPort = Int32(advertised.port)
            var generator = SystemRandomNumberGenerator()
            let core = try BrokerCore(
                settings: settings, storage: storage ?? MemoryStorageFactory(), nowMs: transport.nowMs
            ) { generator.next() }
            try core.makeTopics(options.topics, nowMs: transport.nowMs)
            let handler = BrokerHandler(
                core, storage: storage, sync: options.sync, transport: transport, log: log,
                onFailure: { error in end.fail(error) })
            handler.onStopped = {
                let failure = end.state.withLock { state in
                    state.hasEnded = true
                    return state.failure
                }
                onEnd(failure)
            }
            return handler
        }
        self.end = end
        advertised = Self.advertised(options, bound: loop.addresses.first ?? first)
        end.attach(loop)
    }

    /// Why it stopped by itself.
    package var failure: StorageError? { end.state.withLock { $0.failure } }
    package var hasEnded: Bool { end.state.withLock { $0.hasEnded } }

    /// Takes no requests any more, sends the answers that are there, and closes its data in order.
    /// - Returns: whether all of it is done.
    @discardableResult
    package func stop(within timeout: Duration) -> Bool {
        loop.stop(withinMs: Self.milliseconds(timeout))
    }

    /// The same without waiting.
    package func requestStop(within timeout: Duration) { loop.requestStop(withinMs: Self.milliseconds(timeout)) }

    /// Runs something on the server's thread: a sign that it comes round.
    package func ping(_ answer: @escaping @Sendable () -> Void) { loop.submit { _ in answer() } }

    // MARK: -

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return max(0, min(seconds, 1 << 40) * 1_000 + attoseconds / 1_000_000_000_000_000)
    }

    /// An address that stands for all of the machine's is none that a client can connect to.
    private static func advertised(_ options: Options, bound: ListenAddress) -> ListenAddress {
        var address = options.advertised ?? bound
        if address.port == 0 { address.port = bound.port }
        guard ["0.0.0.0", "::", "*"].contains(address.host) else { return address }
        address.host = hostName() ?? "localhost"
        return address
    }

    private static func hostName() -> String? {
        var text = [CChar](repeating: 0, count: 256)
        var size = text.count
        return unsafe text.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, unsafe uv_os_gethostname(start, &size) == 0 else { return nil }
            return unsafe String(cString: start)
        }
    }
}

extension LocalBroker.End {
    /// The server may have failed before this.
    func attach(_ loop: EventLoop) {
        let hasFailed = state.withLock { state in
            state.loop = state.hasEnded ? nil : loop
            return state.failure != nil
        }
        if hasFailed { loop.requestStop(withinMs: 0) }
    }

    func fail(_ error: StorageError) {
        let loop = state.withLock { state in
            state.failure = error
            return state.loop
        }
        loop?.requestStop(withinMs: 0)
    }
}

extension BrokerCore {
    /// Makes topics that are not there, by the way that clients take.
    fileprivate func makeTopics(_ topics: [(name: String, partitions: Int32)], nowMs: Int64) throws {
        guard !topics.isEmpty else { return }
        let request = CreateTopicsRequest {
            $0.topics = topics.map { topic in
                CreateTopicsRequest.Topic {
                    $0.name = topic.name
                    $0.numPartitions = topic.partitions
                    $0.replicationFactor = 1
                }
            }
        }
        let header = RequestHeader(
            key: .createTopics, version: APIKey.createTopics.versions.upperBound, correlationID: 0, clientID: nil)
        handle(
            RequestFrame(header: header, request: .createTopics(request)),
            from: EmbeddedBroker.ConnectionID(rawValue: 0), slot: 0, nowMs: nowMs)
        for answer in takeAnswers() {
            guard case .createTopics(let response)? = answer.response else { continue }
            for topic in response.topics where topic.errorCode != .none && topic.errorCode != .topicAlreadyExists {
                throw ServerError(
                    .topicInvalid,
                    "The topic '\(topic.name)' cannot be made: \(topic.errorMessage ?? "\(topic.errorCode)")")
            }
        }
        if let failure { throw failure }
    }
}
