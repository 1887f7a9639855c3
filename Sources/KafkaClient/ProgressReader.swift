package import CommitProtocol
import FoundationEssentials
package import StreamCore

/// Progress records as JSON.
enum ProgressCoding {
    static func encode(_ record: ProgressRecord) throws(KafkaError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return [UInt8](try encoder.encode(record))
        } catch {
            throw KafkaError(
                .invalidArgument, "Could not write the progress of epoch \(record.epoch) as JSON: \(error).")
        }
    }

    static func decode(_ bytes: [UInt8], topic: TopicName) throws(KafkaError) -> ProgressRecord {
        do {
            return try JSONDecoder().decode(ProgressRecord.self, from: Data(bytes))
        } catch {
            throw KafkaError(
                .invalidArgument,
                "The newest record of topic '\(topic)' is no progress record of this or an older version.",
                remedy: "See that nothing else writes to it; to begin anew, delete it and the group's offsets.")
        }
    }
}

/// Finds a query's newest committed progress record. Blocks: only on the committer's thread, or before a query
/// has threads.
package struct ProgressReader {
    private let settings: KafkaSettings
    private let groupID: String
    private let topic: TopicName
    private let log: any LogHandler

    package init(_ settings: KafkaSettings, groupID: String, topic: TopicName, log: any LogHandler) {
        self.settings = settings
        self.groupID = groupID
        self.topic = topic
        self.log = log
    }

    /// The newest record, or nil if there is none.
    ///
    /// Reads up to the end that a read_uncommitted look shows: a transaction that a dead instance left open ends first,
    /// and nothing that it may yet commit is overlooked.
    package func newest(of query: QueryName, within: Duration) throws(KafkaError) -> ProgressRecord? {
        try newest(of: query, upTo: try visibleEnd(Split(topic, 0), within), within)
    }

    /// The newest record before the first transaction that is still open, or nil if there is none. Waits for nobody.
    package func newestBeforeOpen(of query: QueryName, within: Duration) throws(KafkaError) -> ProgressRecord? {
        try newest(of: query, upTo: nil, within)
    }

    /// - Parameter end: nil: the end of what is committed.
    private func newest(
        of query: QueryName, upTo end: Position?, _ within: Duration
    ) throws(KafkaError) -> ProgressRecord? {
        let deadline = SystemClock().now + within
        let split = Split(topic, 0)
        let signal = Monitor()
        let reader = try Consumer(settings, ConsumerOptions(groupID: groupID), log: log) {
            signal.locked { signal.broadcast() }
        }
        defer { reader.close(within: .seconds(5)) }
        let bounds = try reader.client.watermarks(split, within: within)
        let (low, end) = (bounds.low, end ?? bounds.high)
        // The newest lies near the end; compaction may take its time with the rest.
        var window: Int64 = 200
        while true {
            let from = Position(max(low.number, end.number &- window))
            let found = try read(reader, split, from, end, query, signal, deadline)
            if let found { return try ProgressCoding.decode(found, topic: topic) }
            if from <= low { return nil }
            window = min(window, .max / 20) * 20
        }
    }

    private func visibleEnd(_ split: Split, _ within: Duration) throws(KafkaError) -> Position {
        let looker = try Consumer(settings, ConsumerOptions(groupID: groupID, readsCommitted: false), log: log)
        defer { looker.close(within: .seconds(5)) }
        for found in try looker.client.metadata([topic], within: within) {
            if let error = found.error { throw KafkaError(error.raw, "Cannot read the progress in topic '\(topic)'") }
        }
        return try looker.client.watermarks(split, within: within).high
    }

    private func read(
        _ reader: Consumer, _ split: Split, _ from: Position, _ end: Position, _ query: QueryName, _ signal: Monitor,
        _ deadline: MonotonicTime
    ) throws(KafkaError) -> [UInt8]? {
        guard from < end else { return nil }
        var newest: [UInt8]?
        reader.open([split: from])
        let key = Array(query.text.utf8)
        while true {
            switch reader.poll(bytesMax: 1 << 20) {
            case .records(let block):
                for index in 0..<block.count where block.key(index) == key { newest = block.value(index) }
                // A record may be the last one of the topic, with no marker behind it.
                if let last = block.slots.last, last.offset &+ 1 >= end.number { return newest }
            case .reachedEnd(_, let position) where position >= end:
                return newest
            case .positionLost:
                throw KafkaError(.transport, "Topic '\(topic)' was cleaned while it was read.")
            case .failed(let error) where error.isFatal || error.code == .topicAuthorization:
                throw error
            case nil:
                guard SystemClock().now < deadline else {
                    throw KafkaError(
                        .timedOut,
                        "Could not read the progress in topic '\(topic)' to its end: a transaction is still open there."
                    )
                }
                signal.locked { signal.wait(until: min(deadline, SystemClock().now + .milliseconds(20))) }
            default: break
            }
        }
    }
}
