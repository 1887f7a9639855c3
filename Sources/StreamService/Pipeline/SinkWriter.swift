import ConnectorKit
import StreamCore
import Synchronization

/// A sink that is no Kafka topic, shared by the tasks' user outputs.
final class SinkWriter: @unchecked Sendable {
    // Safety: the sink is used only under the lock; user outputs of one query run one after the other anyway.
    private let sink: any Sink
    private let lock = Mutex(())

    init(_ sink: any Sink) { self.sink = sink }

    func write(_ block: RecordBlock) throws { try lock.withLock { _ in try sink.write(block) } }
    func close(within: Duration) throws { try lock.withLock { _ in try sink.close(within: within) } }
}
