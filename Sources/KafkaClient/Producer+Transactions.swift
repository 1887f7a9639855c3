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
