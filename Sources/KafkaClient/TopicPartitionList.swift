import CRDKafka
import StreamCore

/// A list of topics, partitions and offsets in librdkafka's form.
@safe
struct TopicPartitionList: ~Copyable {
    private let raw: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(capacity: Int = 8) { unsafe raw = rd_kafka_topic_partition_list_new(Int32(clamping: capacity)) }

    /// Takes over a list that librdkafka made.
    init(adopting raw: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) { unsafe self.raw = raw }

    init(_ splits: some Collection<Split>) {
        self.init(capacity: splits.count)
        for split in splits { add(split) }
    }

    init(_ positions: [Split: Position]) {
        self.init(capacity: positions.count)
        for (split, position) in positions { add(split, offset: position.number) }
    }

    deinit { unsafe rd_kafka_topic_partition_list_destroy(raw) }

    var count: Int { unsafe Int(raw.pointee.cnt) }

    borrowing func add(_ split: Split, offset: Int64 = Int64(RD_KAFKA_OFFSET_INVALID)) {
        add(topic: split.topic.text, partition: split.partition.number, offset: offset)
    }

    borrowing func add(topic: String, partition: Int32, offset: Int64 = Int64(RD_KAFKA_OFFSET_INVALID)) {
        guard let element = unsafe rd_kafka_topic_partition_list_add(raw, topic, partition) else { return }
        unsafe element.pointee.offset = offset
    }

    /// Calls `body` with each element: split, offset and error.
    borrowing func forEachElement<E>(
        _ body: (Split, Int64, KafkaError.Code?) throws(E) -> Void
    ) throws(E) {
        for index in 0..<count {
            let element = unsafe raw.pointee.elems[index]
            guard let topic = unsafe element.topic else { continue }
            let split = unsafe Split(TopicName(String(cString: topic)), PartitionID(element.partition))
            let error = unsafe element.err
            try unsafe body(split, element.offset, error == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError.Code(error))
        }
    }

    borrowing func withRaw<R, E>(
        _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(raw)
    }

    /// The splits of a list that librdkafka lends.
    static func splits(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>?) -> Set<Split> {
        var splits: Set<Split> = []
        guard let list = unsafe list else { return splits }
        let count = unsafe Int(list.pointee.cnt)
        for index in 0..<count {
            let element = unsafe list.pointee.elems[index]
            guard let topic = unsafe element.topic else { continue }
            splits.insert(unsafe Split(TopicName(String(cString: topic)), PartitionID(element.partition)))
        }
        return splits
    }
}
