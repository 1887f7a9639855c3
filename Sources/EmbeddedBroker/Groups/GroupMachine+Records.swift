extension GroupMachine {
    /// The group as it is kept: what `restore` makes a group of again.
    package func snapshot() -> GroupSnapshot {
        GroupSnapshot(
            protocolType: protocolType, generation: generation, protocolName: protocolName, leader: leader,
            stateTimestampMs: stateTimestampMs,
            members: members.all.map {
                .init(
                    memberId: $0.memberId, instanceId: $0.instanceId, clientId: $0.clientId,
                    clientHost: $0.clientHost, rebalanceTimeoutMs: $0.rebalanceTimeoutMs,
                    sessionTimeoutMs: $0.sessionTimeoutMs, subscription: $0.metadata(for: protocolName),
                    assignment: $0.assignment)
            })
    }

    /// A group from its last record: Stable with members, whose sessions start anew, else Empty.
    package init(groupId: String, settings: GroupSettings, restoring value: GroupSnapshot, now: Int64) {
        self.init(groupId: groupId, settings: settings, now: now)
        generation = max(0, value.generation)
        protocolType = value.protocolType
        protocolName = value.protocolName
        for kept in value.members where !members.contains(kept.memberId) {
            var member = GroupMember(
                memberId: kept.memberId, instanceId: kept.instanceId, clientId: kept.clientId,
                clientHost: kept.clientHost, rebalanceTimeoutMs: kept.rebalanceTimeoutMs,
                sessionTimeoutMs: kept.sessionTimeoutMs,
                protocols: value.protocolName.map { [MemberProtocol(name: $0, metadata: kept.subscription)] } ?? [])
            member.assignment = kept.assignment
            members.append(member)
            restartSession(kept.memberId, now: now)
        }
        let keptLeader = value.leader.flatMap { members.contains($0) ? $0 : nil }
        leader = keptLeader ?? members.all.first?.memberId
        state = members.isEmpty ? .empty : .stable
        previousState = state
        stateTimestampMs = value.stateTimestampMs
        subscribedTopics = computeSubscribedTopics()
    }

    /// The group is no more: whoever waits is told, and nobody can join it. The tombstone ends its records.
    package mutating func die(now: Int64) -> [GroupEffect] {
        guard state != .dead else { return [] }
        emit(.store(GroupRecord(groupId: groupId, value: nil)))
        for member in members.all {
            if let token = member.join?.token {
                emit(.joined(token, JoinAnswer(error: .coordinatorNotAvailable, memberId: member.memberId)))
            }
            if let token = member.sync?.token { emit(.synced(token, SyncAnswer(error: .coordinatorNotAvailable))) }
        }
        members = MemberTable()
        pendingMembers = [:]
        pendingSync = []
        joinDeadline = nil
        syncDeadline = nil
        enter(.dead, now: now)
        return takeEffects()
    }
}

/// What DescribeGroups shows of a group.
package struct GroupDescription: Sendable, Hashable {
    package var groupId: String
    package var state: GroupState
    package var protocolType: String
    package var protocolName: String
    package var members: [GroupSnapshot.Member]
}

extension GroupMachine {
    /// As Kafka shows it: protocol, metadata and assignments only while the group is stable.
    package var description: GroupDescription {
        let isStable = state == .stable
        var members = snapshot().members
        if !isStable {
            for place in members.indices {
                members[place].subscription = []
                members[place].assignment = []
            }
        }
        return GroupDescription(
            groupId: groupId, state: state, protocolType: protocolType ?? "",
            protocolName: isStable ? protocolName ?? "" : "", members: members)
    }
}
