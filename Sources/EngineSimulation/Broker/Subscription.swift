import CommitProtocol
import KafkaWire
import StreamCore

/// What a member tells the group's leader of itself: the `consumer` protocol's subscription, version 2.
struct Subscription {
    var topics: [TopicName]
    var owned: Set<Split> = []
    /// In which it owned them; who has lost it owns nothing.
    var generation: Int32 = -1

    var bytes: [UInt8] {
        var bytes: [UInt8] = [0, 2]
        bytes.append(int32: Int32(topics.count))
        for topic in topics { bytes.append(text: topic.text) }
        // No user data.
        bytes.append(int32: -1)
        bytes.append(splits: owned)
        bytes.append(int32: generation)
        return bytes
    }

    init(topics: [TopicName], owned: Set<Split>, generation: Int32) {
        self.topics = topics
        self.owned = owned
        self.generation = generation
    }

    /// nil where the bytes are something else.
    init?(_ bytes: [UInt8]) {
        var reader = ProtocolReader(bytes[...])
        guard reader.int16() == 2, let count = reader.int32() else { return nil }
        topics = []
        for _ in 0..<count {
            guard let name = reader.text() else { return nil }
            topics.append(TopicName(name))
        }
        guard reader.int32() == -1, let splits = reader.splits(), let number = reader.int32() else { return nil }
        owned = splits
        generation = number
    }
}

/// What the leader gives to a member: the `consumer` protocol's assignment, version 0.
struct GroupAssignment {
    var splits: Set<Split>

    var bytes: [UInt8] {
        var bytes: [UInt8] = [0, 0]
        bytes.append(splits: splits)
        bytes.append(int32: -1)
        return bytes
    }

    init(_ splits: Set<Split>) { self.splits = splits }

    /// A member that the leader did not know of was given nothing at all.
    init(_ bytes: [UInt8]) {
        var reader = ProtocolReader(bytes[...])
        _ = reader.int16()
        splits = reader.splits() ?? []
    }
}

extension [UInt8] {
    fileprivate mutating func append(int32 value: Int32) {
        for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    fileprivate mutating func append(text: String) {
        append(UInt8(truncatingIfNeeded: text.utf8.count >> 8))
        append(UInt8(truncatingIfNeeded: text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// By topic, as the protocol has them.
    fileprivate mutating func append(splits: Set<Split>) {
        let topics = Set(splits.map(\.topic)).sorted()
        append(int32: Int32(topics.count))
        for topic in topics {
            append(text: topic.text)
            let partitions = splits.filter { $0.topic == topic }.map(\.partition.number).sorted()
            append(int32: Int32(partitions.count))
            for partition in partitions { append(int32: partition) }
        }
    }
}

private struct ProtocolReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    private mutating func number(_ count: Int) -> UInt32? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func int16() -> Int16? { number(2).map { Int16(truncatingIfNeeded: $0) } }
    mutating func int32() -> Int32? { number(4).map { Int32(bitPattern: $0) } }

    mutating func text() -> String? {
        guard let count = number(2).map({ Int($0) }), rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return String(decoding: rest.prefix(count), as: UTF8.self)
    }

    mutating func splits() -> Set<Split>? {
        guard let count = int32() else { return nil }
        var splits: Set<Split> = []
        for _ in 0..<max(0, count) {
            guard let topic = text(), let partitions = int32() else { return nil }
            for _ in 0..<max(0, partitions) {
                guard let partition = int32() else { return nil }
                splits.insert(Split(TopicName(topic), PartitionID(partition)))
            }
        }
        return splits
    }
}
