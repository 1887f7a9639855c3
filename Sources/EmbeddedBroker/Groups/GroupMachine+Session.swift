extension GroupMachine {
    /// A member asks for its assignment; the leader brings everybody's.
    package mutating func sync(_ request: SyncRequest, token: RequestToken, now: Int64) -> [GroupEffect] {
        do throws(CoordinationError) {
            try check(request)
        } catch {
            return [.synced(token, SyncAnswer(error: error))]
        }
        receivedSync(request.memberId)
        guard var member = members[request.memberId] else { return [] }
        if state == .stable {
            restartSession(request.memberId, now: now)
            return [.synced(token, syncAnswer(member))]
        }
        if let earlier = member.sync?.token { emit(.synced(earlier, SyncAnswer(error: .rebalanceInProgress))) }
        member.sync = .init(token: token)
        members[request.memberId] = member
        if leader == request.memberId {
            members.updateEach { $0.assignment = request.assignments[$0.memberId] ?? [] }
            enter(.stable, now: now)
            emit(.store(GroupRecord(groupId: groupId, value: snapshot())))
            answerSyncs(error: nil, now)
        }
        return takeEffects()
    }

    private func check(_ request: SyncRequest) throws(CoordinationError) {
        if state == .dead { throw .coordinatorNotAvailable }
        try validate(request.memberId, instanceId: request.instanceId)
        guard request.generation == generation else { throw .illegalGeneration }
        guard request.protocolType == nil || request.protocolType == protocolType,
            request.protocolName == nil || request.protocolName == protocolName
        else { throw .inconsistentGroupProtocol }
        if state == .empty { throw .unknownMemberId }
        if state == .preparingRebalance { throw .rebalanceInProgress }
    }

    private mutating func receivedSync(_ memberId: String) {
        pendingSync.remove(memberId)
        if pendingSync.isEmpty { syncDeadline = nil }
    }

    /// A member says that it lives. REBALANCE_IN_PROGRESS tells it to join again.
    package mutating func heartbeat(
        memberId: String, instanceId: String? = nil, generation: Int32, now: Int64
    ) -> CoordinationError? {
        if state == .dead { return .coordinatorNotAvailable }
        do throws(CoordinationError) {
            try validate(memberId, instanceId: instanceId)
        } catch {
            return error
        }
        guard generation == self.generation else { return .illegalGeneration }
        guard state != .empty else { return .unknownMemberId }
        restartSession(memberId, now: now)
        return state == .preparingRebalance ? .rebalanceInProgress : nil
    }

    /// Members leave; one error each. In the dead state all are told so.
    package mutating func leave(
        _ leaving: [LeavingMember], now: Int64
    ) -> (errors: [CoordinationError?], effects: [GroupEffect]) {
        if state == .dead { return (leaving.map { _ in .coordinatorNotAvailable }, []) }
        var left: [String] = []
        var errors: [CoordinationError?] = []
        var pendingLeft = false
        for member in leaving {
            if member.memberId.isEmpty {
                let registered = member.instanceId.flatMap { members.memberId(ofInstance: $0) }
                if let registered { left.append(registered) }
                errors.append(registered == nil ? .unknownMemberId : nil)
            } else if pendingMembers.removeValue(forKey: member.memberId) != nil {
                pendingLeft = true
                errors.append(nil)
            } else {
                do throws(CoordinationError) {
                    try validate(member.memberId, instanceId: member.instanceId)
                    left.append(member.memberId)
                    errors.append(nil)
                } catch {
                    errors.append(error)
                }
            }
        }
        if !left.isEmpty {
            removeMembers(left, now: now)
        } else if pendingLeft {
            completeJoinIfAllAreThere(now)
        }
        return (errors, takeEffects())
    }

    /// Whether offsets may be committed, and with them the session goes on. A transaction's commit (KIP-447) may name
    /// no member at all; any other that does not is for groups without members.
    package mutating func admitCommit(
        memberId: String, instanceId: String? = nil, generation: Int32, isTransactional: Bool = false, now: Int64
    ) throws(CoordinationError) {
        if state == .dead { throw .coordinatorNotAvailable }
        if generation < 0 && state == .empty { return }
        if generation >= 0 || !memberId.isEmpty || instanceId != nil {
            try validate(memberId, instanceId: instanceId)
            guard generation == self.generation else { throw .illegalGeneration }
        } else if !isTransactional {
            throw .unknownMemberId
        }
        if isTransactional { return }
        if state == .completingRebalance { throw .rebalanceInProgress }
        restartSession(memberId, now: now)
    }

    /// A request's client is gone: its answer need not be sent any more. The member stays until its session ends.
    package mutating func drop(_ token: RequestToken) {
        members.updateEach {
            if $0.join?.token == token { $0.join = .init(token: nil) }
            if $0.sync?.token == token { $0.sync = .init(token: nil) }
        }
    }

    // MARK: - Time

    /// Does what is due: sessions that ended, joins and syncs that took too long.
    package mutating func advance(now: Int64) -> [GroupEffect] {
        guard state != .dead else { return [] }
        let pending = pendingMembers.count
        pendingMembers = pendingMembers.filter { $0.value > now }
        endSessions(now)
        if pendingMembers.count != pending { completeJoinIfAllAreThere(now) }
        if let deadline = syncDeadline, deadline <= now {
            syncDeadline = nil
            let late = pendingSync.sorted()
            if !late.isEmpty { removeMembers(late, now: now) }
        }
        if let deadline = joinDeadline, deadline <= now {
            if initialDelay != nil { advanceInitialDelay(now) } else { completeJoin(now) }
        }
        return takeEffects()
    }

    private mutating func endSessions(_ now: Int64) {
        var ended: [String] = []
        members.updateEach {
            guard let deadline = $0.deadline, deadline <= now else { return }
            if !$0.isNew && ($0.join != nil || $0.sync != nil) {
                // It waits for the group, not the group for it; the answer starts the session again.
                $0.deadline = nil
            } else {
                ended.append($0.memberId)
            }
        }
        if !ended.isEmpty { removeMembers(ended, now: now) }
    }
}
