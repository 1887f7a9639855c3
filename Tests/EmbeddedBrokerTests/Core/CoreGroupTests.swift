import EmbeddedBroker
import KafkaWire
import Testing

@Suite struct CoreGroupTests {
    @Test func aMemberJoinsAndReads() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        broker.core.connected(ConnectionID(rawValue: 1), host: "/127.0.0.1")
        let member = try broker.joinAlone("g")
        #expect(member.memberID.hasPrefix("test-") && member.memberID.count == 41)
        #expect(try broker.heartbeat("g", member) == .none)
        #expect(try broker.commit("g", "t", 4, as: member) == .none)
        #expect(try broker.commit("g", "u", 4, as: member) == .unknownTopicOrPartition)
        #expect(try broker.commit("g", "t", 4) == .unknownMemberID)
        let found = try broker.committed("g", "t")
        #expect(found.committedOffset == 4 && found.metadata == "m" && found.errorCode == .none)
        #expect(try broker.committed("g", "t", partition: 5).committedOffset == -1)
        #expect(try broker.committed("other", "t").committedOffset == -1)
        let shown = try describe(broker, "g")
        #expect(shown.state == "Stable" && shown.protocolType == "consumer" && shown.protocolData == "range")
        #expect(shown.members.map(\.clientHost) == ["/127.0.0.1"] && shown.members.map(\.assignment) == [[7]])
        #expect(shown.authorizedOperations == 3_400)
        try broker.pass(10_001)
        #expect(try describe(broker, "g").state == "Empty")
        #expect(try broker.heartbeat("g", member) == .unknownMemberID)
        #expect(try describe(broker, "nobody").state == "Dead")
    }

    @Test func refusedOffsetsMakeNoGroup() throws {
        var settings = BrokerSettings()
        settings.groups.offsetMetadataMaxBytes = 0
        let broker = try TestBroker(settings)
        try broker.createTopic("t")
        #expect(try broker.commit("g", "u", 4) == .unknownTopicOrPartition)
        #expect(try broker.commit("g", "t", 4) == .offsetMetadataTooLarge)
        #expect(try describe(broker, "g").state == "Dead")
    }

    @Test func aSecondMemberMakesARebalance() throws {
        let broker = try TestBroker()
        let first = try broker.joinAlone("g")
        let named = try broker.join("g")
        #expect(named.errorCode == .memberIDRequired)
        let request = broker.joinRequest("g", named.memberID)
        let slot = try broker.send(.joinGroup, .joinGroup(request), from: 2)
        #expect(broker.answer(to: slot) == nil)
        #expect(try broker.heartbeat("g", first) == .rebalanceInProgress)
        let again = try broker.join("g", first.memberID)
        #expect(again.errorCode == .none && again.generationID == first.generationID + 1)
        #expect(again.members.count == 2)
        guard case .joinGroup(let second)? = broker.answer(to: slot) else { throw Missing() }
        #expect(second.generationID == again.generationID && second.members.isEmpty)
        // The follower waits for the leader's assignment.
        let waiting = SyncGroupRequest {
            $0.groupID = "g"
            $0.generationID = second.generationID
            $0.memberID = second.memberID
        }
        let syncSlot = try broker.send(.syncGroup, .syncGroup(waiting), from: 2)
        #expect(broker.answer(to: syncSlot) == nil)
        let synced = try broker.sync("g", again, [first.memberID: [1], second.memberID: [2]])
        #expect(synced.assignment == [1])
        guard case .syncGroup(let other)? = broker.answer(to: syncSlot) else { throw Missing() }
        #expect(other.assignment == [2])
        #expect(try leave(broker, "g", second.memberID) == [.none])
        #expect(try leave(broker, "g", "x") == [.unknownMemberID])
        #expect(try broker.heartbeat("g", again) == .rebalanceInProgress)
    }

    @Test func refusesWhatIsWrong() throws {
        let broker = try TestBroker()
        #expect(try broker.join("").errorCode == .invalidGroupID)
        #expect(try broker.join("g", "x").errorCode == .unknownMemberID)
        var request = broker.joinRequest("g")
        request.sessionTimeoutMs = 5_999
        guard case .joinGroup(let answer)? = try broker.ask(.joinGroup, .joinGroup(request)) else { throw Missing() }
        #expect(answer.errorCode == .invalidSessionTimeout)
        // Before version 4 a member is in the group at once, and every version can be answered.
        for version in APIKey.joinGroup.versions {
            #expect(
                try broker.join("g\(version)", version: version).errorCode == (version < 4 ? .none : .memberIDRequired))
        }
    }

    @Test func staticMembersKeepTheirPlace() throws {
        let broker = try TestBroker()
        let first = try broker.join("g", instance: "i")
        #expect(first.errorCode == .none && first.memberID.hasPrefix("i-"))
        _ = try broker.sync("g", first, [first.memberID: [7]])
        let again = try broker.join("g", instance: "i")
        #expect(again.errorCode == .none && again.generationID == first.generationID)
        #expect(again.memberID != first.memberID)
        let request = HeartbeatRequest {
            $0.groupID = "g"
            $0.generationID = first.generationID
            $0.memberID = first.memberID
            $0.groupInstanceID = "i"
        }
        guard case .heartbeat(let answer)? = try broker.ask(.heartbeat, .heartbeat(request)) else { throw Missing() }
        #expect(answer.errorCode == .fencedInstanceID)
    }

    @Test func listsAndDeletesGroups() throws {
        let broker = try TestBroker()
        try broker.createTopic("t")
        _ = try broker.joinAlone("g")
        #expect(try broker.commit("h", "t", 2) == .none)
        func list(_ fill: (inout ListGroupsRequest) -> Void) throws -> [String] {
            guard
                case .listGroups(let answer)? = try broker.ask(.listGroups, .listGroups(ListGroupsRequest(fill)))
            else { throw Missing() }
            return answer.groups.map { "\($0.groupID) \($0.state) \($0.type)" }
        }
        #expect(try list { _ in } == ["g Stable classic", "h Empty classic"])
        #expect(try list { $0.statesFilter = ["stable"] } == ["g Stable classic"])
        #expect(try list { $0.typesFilter = ["consumer"] }.isEmpty)
        let request = DeleteGroupsRequest { $0.groupIDs = ["g", "h", "i", ""] }
        guard case .deleteGroups(let answer)? = try broker.ask(.deleteGroups, .deleteGroups(request)) else {
            throw Missing()
        }
        #expect(answer.groups.map(\.errorCode) == [.nonEmptyGroup, .none, .groupIDNotFound, .invalidGroupID])
        try broker.restart()
        #expect(try list { _ in } == ["g Stable classic"])
        #expect(try broker.committed("h", "t").committedOffset == -1)
    }

    @Test func deletesOffsets() throws {
        let broker = try TestBroker()
        for topic in ["t", "u"] { try broker.createTopic(topic) }
        let member = try broker.joinAlone("g")
        for topic in ["t", "u"] { #expect(try broker.commit("g", topic, 3, as: member) == .none) }
        func delete(_ group: String) throws -> OffsetDeleteResponse {
            let request = OffsetDeleteRequest {
                $0.groupID = group
                $0.topics = ["t", "u", "v"].map { name in
                    OffsetDeleteRequest.Topic {
                        $0.name = name
                        $0.partitions = [OffsetDeleteRequest.Partition()]
                    }
                }
            }
            guard case .offsetDelete(let answer)? = try broker.ask(.offsetDelete, .offsetDelete(request)) else {
                throw Missing()
            }
            return answer
        }
        #expect(try delete("x").errorCode == .groupIDNotFound)
        // The member's subscription names "t".
        #expect(
            try delete("g").topics.flatMap { $0.partitions.map(\.errorCode) }
                == [.groupSubscribedToTopic, .none, .unknownTopicOrPartition])
        #expect(try broker.committed("g", "t").committedOffset == 3)
        #expect(try broker.committed("g", "u").committedOffset == -1)
    }

    @Test func oldOffsetsExpire() throws {
        var settings = BrokerSettings()
        settings.groups.offsetsRetentionMs = 50_000
        settings.offsetsCheckIntervalMs = 1_000
        let broker = try TestBroker(settings)
        try broker.createTopic("t")
        #expect(try broker.commit("g", "t", 2) == .none)
        try broker.pass(49_500)
        #expect(try broker.committed("g", "t").committedOffset == 2)
        try broker.pass(1_000)
        #expect(try broker.committed("g", "t").committedOffset == -1)
        try broker.restart()
        #expect(try describe(broker, "g").state == "Dead")
    }

    /// A group is there after a restart, and its members have a session to come back in.
    @Test func membersOutliveARestart() throws {
        let broker = try TestBroker()
        let member = try broker.joinAlone("g")
        broker.now += 60_000
        try broker.restart()
        #expect(try broker.heartbeat("g", member) == .none)
        #expect(try describe(broker, "g").members.map(\.memberID) == [member.memberID])
        try broker.restart()
        try broker.pass(10_000)
        #expect(try describe(broker, "g").state == "Empty")
    }

    private func describe(_ broker: TestBroker, _ group: String) throws -> DescribeGroupsResponse.Group {
        let request = DescribeGroupsRequest {
            $0.groups = [group]
            $0.includeAuthorizedOperations = true
        }
        guard case .describeGroups(let answer)? = try broker.ask(.describeGroups, .describeGroups(request)) else {
            throw Missing()
        }
        return try #require(answer.groups.first)
    }

    private func leave(_ broker: TestBroker, _ group: String, _ member: String) throws -> [ErrorCode] {
        let request = LeaveGroupRequest {
            $0.groupID = group
            $0.members = [LeaveGroupRequest.Member { $0.memberID = member }]
        }
        guard case .leaveGroup(let answer)? = try broker.ask(.leaveGroup, .leaveGroup(request)) else { throw Missing() }
        #expect(answer.errorCode == .none)
        return answer.members.map(\.errorCode)
    }
}
