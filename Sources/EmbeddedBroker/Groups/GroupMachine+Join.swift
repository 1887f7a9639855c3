extension GroupMachine {
    /// A member asks to be in the next generation. The answer may wait for the others.
    package mutating func join(_ request: JoinRequest, token: RequestToken, now: Int64) -> [GroupEffect] {
        if state == .dead {
            refuse(.coordinatorNotAvailable, request.memberId, token)
        } else if !hasRoom(for: request.memberId) {
            pendingMembers[request.memberId] = nil
            if members.contains(request.memberId) { removeMembers([request.memberId], now: now) }
            refuse(.groupMaxSizeReached, "", token)
        } else if !supports(request.protocolType, request.protocols) {
            refuse(.inconsistentGroupProtocol, request.memberId, token)
        } else if request.memberId.isEmpty {
            joinAsNew(request, token, now)
        } else {
            joinAsKnown(request, token, now)
        }
        return takeEffects()
    }

    private mutating func refuse(_ error: CoordinationError, _ memberId: String, _ token: RequestToken) {
        emit(.joined(token, JoinAnswer(error: error, memberId: memberId)))
    }

    /// KIP-389. In a rebalance only those that wait for it have a place.
    private func hasRoom(for memberId: String) -> Bool {
        switch state {
        case .empty, .dead: true
        case .preparingRebalance:
            members[memberId]?.join != nil || members.all.count { $0.join != nil } < settings.maxSize
        case .completingRebalance, .stable: members.contains(memberId) || members.count < settings.maxSize
        }
    }

    private mutating func joinAsNew(_ request: JoinRequest, _ token: RequestToken, _ now: Int64) {
        if let instance = request.instanceId {
            if let old = members.memberId(ofInstance: instance) {
                replaceStatic(old, request, token, now)
            } else {
                add(request, request.freshMemberId, token, now)
            }
        } else if request.requiresKnownMemberId {
            pendingMembers[request.freshMemberId] = time(now, plus: Int64(max(1, request.sessionTimeoutMs)))
            refuse(.memberIdRequired, request.freshMemberId, token)
        } else {
            add(request, request.freshMemberId, token, now)
        }
    }

    private mutating func joinAsKnown(_ request: JoinRequest, _ token: RequestToken, _ now: Int64) {
        let memberId = request.memberId
        if pendingMembers[memberId] != nil {
            // Only dynamic members are given an id ahead.
            if request.instanceId != nil { return refuse(.unknownMemberId, memberId, token) }
            return add(request, memberId, token, now)
        }
        do throws(CoordinationError) {
            try validate(memberId, instanceId: request.instanceId)
        } catch {
            return refuse(error, memberId, token)
        }
        let isUnchanged = members[memberId]?.protocols == request.protocols
        switch state {
        case .preparingRebalance:
            update(memberId, request, token)
            prepareRebalanceOrCompleteJoin(now)
        case .completingRebalance where isUnchanged:
            // It may not have received the answer that told it of this generation.
            emit(.joined(token, joinAnswer(memberId)))
        case .stable where isUnchanged && leader != memberId:
            var answer = joinAnswer(memberId)
            answer.members = []
            emit(.joined(token, answer))
        case .completingRebalance, .stable:
            // Changed metadata, or a leader that saw a change which the members' metadata do not show.
            update(memberId, request, token)
            prepareRebalanceOrCompleteJoin(now)
        case .empty, .dead:
            refuse(.unknownMemberId, memberId, token)
        }
    }

    private mutating func add(_ request: JoinRequest, _ memberId: String, _ token: RequestToken, _ now: Int64) {
        if state == .preparingRebalance && previousState == .empty { newMemberAdded = true }
        if members.isEmpty { protocolType = request.protocolType }
        var member = GroupMember(
            memberId: memberId, instanceId: request.instanceId, clientId: request.clientId,
            clientHost: request.clientHost, rebalanceTimeoutMs: request.rebalanceTimeoutMs,
            sessionTimeoutMs: request.sessionTimeoutMs, protocols: request.protocols)
        member.isNew = true
        member.join = .init(token: token)
        member.deadline = time(now, plus: settings.newMemberJoinTimeoutMs)
        members.append(member)
        leader = leader ?? memberId
        pendingMembers[memberId] = nil
        prepareRebalanceOrCompleteJoin(now)
    }

    private mutating func update(_ memberId: String, _ request: JoinRequest, _ token: RequestToken) {
        guard var member = members[memberId] else { return }
        // A client that asks again has given its earlier request up.
        if let earlier = member.join?.token { refuse(.rebalanceInProgress, memberId, earlier) }
        member.protocols = request.protocols
        member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
        member.sessionTimeoutMs = request.sessionTimeoutMs
        member.join = .init(token: token)
        members[memberId] = member
    }

    /// A static member came back without its id (KIP-345): it takes its own place under a new one, and whoever still
    /// goes by the old id is fenced.
    private mutating func replaceStatic(
        _ oldId: String, _ request: JoinRequest, _ token: RequestToken, _ now: Int64
    ) {
        guard var member = members[oldId] else { return }
        let newId = request.freshMemberId
        if let waiting = member.join?.token { refuse(.fencedInstanceId, oldId, waiting) }
        if let waiting = member.sync?.token { emit(.synced(waiting, SyncAnswer(error: .fencedInstanceId))) }
        member.memberId = newId
        member.join = nil
        member.sync = nil
        members.replace(oldId, with: member)
        if pendingSync.remove(oldId) != nil { pendingSync.insert(newId) }
        let oldLeader = leader
        if leader == oldId { leader = newId }
        update(newId, request, token)
        restartSession(newId, now: now)
        switch state {
        case .stable where selectProtocol() == protocolName:
            keepGeneration(newId, oldLeader, request, token)
        case .stable, .completingRebalance:
            // Before the assignment came, the leader may have the old id in it.
            prepareRebalanceOrCompleteJoin(now)
        case .preparingRebalance, .empty, .dead:
            completeJoinIfAllAreThere(now)
        }
    }

    /// The chosen protocol stays, so the generation and the assignments do.
    private mutating func keepGeneration(
        _ memberId: String, _ oldLeader: String?, _ request: JoinRequest, _ token: RequestToken
    ) {
        members[memberId]?.join = nil
        subscribedTopics = computeSubscribedTopics()
        emit(.store(GroupRecord(groupId: groupId, value: snapshot())))
        var answer = joinAnswer(memberId)
        if request.supportsSkippingAssignment {
            answer.skipsAssignment = leader == memberId
        } else {
            // An older client must not take itself for the leader: nobody would be told what it assigns.
            answer.leader = oldLeader ?? ""
            answer.members = []
        }
        emit(.joined(token, answer))
    }

    /// What a member is told about the present generation.
    func joinAnswer(_ memberId: String) -> JoinAnswer {
        var answer = JoinAnswer(error: nil, memberId: memberId)
        answer.generation = generation
        answer.protocolType = protocolType
        answer.protocolName = protocolName
        answer.leader = leader ?? ""
        if leader == memberId {
            answer.members = members.all.map {
                .init(memberId: $0.memberId, instanceId: $0.instanceId, metadata: $0.metadata(for: protocolName))
            }
        }
        return answer
    }
}
