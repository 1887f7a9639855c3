import Testing

@testable import EmbeddedBroker

private let t0 = TopicPartition("t", 0)
private let t1 = TopicPartition("t", 1)
private let u0 = TopicPartition("u", 0)

private func at(_ offset: Int64, _ now: Int64 = 0) -> CommittedOffset {
    CommittedOffset(offset: offset, commitTimestampMs: now)
}

@Suite struct GroupOffsetsTests {
    @Test func theLastCommitIsFetched() {
        var offsets = GroupOffsets()
        let outcome = offsets.commit([OffsetToCommit(t0, at(5)), OffsetToCommit(t1, at(6))])
        #expect(outcome.answers.map(\.error) == [nil, nil])
        #expect(outcome.records == [.committed(t0, at(5)), .committed(t1, at(6))])
        _ = offsets.commit([OffsetToCommit(t0, at(3))])
        #expect(offsets.fetch([t0, u0]).map(\.value) == [at(3), nil])
        #expect(offsets.fetch([u0]).map(\.error) == [nil])
        #expect(offsets.fetch(nil).map(\.partition) == [t0, t1])
    }

    @Test func longMetadataIsRefusedForItsPartition() {
        var long = at(1)
        long.metadata = String(repeating: "é", count: 3)
        var offsets = GroupOffsets()
        let outcome = offsets.commit([OffsetToCommit(t0, long), OffsetToCommit(t1, at(2))], metadataMaxBytes: 5)
        #expect(outcome.answers.map(\.error) == [.offsetMetadataTooLarge, nil])
        #expect(outcome.records == [.committed(t1, at(2))])
        #expect(offsets[t0] == nil)
    }

    /// KIP-447.
    @Test func offsetsInATransactionAreSeenWhenItCommits() {
        var offsets = GroupOffsets()
        _ = offsets.commit([OffsetToCommit(t0, at(1))])
        _ = offsets.commit([OffsetToCommit(t0, at(9)), OffsetToCommit(u0, at(4))], inTransactionOf: 7)
        #expect(offsets.fetch([t0]).map(\.value) == [at(1)])
        let stable = offsets.fetch([t0, t1, u0], requireStable: true)
        #expect(stable.map(\.error) == [.unstableOffsetCommit, nil, .unstableOffsetCommit])
        #expect(stable.map(\.value) == [nil, nil, nil])
        #expect(offsets.endTransaction(producerId: 8, isCommit: true) == [])
        #expect(
            offsets.endTransaction(producerId: 7, isCommit: true) == [
                .transactionEnded(producerId: 7, isCommit: true)
            ])
        #expect(offsets.fetch([t0, u0], requireStable: true).map(\.value) == [at(9), at(4)])
        #expect(offsets.endTransaction(producerId: 7, isCommit: true) == [])
    }

    @Test func anAbortedTransactionLeavesNothing() {
        var offsets = GroupOffsets()
        _ = offsets.commit([OffsetToCommit(t0, at(9))], inTransactionOf: 7)
        _ = offsets.commit([OffsetToCommit(t0, at(8))], inTransactionOf: 6)
        _ = offsets.endTransaction(producerId: 7, isCommit: false)
        #expect(offsets.fetch([t0], requireStable: true).map(\.error) == [.unstableOffsetCommit])
        _ = offsets.endTransaction(producerId: 6, isCommit: false)
        #expect(offsets.isEmpty)
    }

    /// As in Kafka, the place in the log decides: what was written before a later commit does not replace it.
    @Test func aLaterCommitOutlivesAnOlderTransaction() {
        var offsets = GroupOffsets()
        _ = offsets.commit([OffsetToCommit(t0, at(5)), OffsetToCommit(t1, at(5))], inTransactionOf: 7)
        _ = offsets.commit([OffsetToCommit(t0, at(6))])
        _ = offsets.endTransaction(producerId: 7, isCommit: true)
        #expect(offsets.fetch([t0, t1]).map(\.value) == [at(6), at(5)])
    }

    /// KIP-496.
    @Test func offsetsOfTopicsThatAreReadAreNotDeleted() {
        var offsets = GroupOffsets()
        _ = offsets.commit([OffsetToCommit(t0, at(5)), OffsetToCommit(u0, at(5))])
        let outcome = offsets.delete([t0, u0, TopicPartition("v", 3)]) { $0 == "t" }
        #expect(outcome.answers.map(\.error) == [.groupSubscribedToTopic, nil, nil])
        #expect(outcome.records == [.removed(u0)])
        #expect(offsets.committedPartitions == [t0])
    }
}

