import CommitProtocol
import ConnectorKit
import GenerateConnector
import KafkaClient
import StreamCore
import StreamEngine

/// Writes made-up clicks into a topic, at a steady rate. Confined to its thread.
final class ClickWriter {
    private let input: any InputPort
    private let producer: Producer
    private let topic: TopicName
    private let board: DemoBoard
    private let log: any LogHandler
    private let clock = SystemClock()

    /// - Throws: `KafkaError` for settings that librdkafka does not accept.
    init(
        _ settings: KafkaSettings, topic: TopicName, rate: Double, seed: UInt64, board: DemoBoard, log: any LogHandler
    ) throws {
        let config = try ClickTemplate.config(rate: rate, seed: seed, startTimeMs: clock.wallMilliseconds)
        input = GenerateSource(config, ConnectorContext(name: "clicks", clock: clock, log: log)).makeInput()
        producer = try Producer(settings, ProducerOptions(), log: log)
        self.topic = topic
        self.board = board
        self.log = log
        input.start()
    }

    /// Writes what is due by now.
    func writeDue() {
        while let event = input.poll(bytesMax: 256 << 10) {
            switch event {
            case .assigned(let splits): input.open(Dictionary(uniqueKeysWithValues: splits.map { ($0, 0) }))
            case .records(let block): write(block)
            default: break
            }
        }
        producer.serve()
        if let failure = producer.takeDeliveryFailure() { log.warning("\(failure.error)") }
        for error in producer.takeErrors() { log.warning("\(error)") }
        board.showSamples(clock.now)
    }

    /// The generator's own lanes and times mean nothing in the topic: the key chooses the partition.
    private func write(_ generated: RecordBlock) {
        generated.topics = [topic]
        for index in generated.slots.indices {
            generated.slots[index].partition = -1
            generated.slots[index].timestamp = -1
        }
        do throws(ProduceFailure) {
            try producer.produce(generated, number: 0, within: .seconds(1))
        } catch {
            log.warning("\(error.error)")
            return
        }
        board.add(generated.count, .input)
        if board.wants(.input), let value = generated.value(0) {
            board.sample(String(decoding: value, as: UTF8.self), .input)
        }
    }

    func close() {
        do throws(KafkaError) {
            try producer.flush(within: .seconds(2))
        } catch {
            log.warning("\(error)")
        }
        input.close(within: .seconds(1))
        producer.close(within: .seconds(2))
    }
}
