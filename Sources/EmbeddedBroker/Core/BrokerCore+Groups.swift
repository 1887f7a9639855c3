import KafkaWire

extension BrokerCore {
    /// Keeps, and then answers, what a group has decided.
    func perform(_ effects: [GroupEffect], now: Int64) {
        for effect in effects {
            switch effect {
            case .store(let record): keep(records(.group(record)), now: now)
            case .joined(let token, let joined):
                guard let waiting = waitingMembers.removeValue(forKey: token) else { continue }
                answer(waiting.address, .joinGroup(response(joined, version: waiting.address.header.version)))
            case .synced(let token, let synced):
                guard let waiting = waitingMembers.removeValue(forKey: token) else { continue }
                answer(
                    waiting.address,
                    .syncGroup(
                        SyncGroupResponse {
                            $0.errorCode = ErrorCode(synced.error)
                            $0.protocolType = synced.protocolType
                            $0.protocolName = synced.protocolName
                            $0.assignment = synced.assignment
                        }))
            }
        }
    }

    func joinGroup(_ request: JoinGroupRequest, _ call: Call) {
        let prefix = request.groupInstanceID ?? call.clientId
        var join = JoinRequest(
            memberId: request.memberID, freshMemberId: "\(prefix)-\(WireUUID.random(random).dashed)",
            instanceId: request.groupInstanceID,
            protocols: request.protocols.map { MemberProtocol(name: $0.name, metadata: $0.metadata) })
        join.clientId = call.clientId
        join.clientHost = hosts[call.address.connection] ?? ""
        join.sessionTimeoutMs = request.sessionTimeoutMs
        join.rebalanceTimeoutMs = call.version == 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs
        join.protocolType = request.protocolType
        join.requiresKnownMemberId = call.version >= 4
        join.supportsSkippingAssignment = call.version >= 9
        let token = wait(call, request.groupID)
        perform(groups.join(groupId: request.groupID, join, token: token, now: call.now), now: call.now)
    }

    private func response(_ joined: JoinAnswer, version: Int16) -> JoinGroupResponse {
        JoinGroupResponse {
            $0.errorCode = ErrorCode(joined.error)
            $0.generationID = joined.generation
            $0.protocolType = joined.protocolType
            $0.protocolName = joined.protocolName ?? (version >= 7 ? nil : "")
            $0.leader = joined.leader
            $0.skipAssignment = joined.skipsAssignment
            $0.memberID = joined.memberId
            $0.members = joined.members.map { member in
                JoinGroupResponse.Member {
                    $0.memberID = member.memberId
                    $0.groupInstanceID = member.instanceId
                    $0.metadata = member.metadata
                }
            }
        }
    }

    func syncGroup(_ request: SyncGroupRequest, _ call: Call) {
        let sync = SyncRequest(
            memberId: request.memberID, instanceId: request.groupInstanceID, generation: request.generationID,
            protocolType: request.protocolType, protocolName: request.protocolName,
            assignments: Dictionary(request.assignments.map { ($0.memberID, $0.assignment) }) { $1 })
        let token = wait(call, request.groupID)
        perform(groups.sync(groupId: request.groupID, sync, token: token, now: call.now), now: call.now)
    }

    private func wait(_ call: Call, _ groupId: String) -> RequestToken {
        let token = nextToken()
        waitingMembers[token] = (call.address, groupId)
        return token
    }

    func heartbeat(_ request: HeartbeatRequest, _ call: Call) -> HeartbeatResponse {
        HeartbeatResponse {
            $0.errorCode = ErrorCode(
                groups.heartbeat(
                    groupId: request.groupID, memberId: request.memberID, instanceId: request.groupInstanceID,
                    generation: request.generationID, now: call.now))
        }
    }

    func leaveGroup(_ request: LeaveGroupRequest, _ call: Call) -> LeaveGroupResponse {
        guard !request.groupID.isEmpty else { return LeaveGroupResponse { $0.errorCode = .invalidGroupID } }
        let leaving =
            call.version >= 3
            ? request.members.map { LeavingMember(memberId: $0.memberID, instanceId: $0.groupInstanceID) }
            : [LeavingMember(memberId: request.memberID)]
        let (errors, effects) = groups.leave(groupId: request.groupID, leaving, now: call.now)
        perform(effects, now: call.now)
        return LeaveGroupResponse {
            guard call.version >= 3 else {
                $0.errorCode = ErrorCode(errors.first ?? nil)
                return
            }
            $0.members = zip(leaving, errors).map { member, error in
                LeaveGroupResponse.Member {
                    $0.memberID = member.memberId
                    $0.groupInstanceID = member.instanceId
                    $0.errorCode = ErrorCode(error)
                }
            }
        }
    }
}
