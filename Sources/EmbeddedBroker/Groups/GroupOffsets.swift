/// A position that a group committed.
package struct CommittedOffset: Sendable, Hashable {
    package var offset: Int64
    package var leaderEpoch: Int32 = -1
    package var metadata = ""
    package var commitTimestampMs: Int64
    /// Only where a client of version 2 to 4 asked for a retention of its own.
    package var expireTimestampMs: Int64?

    package init(offset: Int64, leaderEpoch: Int32 = -1, metadata: String = "", commitTimestampMs: Int64) {
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
        self.commitTimestampMs = commitTimestampMs
    }
}

/// A change of a group's offsets that has to outlive the process.
package enum OffsetRecord: Sendable, Hashable {
    case committed(TopicPartition, CommittedOffset)
    case removed(TopicPartition)
    /// Within a producer's transaction, until it ends.
    case pending(producerId: Int64, TopicPartition, CommittedOffset)
    case pendingRemoved(producerId: Int64, TopicPartition)
    case transactionEnded(producerId: Int64, isCommit: Bool)
}

package struct OffsetToCommit: Sendable, Hashable {
    package var partition: TopicPartition
    package var value: CommittedOffset

    package init(_ partition: TopicPartition, _ value: CommittedOffset) {
        self.partition = partition
        self.value = value
    }
}

/// What a commit or a deletion came to, partition by partition.
package struct OffsetOutcome: Sendable, Hashable {
    package struct Answer: Sendable, Hashable {
        package var partition: TopicPartition
        package var error: CoordinationError?
    }

    package var answers: [Answer] = []
    package var records: [OffsetRecord] = []

    mutating func add(_ partition: TopicPartition, _ error: CoordinationError?) {
        answers.append(Answer(partition: partition, error: error))
    }
}

