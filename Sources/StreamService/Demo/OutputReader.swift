import KafkaClient
import StreamCore

/// Reads what a pipeline wrote, as any read_committed consumer would. Confined to its thread.
final class OutputReader {
    private let consumer: Consumer
    private let settings: KafkaSettings
    private let deadLetters: TopicName?
    private let board: DemoBoard
    private let log: any LogHandler

    /// - Parameters:
    ///   - positions: where each split of the output and of the dead letters is read from.
    ///   - onReady: called from any thread when there is something to read.
    /// - Throws: `KafkaError` for settings that librdkafka does not accept.
    init(
        _ settings: KafkaSettings, groupID: String, positions: [Split: Position], deadLetters: TopicName?,
        board: DemoBoard, log: any LogHandler, onReady: @escaping @Sendable () -> Void
    ) throws(KafkaError) {
        consumer = try Consumer(settings, ConsumerOptions(groupID: groupID), log: log, onReady: onReady)
        self.settings = settings
        self.deadLetters = deadLetters
        self.board = board
        self.log = log
        consumer.open(positions)
    }

    /// Takes what is there by now.
    func readReady() {
        while let event = consumer.poll(bytesMax: 1 << 20) {
            switch event {
            case .records(let block): take(block)
            case .positionLost(let split, _): reopen(split)
            case .failed(let error) where !error.code.isPassing: log.warning("\(error)")
            default: break
            }
        }
    }

    private func take(_ block: RecordBlock) {
        var counts: [DemoBoard.Kind: Int] = [:]
        for index in 0..<block.count {
            let isLetter = block.topics[Int(block.slots[index].topic)] == deadLetters
            counts[isLetter ? .deadLetter : .output, default: 0] += 1
        }
        for (kind, count) in counts { board.add(count, kind) }
        for index in 0..<block.count {
            let isLetter = block.topics[Int(block.slots[index].topic)] == deadLetters
            let kind: DemoBoard.Kind = isLetter ? .deadLetter : .output
            guard board.wants(kind) else { continue }
            board.sample(Self.text(block, index), kind)
            if !board.wants(.output), !board.wants(.deadLetter) { break }
        }
    }

    /// `[MALFORMED_RECORD] {"user_id": …`: the cause of a dead letter stands in front.
    private static func text(_ block: RecordBlock, _ index: Int) -> String {
        let value = block.value(index).map { String(decoding: $0, as: UTF8.self) } ?? "null"
        guard let cause = block.headers(index).first(where: { $0.name == "millrace.error.code" })?.value else {
            return value
        }
        return "[\(String(decoding: cause, as: UTF8.self))] \(value)"
    }

    /// The mock cluster forgets old records: the reader goes on with the first that is left.
    private func reopen(_ split: Split) {
        do throws(KafkaError) {
            let admin = try Admin(settings, log: log)
            defer { admin.close(within: .seconds(1)) }
            consumer.open(try admin.positions([split: .earliest], within: .seconds(2)))
        } catch {
            log.warning("\(error)")
        }
    }

    func close() { consumer.close(within: .seconds(2)) }
}
