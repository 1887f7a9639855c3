import KafkaWire

/// A change of what the broker keeps; without a value the key is gone.
struct StateRecord {
    var key: StateKey
    var value: (any WireMessage)?

    init(_ key: StateKey, _ value: (any WireMessage)?) {
        self.key = key
        self.value = value
    }
}

/// The broker's own log: topics, groups, offsets, transactions and producer ids, as keys and their newest values.
///
/// There is one for all of them, so that what belongs together is appended as one batch, which a stop leaves there as
/// a whole or not at all. It is a compacted log of record batches like any other.
package struct StateLog {
    /// Clients cannot see or make a topic of this name.
    package static let name = TopicPartition("__cluster_metadata", 0)
    /// Of the records' encoding; it is in front of every key.
    private static let version: Int16 = 1
    /// A batch is well below what the log takes.
    private static let batchBytes = 1 << 20

    private let log: PartitionLog
    /// The log's size behind the last compaction.
    private var cleanBytes: Int64 = 0

    init(storage: any LogStorage) throws(StorageError) {
        var config = LogConfig()
        config.isDeleted = false
        config.isCompacted = true
        config.messageBytesMax = Int(Int32.max)
        config.deleteRetentionMs = 0
        log = try PartitionLog(storage: storage, config: config)
    }

    /// Appends records as one batch.
    func append(_ records: [StateRecord], now: Int64) throws(StorageError) {
        guard !records.isEmpty else { return }
        var builder = RecordBatchBuilder()
        for record in records {
            // A value of ours has no field that cannot be written but one that came from a frame of Kafka's, whose
            // lengths are no greater.
            let value = try record.value.map { value throws(StorageError) in try Self.bytes(value) }
            builder.add(key: try Self.bytes(record.key), value: value, timestamp: max(0, now))
        }
        do {
            _ = try log.append(builder.build()[...], at: max(0, now), origin: .coordinator)
        } catch .storage(let error) { throw error } catch {
            throw .failed("the broker's own log refused a batch: \(error)")
        }
    }

    /// A key with its value's bytes.
    struct Entry {
        var key: StateKey
        var value: [UInt8]

        func read<Value: WireMessage>(_ type: Value.Type = Value.self) throws(StorageError) -> Value {
            var reader = WireReader(value[...], version: StateLog.version, isFlexible: true)
            do { return try reader.message() } catch { throw .failed("a record of the broker's own log: \(error)") }
        }
    }

    /// The newest value of each key, in the order in which they were written.
    func load() throws(StorageError) -> [Entry] {
        var newest: [StateKey: (offset: Int64, value: [UInt8])] = [:]
        var offset = log.startOffset
        while offset < log.endOffset {
            let records: [LogRecord]
            do {
                let read = try log.read(from: offset, bytesMax: Self.batchBytes, isolation: .readUncommitted)
                records = try LogRecord.records(ofBatches: read.records[...])
                guard read.nextOffset > offset else { break }
                offset = read.nextOffset
            } catch { throw .failed("the broker's own log cannot be read: \(error)") }
            for record in records {
                guard let key = record.key else { continue }
                var reader = WireReader(key[...], version: Self.version, isFlexible: true)
                let decoded: StateKey
                do { decoded = try reader.message() } catch { throw .failed("a key of the broker's own log: \(error)") }
                newest[decoded] = record.value.map { (record.offset, $0) }
            }
        }
        return newest.sorted { $0.value.offset < $1.value.offset }.map { Entry(key: $0.key, value: $0.value.value) }
    }

    /// Compacts when what was appended is more than what there was, and more than `dirtyBytesMax`.
    /// - Throws: where the log is damaged. A disk without room, or a system without another file, costs nothing but
    ///   space: it is tried again when as much was appended.
    mutating func compactIfGrown(dirtyBytesMax: Int64, now: Int64) throws(StorageError) {
        guard log.byteCount - cleanBytes > max(dirtyBytesMax, cleanBytes) else { return }
        do throws(StorageError) {
            _ = try log.compact(now: now)
        } catch {
            if case .corrupt = error { throw error }
        }
        cleanBytes = log.byteCount
    }

    var byteCount: Int64 { log.byteCount }

    // MARK: -

    private static func bytes(_ message: any WireMessage) throws(StorageError) -> [UInt8] {
        var writer = WireWriter(version: version, isFlexible: true)
        do { try message.write(to: &writer) } catch { throw .failed("a record cannot be written: \(error)") }
        return writer.bytes
    }
}