/// One group's committed offsets, and those in transactions that are not over (KIP-98, KIP-447).
///
/// Every change is made by applying a record, so the records in their order make the same offsets again.
package struct GroupOffsets: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var value: CommittedOffset
        /// Where in the order of records it came: a transaction's end does not bring back what is older.
        var order: Int
    }

    private var committed: [TopicPartition: Entry] = [:]
    private var pending: [Int64: [TopicPartition: Entry]] = [:]
    private var order = 0

    package init() {}

    package var isEmpty: Bool { committed.isEmpty && pending.isEmpty }
    package var committedPartitions: [TopicPartition] { committed.keys.sorted() }
    package var pendingProducers: [Int64] { pending.keys.sorted() }
    package func pendingPartitions(of producerId: Int64) -> [TopicPartition] {
        pending[producerId].map { $0.keys.sorted() } ?? []
    }

    package subscript(partition: TopicPartition) -> CommittedOffset? { committed[partition]?.value }

    package func hasPending(_ partition: TopicPartition) -> Bool {
        pending.values.contains { $0[partition] != nil }
    }

    // MARK: - Records

    package mutating func apply(_ record: OffsetRecord) {
        order &+= 1
        switch record {
        case .committed(let partition, let value): committed[partition] = Entry(value: value, order: order)
        case .removed(let partition):
            committed[partition] = nil
        case .pending(let producerId, let partition, let value):
            pending[producerId, default: [:]][partition] = Entry(value: value, order: order)
        case .pendingRemoved(let producerId, let partition):
            pending[producerId]?[partition] = nil
            if pending[producerId]?.isEmpty == true { pending[producerId] = nil }
        case .transactionEnded(let producerId, let isCommit):
            guard let ended = pending.removeValue(forKey: producerId), isCommit else { return }
            for (partition, entry) in ended where entry.order > committed[partition]?.order ?? 0 {
                committed[partition] = entry
            }
        }
    }

    // MARK: - Requests

    /// Keeps offsets; whether the group admits them has been asked before.
    package mutating func commit(
        _ offsets: [OffsetToCommit], inTransactionOf producerId: Int64? = nil, metadataMaxBytes: Int = 4_096
    ) -> OffsetOutcome {
        var outcome = OffsetOutcome()
        for offset in offsets {
            guard offset.value.metadata.utf8.count <= metadataMaxBytes else {
                outcome.add(offset.partition, .offsetMetadataTooLarge)
                continue
            }
            outcome.add(offset.partition, nil)
            if let producerId {
                outcome.records.append(.pending(producerId: producerId, offset.partition, offset.value))
            } else {
                outcome.records.append(.committed(offset.partition, offset.value))
            }
        }
        for record in outcome.records { apply(record) }
        return outcome
    }

    /// A transaction that may have offsets here is over.
    package mutating func endTransaction(producerId: Int64, isCommit: Bool) -> [OffsetRecord] {
        guard pending[producerId] != nil else { return [] }
        let record = OffsetRecord.transactionEnded(producerId: producerId, isCommit: isCommit)
        apply(record)
        return [record]
    }

    package struct Fetched: Sendable, Hashable {
        package var partition: TopicPartition
        /// Nil where nothing is committed, which is no error.
        package var value: CommittedOffset?
        package var error: CoordinationError?
    }

    /// The offsets of the partitions, or of all that have one. `requireStable` (KIP-447) refuses what a transaction is
    /// about to change.
    package func fetch(_ partitions: [TopicPartition]?, requireStable: Bool = false) -> [Fetched] {
        (partitions ?? committedPartitions).map { partition in
            requireStable && hasPending(partition)
                ? Fetched(partition: partition, value: nil, error: .unstableOffsetCommit)
                : Fetched(partition: partition, value: committed[partition]?.value, error: nil)
        }
    }

    /// KIP-496: not those of topics that the group's members read.
    package mutating func delete(_ partitions: [TopicPartition], isSubscribed: (String) -> Bool) -> OffsetOutcome {
        var outcome = OffsetOutcome()
        for partition in partitions {
            let isInUse = isSubscribed(partition.topic)
            outcome.add(partition, isInUse ? .groupSubscribedToTopic : nil)
            if !isInUse && committed[partition] != nil {
                outcome.records.append(.removed(partition))
                apply(.removed(partition))
            }
        }
        return outcome
    }

    /// Partitions or whole groups are gone, and with them what open transactions would have committed.
    package mutating func remove(where isGone: (TopicPartition) -> Bool) -> [OffsetRecord] {
        var records: [OffsetRecord] = []
        for partition in committedPartitions where isGone(partition) {
            records.append(.removed(partition))
            apply(.removed(partition))
        }
        for producerId in pendingProducers {
            for partition in pendingPartitions(of: producerId) where isGone(partition) {
                records.append(.pendingRemoved(producerId: producerId, partition))
                apply(.pendingRemoved(producerId: producerId, partition))
            }
        }
        return records
    }
}

// MARK: - Expiry

extension GroupOffsets {
    /// Removes what was kept long enough (KIP-211): of a group without members from the time it became so, of a stable
    /// `consumer` group the topics that nobody subscribes to, of a group that only keeps offsets by their own age.
    package mutating func expire(in group: GroupMachine, now: Int64) -> [OffsetRecord] {
        let retention = group.settings.offsetsRetentionMs
        let isUnmanaged = group.protocolType == nil
        let isEmpty = group.state == .empty
        let isStable = group.state == .stable && group.subscribedTopics != nil
        guard isUnmanaged || isEmpty || isStable else { return [] }
        let kept = committed
        let unstable = pending.values.reduce(into: Set<TopicPartition>()) { $0.formUnion($1.keys) }
        return remove { partition in
            guard let value = kept[partition]?.value, !unstable.contains(partition) else { return false }
            if isStable && group.isSubscribed(to: partition.topic) { return false }
            if let expiry = value.expireTimestampMs { return expiry <= now }
            let base = isEmpty && !isUnmanaged ? group.stateTimestampMs : value.commitTimestampMs
            return time(base, plus: retention) <= now
        }
    }
}
