/// A change of one group, of either kind.
package enum CoordinatorRecord: Sendable, Hashable {
    case group(GroupRecord)
    case offset(groupId: String, OffsetRecord)
}

/// All groups of a broker.
package struct GroupCoordinator: Sendable {
    package let settings: GroupSettings
    private var machines: [String: GroupMachine] = [:]
    private var offsets: [String: GroupOffsets] = [:]

    package init(settings: GroupSettings = GroupSettings()) {
        self.settings = settings
    }

    package var groupIds: [String] { machines.keys.sorted() }
    package func machine(_ groupId: String) -> GroupMachine? { machines[groupId] }
    package func offsets(of groupId: String) -> GroupOffsets { offsets[groupId] ?? GroupOffsets() }

    /// The earliest of the groups' deadlines. Expiry of offsets has none: it is gone over now and then.
    package var nextDeadline: Int64? { machines.values.compactMap(\.nextDeadline).min() }

    package mutating func advance(now: Int64) -> [GroupEffect] {
        groupIds.flatMap { machines[$0]?.advance(now: now) ?? [] }
    }

    package mutating func drop(_ token: RequestToken, groupId: String) { machines[groupId]?.drop(token) }

    // MARK: - Membership

    package mutating func join(
        groupId: String, _ request: JoinRequest, token: RequestToken, now: Int64
    ) -> [GroupEffect] {
        func refusal(_ error: CoordinationError) -> [GroupEffect] {
            [.joined(token, JoinAnswer(error: error, memberId: request.memberId))]
        }
        guard !groupId.isEmpty else { return refusal(.invalidGroupId) }
        guard request.sessionTimeoutMs >= settings.minSessionTimeoutMs,
            request.sessionTimeoutMs <= settings.maxSessionTimeoutMs
        else { return refusal(.invalidSessionTimeout) }
        if machines[groupId] == nil {
            // Only a member without an id makes a group.
            guard request.memberId.isEmpty else { return refusal(.unknownMemberId) }
            machines[groupId] = GroupMachine(groupId: groupId, settings: settings, now: now)
        }
        return machines[groupId]?.join(request, token: token, now: now) ?? []
    }

    package mutating func sync(
        groupId: String, _ request: SyncRequest, token: RequestToken, now: Int64
    ) -> [GroupEffect] {
        let error: CoordinationError = groupId.isEmpty ? .invalidGroupId : .unknownMemberId
        return machines[groupId]?.sync(request, token: token, now: now)
            ?? [.synced(token, SyncAnswer(error: error))]
    }

    package mutating func heartbeat(
        groupId: String, memberId: String, instanceId: String? = nil, generation: Int32, now: Int64
    ) -> CoordinationError? {
        guard machines[groupId] != nil else { return groupId.isEmpty ? .invalidGroupId : .unknownMemberId }
        return machines[groupId]?
            .heartbeat(memberId: memberId, instanceId: instanceId, generation: generation, now: now)
    }

    package mutating func leave(
        groupId: String, _ leaving: [LeavingMember], now: Int64
    ) -> (errors: [CoordinationError?], effects: [GroupEffect]) {
        let error: CoordinationError = groupId.isEmpty ? .invalidGroupId : .unknownMemberId
        return machines[groupId]?.leave(leaving, now: now) ?? (leaving.map { _ in error }, [])
    }

    // MARK: - Offsets

    /// Throws what holds for the whole request.
    package mutating func commit(
        groupId: String, memberId: String = "", instanceId: String? = nil, generation: Int32 = -1,
        inTransactionOf producerId: Int64? = nil, _ committing: [OffsetToCommit], now: Int64
    ) throws(CoordinationError) -> OffsetOutcome {
        let isNew = machines[groupId] == nil
        if isNew {
            // A group that is there only for its offsets.
            guard generation < 0 else { throw .illegalGeneration }
            machines[groupId] = GroupMachine(groupId: groupId, settings: settings, now: now)
        }
        defer {
            if isNew, offsets[groupId]?.isEmpty ?? true {
                machines[groupId] = nil
                offsets[groupId] = nil
            }
        }
        try machines[groupId]?
            .admitCommit(
                memberId: memberId, instanceId: instanceId, generation: generation,
                isTransactional: producerId != nil, now: now)
        return offsets[groupId, default: GroupOffsets()]
            .commit(committing, inTransactionOf: producerId, metadataMaxBytes: settings.offsetMetadataMaxBytes)
    }

    /// The marker of a transaction reached the group's offsets.
    package mutating func endTransaction(groupId: String, producerId: Int64, isCommit: Bool) -> [OffsetRecord] {
        offsets[groupId]?.endTransaction(producerId: producerId, isCommit: isCommit) ?? []
    }

    package mutating func deleteOffsets(
        groupId: String, _ partitions: [TopicPartition]
    ) throws(CoordinationError) -> OffsetOutcome {
        guard let machine = machines[groupId] else { throw .groupIdNotFound }
        guard machine.state == .empty || machine.usesConsumerProtocol else { throw .nonEmptyGroup }
        return offsets[groupId, default: GroupOffsets()].delete(partitions) { machine.isSubscribed(to: $0) }
    }

    /// Topics were deleted, and the offsets in them with them.
    package mutating func removeOffsets(ofTopics topics: Set<String>) -> [CoordinatorRecord] {
        offsets.keys.sorted().flatMap { groupId in
            (offsets[groupId]?.remove { topics.contains($0.topic) } ?? [])
                .map { .offset(groupId: groupId, $0) }
        }
    }

    /// Removes offsets that were kept long enough, and groups that have neither members nor offsets.
    package mutating func expire(now: Int64) -> [CoordinatorRecord] {
        var records: [CoordinatorRecord] = []
        for groupId in groupIds {
            guard let machine = machines[groupId] else { continue }
            records += (offsets[groupId]?.expire(in: machine, now: now) ?? []).map { .offset(groupId: groupId, $0) }
            guard offsets[groupId]?.isEmpty ?? true else { continue }
            offsets[groupId] = nil
            guard machine.state == .empty && machine.pendingMembers.isEmpty else { continue }
            machines[groupId] = nil
            records.append(.group(GroupRecord(groupId: groupId, value: nil)))
        }
        return records
    }

    // MARK: - Administration

    package func describe(_ groupId: String) -> GroupDescription {
        machines[groupId]?.description
            ?? GroupDescription(groupId: groupId, state: .dead, protocolType: "", protocolName: "", members: [])
    }

    /// Deletes a group without members, its offsets with it.
    package mutating func delete(_ groupId: String) throws(CoordinationError) -> [CoordinatorRecord] {
        guard let machine = machines[groupId] else { throw .groupIdNotFound }
        guard machine.state == .empty else { throw .nonEmptyGroup }
        // Offsets in open transactions go too: their end finds nothing.
        let removed = offsets[groupId]?.remove { _ in true } ?? []
        machines[groupId] = nil
        offsets[groupId] = nil
        return removed.map { .offset(groupId: groupId, $0) }
            + [.group(GroupRecord(groupId: groupId, value: nil))]
    }

    // MARK: - Restoring

    /// Applies a record that was kept. Groups that only have offsets come from those.
    package mutating func restore(_ record: CoordinatorRecord, now: Int64) {
        switch record {
        case .group(let group):
            machines[group.groupId] = group.value.map {
                GroupMachine(groupId: group.groupId, settings: settings, restoring: $0, now: now)
            }
            if group.value == nil { offsets[group.groupId] = nil }
        case .offset(let groupId, let offset):
            offsets[groupId, default: GroupOffsets()].apply(offset)
            if machines[groupId] == nil {
                machines[groupId] = GroupMachine(groupId: groupId, settings: settings, now: now)
            }
        }
    }
}
