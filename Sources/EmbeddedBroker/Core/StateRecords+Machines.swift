import KafkaWire

/// The machines' records as they stand in the broker's own log, and back.
extension StateOffset {
    init(_ value: CommittedOffset) {
        offset = value.offset
        leaderEpoch = value.leaderEpoch
        metadata = value.metadata
        commitTimestampMs = value.commitTimestampMs
        expireTimestampMs = value.expireTimestampMs ?? -1
    }

    var committed: CommittedOffset {
        var value = CommittedOffset(
            offset: offset, leaderEpoch: leaderEpoch, metadata: metadata, commitTimestampMs: commitTimestampMs)
        value.expireTimestampMs = expireTimestampMs < 0 ? nil : expireTimestampMs
        return value
    }
}

extension StateGroup {
    init(_ value: GroupSnapshot) {
        protocolType = value.protocolType
        generation = value.generation
        protocolName = value.protocolName
        leader = value.leader
        stateTimestampMs = value.stateTimestampMs
        members = value.members.map { member in
            Member {
                $0.memberId = member.memberId
                $0.instanceId = member.instanceId
                $0.clientId = member.clientId
                $0.clientHost = member.clientHost
                $0.rebalanceTimeoutMs = member.rebalanceTimeoutMs
                $0.sessionTimeoutMs = member.sessionTimeoutMs
                $0.subscription = member.subscription
                $0.assignment = member.assignment
            }
        }
    }

    var snapshot: GroupSnapshot {
        GroupSnapshot(
            protocolType: protocolType, generation: generation, protocolName: protocolName, leader: leader,
            stateTimestampMs: stateTimestampMs,
            members: members.map {
                GroupSnapshot.Member(
                    memberId: $0.memberId, instanceId: $0.instanceId, clientId: $0.clientId,
                    clientHost: $0.clientHost, rebalanceTimeoutMs: $0.rebalanceTimeoutMs,
                    sessionTimeoutMs: $0.sessionTimeoutMs, subscription: $0.subscription, assignment: $0.assignment)
            })
    }
}

extension StateTransaction {
    init(_ value: TransactionSnapshot) {
        state = value.state.rawValue
        producerId = value.producer.id
        producerEpoch = value.producer.epoch
        previousId = value.previous.id
        previousEpoch = value.previous.epoch
        timeoutMs = value.timeoutMs
        startTimestampMs = value.startTimestampMs
        lastUpdateTimestampMs = value.lastUpdateTimestampMs
        partitions = value.partitions.sorted().map { partition in
            Partition {
                $0.topic = partition.topic
                $0.partition = partition.partition
            }
        }
        groups = value.groups.sorted().map { groupId in Group { $0.groupId = groupId } }
    }

    /// Nil where the state is none that is known.
    var snapshot: TransactionSnapshot? {
        guard let state = TransactionState(rawValue: state) else { return nil }
        var value = TransactionSnapshot(
            producer: ProducerIdentity(id: producerId, epoch: producerEpoch), timeoutMs: timeoutMs,
            lastUpdateTimestampMs: lastUpdateTimestampMs)
        value.state = state
        value.previous = ProducerIdentity(id: previousId, epoch: previousEpoch)
        value.startTimestampMs = startTimestampMs
        value.partitions = Set(partitions.map { TopicPartition($0.topic, $0.partition) })
        value.groups = Set(groups.map(\.groupId))
        return value
    }
}
