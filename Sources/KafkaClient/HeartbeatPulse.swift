import CRDKafka
import StreamCore

/// Lets a member of a group hear of rebalances within a tenth of a second.
///
/// Members hear of them with the answer to a heartbeat. librdkafka sends one where it is due while its main thread is
/// awake, which without other work is so twice a second, whatever `heartbeat.interval.ms` says: most of a takeover was
/// this wait. Any question to that thread wakes it; the member's id is the cheapest.
final class HeartbeatPulse: Sendable {
    private let client: SharedClient
    private let worker = WorkerThread()
    static let intervalMs: Int64 = 100

    /// Begins.
    init(_ client: SharedClient) {
        self.client = client
        beat()
    }

    private func beat() {
        worker.submit(after: .milliseconds(Self.intervalMs)) { [self] in
            // A client that is closed needs no more.
            let isOpen: Void? = try? unsafe client.use { client throws(KafkaError) in
                guard let id = unsafe rd_kafka_memberid(client) else { return }
                unsafe rd_kafka_mem_free(client, id)
            }
            if isOpen != nil { beat() }
        }
    }

    /// Does not wait for a question that is under way.
    func stop() { worker.stop(within: .zero) }
}
