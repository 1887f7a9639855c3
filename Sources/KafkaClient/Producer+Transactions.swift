import CRDKafka
import StreamCore

// librdkafka's transaction calls, each under a deadline of its own. There is no abort: an abort after a timed-out
// commit, after the broker let the transaction expire, or before any partition was added may fail, turn fatal or hit an
// assertion (librdkafka #3297, #4849). Whoever fails closes the producer and makes a new one with the same
// transactional id, whose `initialize` aborts what was left open.

extension Producer {
    /// Fences older users of the transactional id and aborts what they left open.
    public func initialize(within: Duration) throws(KafkaError) {
        try unsafe client.use { client throws(KafkaError) in
            try unsafe KafkaError.check(
                rd_kafka_init_transactions(client, within.cMilliseconds), "Could not initialize transactions")
        }
    }

    /// As `initialize`, and ends early where the coordinator refuses for the time being: an older transaction of this
    /// id is being ended. librdkafka asks again half a second later, when a new producer is long through.
    /// - Returns: false: it was refused; make the producer anew.
    func initializeUnlessRefused(within: Duration) throws(KafkaError) -> Bool {
        let deadline = SystemClock().now + within
        while true {
            let left = deadline - SystemClock().now
            do throws(KafkaError) {
                // The call may be repeated behind a time-out, and goes on where it was.
                try initialize(within: min(max(left, .zero), .milliseconds(20)))
                return true
            } catch {
                // Told by the next call, or by the log alone.
                if error.code == .concurrentTransactions { return false }
                guard error.code == .timedOut, left > .milliseconds(20) else { throw error }
                if client.context.withState({ $0.wasRefusedID }) { return false }
            }
        }
    }

    /// A producer whose transactions are initialized: older users of the transactional id are fenced, and what they
    /// left open is ended.
    /// - Parameters:
    ///   - pause: waits.
    ///   - make: makes a producer, and closes the one that it made before.
    static func initialized(
        within: Duration, pause: (Duration) -> Void, _ make: () throws(KafkaError) -> Producer
    ) throws(KafkaError) -> Producer {
        let deadline = SystemClock().now + within
        // Ending a transaction takes some milliseconds; one that takes longer is waited for as librdkafka does.
        for delayMs in [10, 20, 40, 80] {
            let producer = try make()
            if try producer.initializeUnlessRefused(within: deadline - SystemClock().now) { return producer }
            pause(.milliseconds(delayMs))
        }
        let producer = try make()
        try producer.initialize(within: max(deadline - SystemClock().now, .seconds(1)))
        return producer
    }

    /// Begins a transaction; the broker hears of it with the first record or offset.
    /// - Throws: `KafkaError`, also where a transaction is open already or `initialize` has not been done.
    public func begin() throws(KafkaError) {
        try unsafe client.use { client throws(KafkaError) in
            try unsafe KafkaError.check(rd_kafka_begin_transaction(client), "Could not begin a transaction")
        }
    }

    /// Adds positions to the open transaction. There must be at least one: librdkafka silently does nothing without.
    func sendOffsets(_ positions: [Split: Position], _ group: GroupMetadata, within: Duration)
        throws(KafkaError)
    {
        guard positions.contains(where: { $0.value.number >= 0 }) else {
            throw KafkaError(.invalidArgument, "A transaction without a position fences nobody: none is given.")
        }
        let list = TopicPartitionList(positions)
        let error = try unsafe client.use { client throws(KafkaError) in
            unsafe list.withRaw { list in
                unsafe group.withRaw {
                    unsafe rd_kafka_send_offsets_to_transaction(client, list, $0, within.cMilliseconds)
                }
            }
        }
        try unsafe KafkaError.check(error, "Could not add the input's positions to the transaction")
    }

    /// Commits. After a time-out nobody knows whether it happened.
    public func commit(within: Duration) throws(KafkaError) {
        try unsafe client.use { client throws(KafkaError) in
            try unsafe KafkaError.check(
                rd_kafka_commit_transaction(client, within.cMilliseconds), "Could not commit the transaction")
        }
    }
}
