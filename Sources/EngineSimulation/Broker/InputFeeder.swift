import EmbeddedBroker
import KafkaWire
import StreamCore
import StreamTesting

/// Somebody who writes the input topic. A marker in the schedule is the end of a transaction: the record before it was
/// written in one, so that readers meet markers, and ends of the log that are not committed yet.
final class InputFeeder {
    private let network: SimulatedNetwork
    /// Whether the record of this number is written in a transaction, which the next one ends.
    private let isTransactional: (Int) -> Bool
    private(set) var input: [Split: [String?]] = [:]
    private var written: [Split: Int] = [:]
    private var producers: [Split: (identity: ProducerIdentity, sequence: Int32)] = [:]

    init(_ network: SimulatedNetwork, _ splits: [Split], isTransactional: @escaping (Int) -> Bool) {
        self.network = network
        self.isTransactional = isTransactional
        for split in splits { input[split] = [] }
    }

    func append(_ values: [String?], to split: Split) {
        input[split, default: []] += values
        flush(split)
    }

    /// Writes what came while the broker was stopped.
    func flush() {
        for split in input.keys.sorted() { flush(split) }
    }

    private func flush(_ split: Split) {
        let values = input[split] ?? []
        for number in written[split, default: 0]..<values.count where network.isUp {
            if let value = values[number] {
                write(value, to: split, inTransaction: isTransactional(number))
            } else {
                endTransaction(split)
            }
            written[split] = number + 1
        }
    }

    private func write(_ value: String, to split: Split, inTransaction: Bool) {
        guard inTransaction else {
            var builder = RecordBatchBuilder()
            builder.add(key: nil, value: Array(value.utf8), timestamp: network.clock.wallMilliseconds)
            _ = network.ask(.produce([(split, builder.build())], nil))
            return
        }
        let identifier = "feeder-\(split)"
        if producers[split] == nil {
            let request = InitProducerIDRequest {
                $0.transactionalID = identifier
                $0.transactionTimeoutMs = 900_000
            }
            guard case .initProducerID(let answer)? = network.ask(.initProducerID(request)) else { return }
            producers[split] = (ProducerIdentity(id: answer.producerID, epoch: answer.producerEpoch), 0)
        }
        guard let producer = producers[split] else { return }
        let added = AddPartitionsToTxnRequest {
            $0.transactionalID = identifier
            $0.producerID = producer.identity.id
            $0.producerEpoch = producer.identity.epoch
            $0.topics = [
                AddPartitionsToTxnRequest.Topic {
                    $0.name = split.topic.text
                    $0.partitions = [split.partition.number]
                }
            ]
        }
        _ = network.ask(.addPartitionsToTxn(added))
        var builder = RecordBatchBuilder(
            producerId: producer.identity.id, producerEpoch: producer.identity.epoch, baseSequence: producer.sequence,
            isTransactional: true)
        builder.add(key: nil, value: Array(value.utf8), timestamp: network.clock.wallMilliseconds)
        _ = network.ask(.produce([(split, builder.build())], identifier))
        producers[split]?.sequence += 1
    }

    private func endTransaction(_ split: Split) {
        guard let producer = producers[split]?.identity else { return }
        let request = EndTxnRequest {
            $0.transactionalID = "feeder-\(split)"
            $0.producerID = producer.id
            $0.producerEpoch = producer.epoch
            $0.committed = true
        }
        _ = network.ask(.endTxn(request))
    }
}
