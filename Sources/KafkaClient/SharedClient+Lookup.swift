import CRDKafka
import StreamCore

// Questions to the cluster. Each blocks up to its time-out: only on a helper's or a committer's thread.

extension Duration {
    /// For librdkafka: at least 1 ms, because 0 and -1 mean something else there.
    var cMilliseconds: Int32 { Int32(clamping: max(1, nanoseconds / 1_000_000)) }
}

/// Topics as the cluster describes them.
struct TopicMetadata: Sendable {
    var name: TopicName
    var partitionCount: Int
    var error: KafkaError.Code?
}

extension SharedClient {
    /// Special instants of ListOffsets.
    static var latest: Int64 { -1 }
    static var earliest: Int64 { -2 }

    /// The first offset at or after an instant (milliseconds), or of `earliest` or `latest`; the end where nothing is
    /// later.
    ///
    /// For a read_committed client the end is the last stable offset: librdkafka sends its isolation level along.
    func offsets(at instants: [Split: Int64], within: Duration) throws(KafkaError) -> [Split: Position] {
        guard !instants.isEmpty else { return [:] }
        var found: [Split: Position] = [:]
        var behindEnd: [Split: Int64] = [:]
        let list = TopicPartitionList(capacity: instants.count)
        for (split, instant) in instants { list.add(split, offset: instant) }
        let code = try unsafe use { client throws(KafkaError) in
            unsafe list.withRaw { unsafe rd_kafka_offsets_for_times(client, $0, within.cMilliseconds) }
        }
        try KafkaError.check(code, "Could not look up offsets of \(Self.names(instants.keys))")
        try list.forEachElement { split, offset, error throws(KafkaError) in
            if let error { throw KafkaError(error.raw, "Could not look up the offsets of \(Self.name(split))") }
            if offset >= 0 { found[split] = Position(offset) } else { behindEnd[split] = Self.latest }
        }
        guard !behindEnd.isEmpty, behindEnd != instants else { return found }
        return try found.merging(offsets(at: behindEnd, within: within)) { $1 }
    }

    /// As above, the same instant for all.
    func offsets(
        of splits: some Collection<Split>, at instant: Int64, within: Duration
    ) throws(KafkaError) -> [Split: Position] {
        try offsets(at: Dictionary(uniqueKeysWithValues: splits.map { ($0, instant) }), within: within)
    }

    /// First offset and end of a split; the end is the last stable offset for a read_committed client.
    func watermarks(_ split: Split, within: Duration) throws(KafkaError) -> (low: Position, high: Position) {
        var low: Int64 = -1
        var high: Int64 = -1
        let code = try unsafe use { client throws(KafkaError) in
            unsafe rd_kafka_query_watermark_offsets(
                client, split.topic.text, split.partition.number, &low, &high, within.cMilliseconds)
        }
        try KafkaError.check(code, "Could not look up the ends of topic \(split.topic) partition \(split.partition)")
        return (Position(low), Position(high))
    }

    /// Positions that the group has committed; splits without one are missing in the result.
    ///
    /// A read_committed client asks for stable offsets: the answer waits out transactions that are still pending.
    func committed(_ splits: some Collection<Split>, within: Duration) throws(KafkaError) -> [Split: Position] {
        guard !splits.isEmpty else { return [:] }
        let list = TopicPartitionList(splits)
        let code = try unsafe use { client throws(KafkaError) in
            unsafe list.withRaw { unsafe rd_kafka_committed(client, $0, within.cMilliseconds) }
        }
        try KafkaError.check(code, "Could not read the committed offsets of \(Self.names(splits))")
        var found: [Split: Position] = [:]
        try list.forEachElement { split, offset, error throws(KafkaError) in
            if let error { throw KafkaError(error.raw, "Could not read the committed offset of \(Self.name(split))") }
            if offset >= 0 { found[split] = Position(offset) }
        }
        return found
    }

    /// Commits positions with the group's present generation, outside of any transaction, and waits for the answer.
    func commit(_ positions: [Split: Position], within: Duration) throws(KafkaError) {
        guard !positions.isEmpty else { return }
        let list = TopicPartitionList(positions)
        let outcome = CommitOutcome()
        try unsafe use { client throws(KafkaError) in
            let queue = unsafe QueueHandle(adopting: rd_kafka_queue_new(client))
            let code = unsafe list.withRaw { list in
                unsafe queue.withRaw { queue in
                    unsafe rd_kafka_commit_queue(
                        client, list, queue, commitAnswered, Unmanaged.passUnretained(outcome).toOpaque())
                }
            }
            try KafkaError.check(code, "Could not commit offsets")
            // The synchronous call has no time-out; the callback is run by this poll or, when the queue is gone, never.
            let deadline = SystemClock().now + within
            while !outcome.isAnswered {
                let left = deadline - SystemClock().now
                if left <= .zero {
                    throw KafkaError(.timedOut, "Could not commit offsets: no answer within \(within).")
                }
                _ = unsafe queue.withRaw { unsafe rd_kafka_queue_poll_callback($0, left.cMilliseconds) }
            }
        }
        if let code = outcome.code { throw KafkaError(code.raw, "Could not commit offsets") }
    }

    /// The generation that librdkafka is in now; nil where it is in none, or has just become another member.
    ///
    /// Outside of any generation a broker may take a transaction's offsets from anybody.
    func groupMetadata() throws(KafkaError) -> GroupMetadata? {
        try unsafe use { client throws(KafkaError) in
            let before = unsafe Self.memberID(client)
            guard !before.isEmpty, let raw = unsafe rd_kafka_consumer_group_metadata(client) else { return nil }
            let metadata = unsafe GroupMetadata(adopting: raw, memberID: before)
            guard unsafe Self.memberID(client) == before, metadata.generation.map({ $0 >= 0 }) ?? true else {
                return nil
            }
            return metadata
        }
    }

