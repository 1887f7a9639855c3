public import StreamCore

/// What happens to a record that cannot be read, computed or written.
public enum ErrorPolicy: Sendable, Hashable {
    /// The query stops at it; the epoch is dropped.
    case fail
    /// It is counted and dropped.
    case skip
    /// It goes to this topic in the epoch's transaction: original key and bytes, cause and place in headers.
    case deadLetter(TopicName)

    /// Whether records must be read with their headers, because some are written again as they were.
    package var keepsHeaders: Bool {
        if case .deadLetter = self { true } else { false }
    }
}

/// Applies the error policy to the faulty records of one block.
public struct FaultHandler: Sendable {
    public let policy: ErrorPolicy
    public let query: QueryName

    public init(policy: ErrorPolicy, query: QueryName) {
        self.policy = policy
        self.query = query
    }

    /// - Parameters:
    ///   - faults: row `i` is record `i` of the block; the first fault of a record counts.
    ///   - block: the records as they were read.
    public func handle(
        _ faults: [RowFault], in block: RecordBlock, _ context: EpochContext, into output: inout TaskOutput
    ) {
        guard !faults.isEmpty else { return }
        var seen = Set<Int32>()
        let firsts = faults.filter { seen.insert($0.row).inserted }
        switch policy {
        case .fail:
            output.failure = output.failure ?? firsts.min { $0.row < $1.row }.map { error(for: $0, in: block) }
        case .skip:
            output.counts.skipped += firsts.count
        case .deadLetter(let topic):
            output.counts.deadLettered += firsts.count
            output.blocks.append(deadLetters(firsts, in: block, context, to: topic))
        }
    }

    private func error(for fault: RowFault, in block: RecordBlock) -> StreamError {
        let row = Int(fault.row)
        return StreamError(
            fault.code, "A record of '\(query)' is faulty: \(fault.message).",
            remedy: "Mend the record's producer, or set 'errors: { policy: dead-letter, topic: … }' or 'policy: skip'.",
            domain: .user, place: StreamError.Place(split: block.split(row), offset: Offset(block.slots[row].offset)))
    }

    private func deadLetters(
        _ faults: [RowFault], in block: RecordBlock, _ context: EpochContext, to topic: TopicName
    ) -> RecordBlock {
        let letters = RecordBlock(slotCapacity: faults.count, topics: [topic])
        for fault in faults {
            let row = Int(fault.row)
            let slot = block.slots[row]
            let split = block.split(row)
            // The record's own headers stay in front: a replay finds them as they were.
            let headers =
                block.headers(row) + [
                    RecordHeader("millrace.error.code", Array(fault.code.name.utf8)),
                    RecordHeader("millrace.error.message", Array(fault.message.utf8)),
                    RecordHeader("millrace.source.topic", Array(split.topic.text.utf8)),
                    RecordHeader("millrace.source.partition", Array(split.partition.description.utf8)),
                    RecordHeader("millrace.source.offset", Array(String(slot.offset).utf8)),
                    RecordHeader("millrace.query", Array(query.text.utf8)),
                    RecordHeader("millrace.epoch", Array(context.epoch.description.utf8)),
                ]
            letters.slots.append(
                RecordSlot(
                    key: letters.arena.append(slot.key, from: block.arena),
                    value: letters.arena.append(slot.value, from: block.arena),
                    headers: RecordHeaders.encode(headers, into: letters.arena), timestamp: slot.timestamp))
        }
        return letters
    }
}
