import Testing

@testable import EmbeddedBroker

@Suite struct GroupCoordinatorTests {
    private func request(_ memberId: String = "", sessionTimeoutMs: Int32 = 10_000) -> JoinRequest {
        var request = JoinRequest(
            memberId: memberId, freshMemberId: "m", protocols: [MemberProtocol(name: "range", metadata: [])])
        request.sessionTimeoutMs = sessionTimeoutMs
        request.requiresKnownMemberId = false
        return request
    }

    private func error(_ effects: [GroupEffect]) -> CoordinationError? {
        guard effects.count == 1, case .joined(_, let answer) = effects[0] else { return nil }
        return answer.error
    }

    @Test func requestsToGroupsThatAreNotThereAreRefused() {
        var groups = GroupCoordinator(settings: .immediate)
        let none = CoordinationError.unknownMemberId
        #expect(error(groups.join(groupId: "", request(), token: 1, now: 0)) == .invalidGroupId)
        #expect(error(groups.join(groupId: "g", request("x"), token: 1, now: 0)) == none)
        for timeout in [-1, 5_999, 1_800_001] as [Int32] {
            let join = request(sessionTimeoutMs: timeout)
            #expect(error(groups.join(groupId: "g", join, token: 1, now: 0)) == .invalidSessionTimeout)
        }
        #expect(groups.heartbeat(groupId: "g", memberId: "x", generation: 1, now: 0) == none)
        #expect(groups.leave(groupId: "g", [LeavingMember(memberId: "x")], now: 0).errors == [none])
        let synced = groups.sync(groupId: "g", SyncRequest(memberId: "x", generation: 1), token: 5, now: 0)
        #expect(synced == [.synced(5, SyncAnswer(error: none))])
        #expect(throws: CoordinationError.illegalGeneration) {
            _ = try groups.commit(groupId: "g", memberId: "x", generation: 1, [], now: 0)
        }
        #expect(throws: CoordinationError.illegalGeneration) {
            _ = try groups.commit(groupId: "g", memberId: "x", generation: 1, inTransactionOf: 3, [], now: 0)
        }
        #expect(throws: CoordinationError.groupIdNotFound) { _ = try groups.delete("g") }
        #expect(throws: CoordinationError.groupIdNotFound) { _ = try groups.deleteOffsets(groupId: "g", []) }
        #expect(groups.describe("g").state == .dead)
        #expect(groups.groupIds == [])
    }

    @Test func aGroupIsDeletedWhenItIsEmpty() throws {
        var groups = GroupCoordinator(settings: .immediate)
        _ = groups.join(groupId: "g", request(), token: 1, now: 0)
        #expect(throws: CoordinationError.nonEmptyGroup) { _ = try groups.delete("g") }
        _ = groups.leave(groupId: "g", [LeavingMember(memberId: "m")], now: 0)
        let offset = OffsetToCommit(TopicPartition("t", 0), CommittedOffset(offset: 1, commitTimestampMs: 0))
        _ = try groups.commit(groupId: "g", [offset], now: 0)
        _ = try groups.commit(groupId: "g", inTransactionOf: 9, [offset], now: 0)
        #expect(
            try groups.delete("g") == [
                .offset(groupId: "g", .removed(TopicPartition("t", 0))),
                .offset(groupId: "g", .pendingRemoved(producerId: 9, TopicPartition("t", 0))),
                .group(GroupRecord(groupId: "g", value: nil)),
            ])
        #expect(groups.offsets(of: "g").isEmpty)
        #expect(groups.endTransaction(groupId: "g", producerId: 9, isCommit: true) == [])
    }

    @Test func offsetsOfAForeignProtocolsGroupAreNotDeletedWhileItHasMembers() throws {
        var groups = GroupCoordinator(settings: .immediate)
        var connect = request()
        connect.protocolType = "connect"
        _ = groups.join(groupId: "g", connect, token: 1, now: 0)
        #expect(throws: CoordinationError.nonEmptyGroup) { _ = try groups.deleteOffsets(groupId: "g", []) }
    }

    @Test func deletedTopicsTakeTheirOffsetsAlong() throws {
        var groups = GroupCoordinator()
        let partitions = [TopicPartition("t", 0), TopicPartition("u", 1)]
        let offsets = partitions.map { OffsetToCommit($0, CommittedOffset(offset: 1, commitTimestampMs: 0)) }
        for groupId in ["a", "b"] { _ = try groups.commit(groupId: groupId, offsets, now: 0) }
        #expect(
            groups.removeOffsets(ofTopics: ["u"]) == [
                .offset(groupId: "a", .removed(partitions[1])), .offset(groupId: "b", .removed(partitions[1])),
            ])
        #expect(groups.offsets(of: "b").committedPartitions == [partitions[0]])
    }

    /// As Kafka does: a topic that takes the name begins without them.
    @Test func deletedTopicsTakePendingOffsetsAlong() throws {
        var groups = GroupCoordinator()
        let partitions = [TopicPartition("t", 0), TopicPartition("u", 1)]
        let offsets = partitions.map { OffsetToCommit($0, CommittedOffset(offset: 1, commitTimestampMs: 0)) }
        _ = try groups.commit(groupId: "g", inTransactionOf: 7, offsets, now: 0)
        let gone = OffsetRecord.pendingRemoved(producerId: 7, partitions[1])
        #expect(groups.removeOffsets(ofTopics: ["u"]) == [.offset(groupId: "g", gone)])
        _ = groups.endTransaction(groupId: "g", producerId: 7, isCommit: true)
        #expect(groups.offsets(of: "g").committedPartitions == [partitions[0]])
    }

    @Test func theEarliestDeadlineIsServed() {
        var groups = GroupCoordinator(settings: .immediate)
        _ = groups.join(groupId: "a", request(), token: 1, now: 0)
        _ = groups.join(groupId: "b", request(sessionTimeoutMs: 7_000), token: 2, now: 0)
        #expect(groups.nextDeadline == 7_000)
        let effects = groups.advance(now: 7_000)
        #expect(effects.count == 1)
        #expect(groups.describe("b").state == .empty)
        #expect(groups.describe("a").state == .completingRebalance)
        #expect(groups.nextDeadline == 10_000)
    }

    /// A group that comes back is Stable as it was; its members go on with what they know, and their sessions run.
    @Test func aGroupGoesOnAfterARestart() throws {
        var groups = GroupCoordinator(settings: .immediate)
        var kept = groups.join(groupId: "g", request(), token: 1, now: 0)
        let sync = SyncRequest(memberId: "m", generation: 1, assignments: ["m": [4]])
        kept += groups.sync(groupId: "g", sync, token: 2, now: 0)
        var restored = GroupCoordinator(settings: .immediate)
        for case .store(let record) in kept { restored.restore(.group(record), now: 50_000) }
        #expect(restored.heartbeat(groupId: "g", memberId: "m", generation: 1, now: 50_001) == nil)
        let again = restored.sync(groupId: "g", SyncRequest(memberId: "m", generation: 1), token: 3, now: 50_001)
        guard case .synced(3, let answer)? = again.first else { return #expect(Bool(false), "no answer") }
        #expect(answer.error == nil && answer.assignment == [4])
        #expect(restored.nextDeadline == 60_001)
        _ = restored.advance(now: 60_001)
        #expect(restored.describe("g").state == .empty)
    }
}
