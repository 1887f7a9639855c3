import CommitProtocol
import StreamCore

/// What both inputs have in common: a consumer on the driver's thread, a helper thread, and the way from one's events
/// to the port's.
final class InputCore {
    private(set) var consumer: Consumer?
    let worker = WorkerThread()
    let mailbox = InputMailbox()
    private(set) var lookups: InputLookups?

    init() {}

    var onReady: (@Sendable () -> Void)? {
        get { mailbox.onReady }
        set { mailbox.onReady = newValue }
    }

    func connect(_ settings: KafkaSettings, _ options: ConsumerOptions, log: any LogHandler) throws(KafkaError)
        -> SharedClient
    {
        let mailbox = mailbox
        let made = try Consumer(settings, options, log: log) { mailbox.wake() }
        consumer = made
        lookups = InputLookups(made.client, worker, mailbox)
        return made.client
    }

    /// - Parameter onFatal: the consumer can do nothing more.
    func poll(bytesMax: Int, onFatal: (KafkaError) -> InputEvent?) -> InputEvent? {
        while true {
            if let item = mailbox.take() {
                switch item {
                case .event(let event): return event
                case .reopen(let split, let position): consumer?.open([split: position])
                }
                continue
            }
            guard let event = consumer?.poll(bytesMax: bytesMax) else { return nil }
            switch event {
            case .assigned(let splits): return .assigned(splits)
            case .revoking(let splits): return .revoking(splits)
            case .lost(let splits): return .lost(splits)
            case .records(let block): return .records(block)
            case .reachedEnd(let split, let position): return .reachedEnd(split, position)
            case .positionLost(let split, let position): lookups?.positionLost(split, at: position)
            case .failed(let error) where error.isFatal:
                if let event = onFatal(error) { return event }
            case .failed(let error): return .trouble(error.inputTrouble)
            }
        }
    }

    /// librdkafka's newest statistics, as JSON, where `statistics.interval.ms` asks for them.
    var statistics: String? { consumer?.client.context.withState { $0.statistics } }

    /// Closes the consumer only; the helper thread stays.
    func disconnect(within: Duration) {
        consumer?.close(within: within)
        consumer = nil
        lookups = nil
    }

    func close(within: Duration) {
        let deadline = SystemClock().now + within
        onReady = nil
        disconnect(within: within)
        worker.stop(within: max(.milliseconds(1), deadline - SystemClock().now))
    }
}
