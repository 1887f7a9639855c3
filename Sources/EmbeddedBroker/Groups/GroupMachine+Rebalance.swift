extension GroupMachine {
    private var rebalanceTimeoutMs: Int64 { Int64(members.all.map(\.rebalanceTimeoutMs).max() ?? 0) }
    private var haveAllJoined: Bool { pendingMembers.isEmpty && members.all.allSatisfy { $0.join != nil } }

    mutating func prepareRebalanceOrCompleteJoin(_ now: Int64) {
        switch state {
        case .stable, .completingRebalance, .empty: prepareRebalance(now)
        case .preparingRebalance: completeJoinIfAllAreThere(now)
        case .dead: break
        }
    }

    /// The first rebalance of a group that was empty waits its delay out, whoever is there.
    mutating func completeJoinIfAllAreThere(_ now: Int64) {
        if state == .preparingRebalance && previousState != .empty && haveAllJoined { completeJoin(now) }
    }

    private mutating func prepareRebalance(_ now: Int64) {
        if state == .completingRebalance {
            answerSyncs(error: .rebalanceInProgress, now)
        }
        pendingSync = []
        syncDeadline = nil
        let isFirst = state == .empty
        enter(.preparingRebalance, now: now)
        if isFirst {
            let delay = max(0, settings.initialRebalanceDelayMs)
            initialDelay = (delay, max(rebalanceTimeoutMs - delay, 0))
            newMemberAdded = false
            joinDeadline = time(now, plus: delay)
            if delay == 0 { advanceInitialDelay(now) }
        } else if haveAllJoined {
            completeJoin(now)
        } else {
            joinDeadline = time(now, plus: max(1, rebalanceTimeoutMs))
        }
    }

    /// Each time that members came while it ran, the delay is taken once more, within the rebalance time-out.
    mutating func advanceInitialDelay(_ now: Int64) {
        guard let delay = initialDelay, newMemberAdded, delay.left > 0 else { return completeJoin(now) }
        newMemberAdded = false
        let step = min(settings.initialRebalanceDelayMs, delay.left)
        initialDelay = (step, max(delay.left - delay.step, 0))
        joinDeadline = time(now, plus: max(1, step))
    }

    /// The rebalance's joining is over: those that did not come are out, the others learn of the next generation.
    mutating func completeJoin(_ now: Int64) {
        joinDeadline = nil
        initialDelay = nil
        for member in members.all where member.join == nil && member.instanceId == nil { forget(member.memberId) }
        guard members.isEmpty || electLeader() else {
            // Only static members are left and none came: their sessions decide.
            joinDeadline = time(now, plus: max(1, rebalanceTimeoutMs))
            return
        }
        beginGeneration(now)
        for member in members.all {
            if let token = member.join?.token { emit(.joined(token, joinAnswer(member.memberId))) }
            members[member.memberId]?.join = nil
            members[member.memberId]?.isNew = false
            restartSession(member.memberId, now: now)
            pendingSync.insert(member.memberId)
        }
        if !members.isEmpty { syncDeadline = time(now, plus: max(1, rebalanceTimeoutMs)) }
    }

    private mutating func beginGeneration(_ now: Int64) {
        // It comes from a file as well: it starts again where Int32 ends, as a client's -1 must not match it.
        generation = generation == .max ? 0 : generation + 1
        pendingSync = []
        protocolName = selectProtocol()
        subscribedTopics = computeSubscribedTopics()
        enter(members.isEmpty ? .empty : .completingRebalance, now: now)
        if members.isEmpty { emit(.store(GroupRecord(groupId: groupId, value: snapshot()))) }
    }

    /// The leader stays if it came; else the first that did.
    private mutating func electLeader() -> Bool {
        if let leader, members[leader]?.join != nil { return true }
        guard let joined = members.all.first(where: { $0.join != nil }) else { return false }
        leader = joined.memberId
        return true
    }

    // MARK: - Assignments and departures

    mutating func answerSyncs(error: CoordinationError?, _ now: Int64) {
        for member in members.all {
            guard let waiting = member.sync else { continue }
            if let token = waiting.token { emit(.synced(token, syncAnswer(member, error: error))) }
            members[member.memberId]?.sync = nil
            restartSession(member.memberId, now: now)
        }
    }

    func syncAnswer(_ member: GroupMember, error: CoordinationError? = nil) -> SyncAnswer {
        guard error == nil else { return SyncAnswer(error: error) }
        return SyncAnswer(
            error: nil, protocolType: protocolType, protocolName: protocolName, assignment: member.assignment)
    }

    /// Takes members out, answering what they wait for, and lets the group go on without them.
    mutating func removeMembers(_ memberIds: [String], now: Int64) {
        for memberId in memberIds { forget(memberId) }
        prepareRebalanceOrCompleteJoin(now)
    }

    private mutating func forget(_ memberId: String) {
        guard let member = members.remove(memberId) else { return }
        if let token = member.join?.token { emit(.joined(token, JoinAnswer(error: .unknownMemberId, memberId: ""))) }
        if let token = member.sync?.token { emit(.synced(token, SyncAnswer(error: .unknownMemberId))) }
        pendingSync.remove(memberId)
        if leader == memberId { leader = members.all.first?.memberId }
    }
}