/// KIP-211.
@Suite struct GroupOffsetExpiryTests {
    private func settings() -> GroupSettings {
        var settings = GroupSettings.immediate
        settings.offsetsRetentionMs = 1_000
        return settings
    }

    private func member(_ topics: [UInt8]) -> JoinRequest {
        var metadata: [UInt8] = [0, 0, 0, 0, 0, UInt8(topics.count)]
        for topic in topics { metadata += [0, 1, topic] }
        var request = JoinRequest(freshMemberId: "m", protocols: [MemberProtocol(name: "range", metadata: metadata)])
        request.requiresKnownMemberId = false
        return request
    }

    @Test func withoutMembersEachOffsetHasItsOwnAge() throws {
        var groups = GroupCoordinator(settings: settings())
        _ = try groups.commit(groupId: "g", [OffsetToCommit(t0, at(1, 0)), OffsetToCommit(t1, at(1, 500))], now: 0)
        var own = at(3, 0)
        own.expireTimestampMs = 5_000
        _ = try groups.commit(groupId: "g", [OffsetToCommit(u0, own)], now: 0)
        #expect(groups.expire(now: 999) == [])
        #expect(groups.expire(now: 1_000) == [.offset(groupId: "g", .removed(t0))])
        #expect(groups.expire(now: 4_999) == [.offset(groupId: "g", .removed(t1))])
        #expect(
            groups.expire(now: 5_000) == [
                .offset(groupId: "g", .removed(u0)), .group(GroupRecord(groupId: "g", value: nil)),
            ])
        #expect(groups.groupIds == [])
    }

    @Test func whatAStableGroupReadsStays() throws {
        var groups = GroupCoordinator(settings: settings())
        _ = groups.join(groupId: "g", member([0x74]), token: 1, now: 0)
        let sync = SyncRequest(memberId: "m", generation: 1, assignments: ["m": []])
        _ = groups.sync(groupId: "g", sync, token: 2, now: 0)
        let both = [OffsetToCommit(t0, at(1)), OffsetToCommit(u0, at(1))]
        _ = try groups.commit(groupId: "g", memberId: "m", generation: 1, both, now: 0)
        #expect(groups.expire(now: 999) == [])
        #expect(groups.expire(now: 1_000) == [.offset(groupId: "g", .removed(u0))])
        let deleted = try groups.deleteOffsets(groupId: "g", [t0])
        #expect(deleted.answers.map(\.error) == [.groupSubscribedToTopic])
        // Empty from 2000 on: then the rest goes, whatever its age.
        _ = groups.leave(groupId: "g", [LeavingMember(memberId: "m")], now: 2_000)
        #expect(groups.expire(now: 2_999) == [])
        #expect(groups.expire(now: 3_000).first == .offset(groupId: "g", .removed(t0)))
        #expect(groups.describe("g").state == .dead)
    }

    @Test func nothingExpiresInARebalanceOrATransaction() throws {
        var groups = GroupCoordinator(settings: settings())
        _ = try groups.commit(groupId: "g", [OffsetToCommit(t0, at(1))], now: 0)
        _ = try groups.commit(groupId: "g", inTransactionOf: 4, [OffsetToCommit(t0, at(2, 0))], now: 0)
        #expect(groups.expire(now: 9_000) == [])
        _ = groups.endTransaction(groupId: "g", producerId: 4, isCommit: false)
        _ = groups.join(groupId: "g", member([]), token: 1, now: 9_000)
        #expect(groups.describe("g").state == .completingRebalance)
        #expect(groups.expire(now: 9_000) == [])
    }
}