    private static func memberID(_ client: OpaquePointer) -> String {
        guard let raw = unsafe rd_kafka_memberid(client) else { return "" }
        defer { unsafe rd_kafka_mem_free(client, raw) }
        return unsafe String(cString: raw)
    }

    /// Describes topics, or all topics of the cluster. Topics that do not exist come with an error.
    func metadata(_ topics: [TopicName]?, within: Duration) throws(KafkaError) -> [TopicMetadata] {
        guard let topics else {
            return try unsafe use { client throws(KafkaError) in try unsafe Self.metadata(client, nil, within) }
        }
        var found: [TopicMetadata] = []
        let deadline = SystemClock().now + within
        for topic in topics {
            found += try unsafe use { client throws(KafkaError) in
                guard let handle = unsafe rd_kafka_topic_new(client, topic.text, nil) else {
                    throw KafkaError(rd_kafka_last_error(), "Could not use topic '\(topic)'")
                }
                defer { unsafe rd_kafka_topic_destroy(handle) }
                return try unsafe Self.metadata(client, handle, max(.milliseconds(1), deadline - SystemClock().now))
            }
        }
        return found
    }

    private static func metadata(
        _ client: OpaquePointer, _ topic: OpaquePointer?, _ within: Duration
    ) throws(KafkaError) -> [TopicMetadata] {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(client, topic == nil ? 1 : 0, topic, &answer, within.cMilliseconds)
        try KafkaError.check(code, "Could not read the cluster's topics")
        guard let answer = unsafe answer else { return [] }
        defer { unsafe rd_kafka_metadata_destroy(answer) }
        return unsafe (0..<Int(answer.pointee.topic_cnt)).map { index in
            let entry = unsafe answer.pointee.topics[index]
            let error = unsafe entry.err
            return unsafe TopicMetadata(
                name: TopicName(String(cString: entry.topic)), partitionCount: Int(entry.partition_cnt),
                error: error == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError.Code(error))
        }
    }

    /// What ended the client, if anything did: elsewhere librdkafka says only "fatal".
    func endingError() -> KafkaError? {
        try? unsafe use { unsafe KafkaError(endOf: $0) } ?? nil
    }

    /// The cluster's own id, equal for all its brokers.
    func clusterID(within: Duration) throws(KafkaError) -> String {
        try unsafe use { client throws(KafkaError) in
            guard let raw = unsafe rd_kafka_clusterid(client, within.cMilliseconds) else {
                throw KafkaError(.timedOut, "Could not ask the cluster for its id within \(within).")
            }
            defer { unsafe rd_kafka_mem_free(client, raw) }
            return unsafe String(cString: raw)
        }
    }

    private static func name(_ split: Split) -> String { "topic \(split.topic) partition \(split.partition)" }

    private static func names(_ splits: some Collection<Split>) -> String {
        Set(splits.map(\.topic.text)).sorted().joined(separator: ", ")
    }
}

/// A consumer's member id and generation at one moment, for a transaction's offsets.
@safe
final class GroupMetadata: Sendable {
    let memberID: String
    // Safety: librdkafka only reads it once it is made.
    nonisolated(unsafe) private let raw: OpaquePointer

    init(adopting raw: OpaquePointer, memberID: String) {
        unsafe self.raw = raw
        self.memberID = memberID
    }

    deinit { unsafe rd_kafka_consumer_group_metadata_destroy(raw) }

    /// What a member of another generation would send: for tests of fencing.
    static func imitation(group: String, generation: Int32, member: String) -> GroupMetadata {
        unsafe GroupMetadata(
            adopting: rd_kafka_consumer_group_metadata_new_with_genid(group, generation, member, nil), memberID: member)
    }

    func withRaw<R, E>(_ body: (OpaquePointer) throws(E) -> R) throws(E) -> R { try unsafe body(raw) }

    /// -1 while librdkafka is in no generation; nil where the form is another than librdkafka 2's. There is no other
    /// way to ask: "CGMDv2:", then the generation as it lies in memory.
    var generation: Int32? {
        var buffer: UnsafeMutableRawPointer?
        var size = 0
        if let error = unsafe rd_kafka_consumer_group_metadata_write(raw, &buffer, &size) {
            unsafe rd_kafka_error_destroy(error)
            return nil
        }
        defer { unsafe rd_kafka_mem_free(nil, buffer) }
        let form = Array("CGMDv2:".utf8)
        let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: size)
        guard size >= form.count + 4, unsafe bytes.prefix(form.count).elementsEqual(form) else { return nil }
        return unsafe bytes.loadUnaligned(fromByteOffset: form.count, as: Int32.self)
    }
}

/// Written by the callback on the thread that polls, and read there.
private final class CommitOutcome {
    var isAnswered = false
    var code: KafkaError.Code?
}

private func commitAnswered(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t,
    _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    guard let opaque = unsafe opaque else { return }
    // Safety: the outcome lives until the queue that runs this callback is gone.
    let outcome = unsafe Unmanaged<CommitOutcome>.fromOpaque(opaque).takeUnretainedValue()
    outcome.isAnswered = true
    if code != RD_KAFKA_RESP_ERR_NO_ERROR { outcome.code = KafkaError.Code(code) }
    guard outcome.code == nil, let list = unsafe list else { return }
    let count = unsafe Int(list.pointee.cnt)
    for index in 0..<count {
        let error = unsafe list.pointee.elems[index].err
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { outcome.code = KafkaError.Code(error) }
    }
}
