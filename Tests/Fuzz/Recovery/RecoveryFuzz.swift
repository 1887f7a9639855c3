import EmbeddedBroker
import KafkaWire

/// The opening of logs whose bytes were torn or changed, under libFuzzer.
///
/// An input is a byte of switches and a log's bytes: a partition's, or the broker's own. The checksums of its batches
/// are set (one of 0 is left), so that damage behind them is seen as well.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRecovery(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let switches = Switches(rawValue: first)
    let bytes = RecordRepair.repaired(input.dropFirst())
    do throws(StorageError) {
        if switches.contains(.brokersOwn) {
            try openBroker(on: bytes)
        } else {
            try openLog(bytes, switches)
        }
    } catch {
        // Only the broker's own log may be beyond reading: the broker says so and does not start.
        precondition(switches.contains(.brokersOwn), "a damaged log was not opened: \(error)")
    }
    return 0
}

private struct Switches: OptionSet {
    let rawValue: UInt8
    static let brokersOwn = Switches(rawValue: 1)
    static let isCompacted = Switches(rawValue: 2)
    static let isTrusted = Switches(rawValue: 4)
    static let isCutInFront = Switches(rawValue: 8)
}

/// Batches from where a log was cut off are not checked against the checksum where the storage says that it is whole.
private struct TornStorage: LogStorage {
    private var memory = MemoryStorage(chunkBytes: 512)
    private(set) var trustedPosition: Int64

    init(_ bytes: [UInt8], _ switches: Switches) throws(StorageError) {
        trustedPosition = switches.contains(.isTrusted) ? Int64(bytes.count) : 0
        try memory.append(bytes[...], baseOffset: 0, maxTimestamp: 0)
        if switches.contains(.isCutInFront) { try memory.truncateHead(startOffset: 3, position: 0) }
    }

    var startOffset: Int64 { memory.startOffset }
    var startPosition: Int64 { memory.startPosition }
    var endPosition: Int64 { memory.endPosition }

    mutating func append(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64) throws(StorageError) {
        try memory.append(batch, baseOffset: baseOffset, maxTimestamp: maxTimestamp)
    }

    func read(at position: Int64, count: Int) throws(StorageError) -> [UInt8] {
        try memory.read(at: position, count: count)
    }

    mutating func truncateHead(startOffset: Int64, position: Int64) throws(StorageError) {
        try memory.truncateHead(startOffset: startOffset, position: position)
        trustedPosition = max(trustedPosition, position)
    }

    mutating func truncateTail(position: Int64) throws(StorageError) {
        try memory.truncateTail(position: position)
        trustedPosition = min(trustedPosition, position)
    }

    mutating func beginReplacement(below position: Int64) throws(StorageError) {
        try memory.beginReplacement(below: position)
    }

    mutating func appendReplacement(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64)
        throws(StorageError)
    {
        try memory.appendReplacement(batch, baseOffset: baseOffset, maxTimestamp: maxTimestamp)
    }

    mutating func commitReplacement() throws(StorageError) { try memory.commitReplacement() }
    mutating func discardReplacement() { memory.discardReplacement() }
}

// MARK: - A partition's log

private func openLog(_ bytes: [UInt8], _ switches: Switches) throws(StorageError) {
    var config = LogConfig()
    config.isCompacted = switches.contains(.isCompacted)
    config.retentionBytes = 1_000
    let log = try PartitionLog(storage: TornStorage(bytes, switches), config: config)
    let kept = try log.storage.read(at: 0, count: Int(log.storage.endPosition))
    precondition(bytes.starts(with: kept), "what was kept is no prefix of what was there")
    precondition(log.startOffset <= log.lastStableOffset && log.lastStableOffset <= log.endOffset)
    checkBatches(kept, of: log, switches)
    readAll(of: log)
    use(log)
    readAll(of: log)
    let again = try PartitionLog(storage: log.storage, config: config)
    precondition(again.endOffset == log.endOffset && again.startOffset == log.startOffset, "a second opening differs")
}

/// Whole batches whose offsets follow one another, up to the log's end.
private func checkBatches(_ kept: [UInt8], of log: PartitionLog, _ switches: Switches) {
    var rest = kept[...]
    var next: Int64 = 0
    while !rest.isEmpty {
        guard let header = try? RecordBatchHeader(rest), header.byteCount <= rest.count, header.baseOffset >= next
        else { preconditionFailure("what was kept is no row of batches") }
        let isSound = (try? RecordBatchHeader(checked: rest)) != nil
        precondition(isSound || switches.contains(.isTrusted), "a damaged batch was kept")
        next = header.nextOffset
        rest = rest.dropFirst(header.byteCount)
    }
    precondition(log.endOffset == max(next, log.startOffset), "the log's end is not its last batch's")
}

/// A reader gets on from every answer, and comes to the end.
private func readAll(of log: PartitionLog) {
    for isolation in [Isolation.readUncommitted, .readCommitted] {
        var offset = log.startOffset
        while offset < log.endOffset(isolation) {
            guard let read = try? log.read(from: offset, bytesMax: 1_000, isolation: isolation) else {
                preconditionFailure("offset \(offset) cannot be read")
            }
            _ = try? LogRecord.records(ofBatches: read.records[...])
            guard read.nextOffset > offset else { break }
            offset = read.nextOffset
        }
    }
}

/// Writes, compacts and deletes as a broker would; a storage that says why not is no finding.
private func use(_ log: PartitionLog) {
    let end = log.endOffset
    var builder = RecordBatchBuilder()
    builder.add(key: [107], value: [118], timestamp: 1_000)
    if let result = try? log.append(builder.build()[...], at: 1_000) {
        precondition(result.firstOffset == end && log.endOffset == end + 1, "an appended record has a wrong offset")
    }
    for (id, entry) in log.producers.entries.sorted(by: { $0.key < $1.key }) {
        _ = try? log.appendMarker(
            .abort, producerId: id, producerEpoch: entry.epoch, coordinatorEpoch: entry.coordinatorEpoch, at: 1_000)
    }
    for now in [2_000, 200_000_000] as [Int64] { _ = try? log.compact(now: now) }
    _ = try? log.deleteRecords(before: log.startOffset + 1)
    _ = try? log.enforceRetention(now: 1 << 50)
    log.expireProducers(now: 1 << 50)
}

// MARK: - The broker's own log

private func openBroker(on bytes: [UInt8]) throws(StorageError) {
    let factory = MemoryStorageFactory(chunkBytes: 4_096)
    var own = try factory.make(StateLog.name)
    try own.append(bytes[...], baseOffset: 0, maxTimestamp: 0)
    _ = try factory.make(TopicPartition("t", 0))
    var settings = BrokerSettings()
    // A topic's record makes as many logs as it says, up to this.
    settings.partitionsMax = 16
    var number: UInt64 = 0
    for _ in 0..<2 {
        let core = try BrokerCore(settings: settings, storage: factory, nowMs: 1_000_000) {
            number += 1
            return number
        }
        core.advance(nowMs: 2_000_000)
        precondition(core.failure == nil, "the broker stopped: \(String(describing: core.failure))")
    }
}
