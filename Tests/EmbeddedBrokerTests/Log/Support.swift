import EmbeddedBroker

/// Bytes from hexadecimal text.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { UInt8($0 > 0x60 ? $0 - 0x57 : $0 - 0x30) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func text(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

/// A batch of records with these values, all with one key.
func batch(
    _ values: String..., key: String? = "k", timestamp: Int64 = 1_000, producerId: Int64 = -1, epoch: Int16 = -1,
    sequence: Int32 = -1, isTransactional: Bool = false
) -> [UInt8] {
    var builder = RecordBatchBuilder(
        producerId: producerId, producerEpoch: epoch, baseSequence: sequence, isTransactional: isTransactional)
    for value in values { builder.add(key: key.map(text), value: text(value), timestamp: timestamp) }
    return builder.build()
}

/// The same batch with other header fields and a sound checksum.
func changed(_ batch: [UInt8], _ change: (inout RecordBatchHeader) -> Void) throws -> [UInt8] {
    var header = try RecordBatchHeader(batch[...])
    change(&header)
    return header.batch(records: batch[RecordBatchHeader.size...])
}

/// Numbers that are the same for each run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// The values that a reader of this isolation gets, read in small pieces as Kafka's consumer does: it drops records
/// of producers that are in the aborted list until it meets their abort marker.
func values(of log: PartitionLog, from start: Int64, isolation: Isolation, bytesMax: Int = 300) throws -> [LogRecord] {
    var offset = start
    var seen: [LogRecord] = []
    while true {
        let read = try log.read(from: offset, bytesMax: bytesMax, isolation: isolation)
        guard !read.records.isEmpty else { return seen }
        var waiting = read.aborted.sorted { $0.firstOffset < $1.firstOffset }[...]
        var abortedProducers: Set<Int64> = []
        var rest = read.records[...]
        while !rest.isEmpty {
            let header = try RecordBatchHeader(checked: rest)
            let batch = rest.prefix(header.byteCount)
            rest = rest.dropFirst(header.byteCount)
            while let next = waiting.first, next.firstOffset <= header.lastOffset {
                abortedProducers.insert(next.producerId)
                waiting = waiting.dropFirst()
            }
            if header.isControl {
                if header.count > 0, let marker = try TransactionMarker(batch: batch), marker.result == .abort {
                    abortedProducers.remove(header.producerId)
                }
            } else if !header.isTransactional || !abortedProducers.contains(header.producerId) {
                seen += try LogRecord.records(of: batch).filter { $0.offset >= offset }
            }
            if header.nextOffset > read.nextOffset { return [] }
        }
        offset = read.nextOffset
    }
}
