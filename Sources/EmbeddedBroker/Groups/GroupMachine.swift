/// The states of a group of the classic protocol, with the names that administrators read.
package enum GroupState: String, Sendable, CaseIterable {
    case empty = "Empty"
    case preparingRebalance = "PreparingRebalance"
    case completingRebalance = "CompletingRebalance"
    case stable = "Stable"
    case dead = "Dead"
}

/// One consumer group of the classic protocol: who is in it, and the rebalances.
///
/// It follows Kafka 4's `ClassicGroup` and what `GroupMetadataManager` does with it. Requests come in with `now` and,
/// where the answer may have to wait, with a token; what is to be done comes out as effects in their order. `advance`
/// is to be called when `nextDeadline` has come. How partitions are assigned is the members' affair, so eager and
/// cooperative rebalances look the same here.
package struct GroupMachine: Sendable {
    package let groupId: String
    package let settings: GroupSettings
    package internal(set) var state = GroupState.empty
    package internal(set) var generation: Int32 = 0
    package internal(set) var protocolType: String?
    package internal(set) var protocolName: String?
    package internal(set) var leader: String?
    /// When the group came into its state.
    package internal(set) var stateTimestampMs: Int64
    /// The topics of all members of a `consumer` group; nil where they are not known.
    package internal(set) var subscribedTopics: Set<String>?

    var previousState = GroupState.empty
    var members = MemberTable()
    /// Dynamic members that were given an id and have not come back with it, and when they are forgotten.
    var pendingMembers: [String: Int64] = [:]
    /// Members that were told of the generation and have not asked for their assignment.
    var pendingSync: Set<String> = []
    var syncDeadline: Int64?
    var joinDeadline: Int64?
    /// What is left of the time by which members that come late may put the first rebalance off.
    var initialDelay: (step: Int64, left: Int64)?
    var newMemberAdded = false
    private var effects: [GroupEffect] = []

    package init(groupId: String, settings: GroupSettings = GroupSettings(), now: Int64) {
        self.groupId = groupId
        self.settings = settings
        stateTimestampMs = now
    }

    package var memberCount: Int { members.count }
    package var usesConsumerProtocol: Bool { protocolType == "consumer" }

    /// When `advance` is next due.
    package var nextDeadline: Int64? {
        var next = [joinDeadline, syncDeadline].compactMap(\.self)
        next += members.all.compactMap(\.deadline)
        next += pendingMembers.values
        return next.min()
    }

    /// Whether offsets of the topic are in use; assumed where a `consumer` group's topics are not known.
    package func isSubscribed(to topic: String) -> Bool {
        subscribedTopics?.contains(topic) ?? usesConsumerProtocol
    }

    // MARK: - What the steps share

    mutating func emit(_ effect: GroupEffect) { effects.append(effect) }

    mutating func takeEffects() -> [GroupEffect] {
        defer { effects = [] }
        return effects
    }

    mutating func enter(_ next: GroupState, now: Int64) {
        previousState = state
        state = next
        stateTimestampMs = now
    }

    mutating func restartSession(_ memberId: String, now: Int64) {
        guard let member = members[memberId] else { return }
        members[memberId]?.deadline = time(now, plus: Int64(max(1, member.sessionTimeoutMs)))
    }

    /// KIP-345: a member that names its instance must be the one that is registered for it.
    func validate(_ memberId: String, instanceId: String?) throws(CoordinationError) {
        if let instanceId {
            guard let registered = members.memberId(ofInstance: instanceId) else { throw .unknownMemberId }
            guard registered == memberId else { throw .fencedInstanceId }
        }
        guard members.contains(memberId) else { throw .unknownMemberId }
    }

    // MARK: - Protocols

    /// Whether a member that offers these could be with those that are there.
    func supports(_ type: String, _ protocols: [MemberProtocol]) -> Bool {
        if state == .empty { return !type.isEmpty && !protocols.isEmpty }
        return type == protocolType
            && protocols.contains { offered in members.all.allSatisfy { $0.supports(offered.name) } }
    }

    /// Every member votes for the first of its protocols that all support; ties go to the first member's order.
    func selectProtocol() -> String? {
        guard let first = members.all.first else { return nil }
        let candidates = first.protocols.map(\.name).filter { name in members.all.allSatisfy { $0.supports(name) } }
        var votes: [String: Int] = [:]
        for member in members.all {
            guard let vote = member.protocols.first(where: { candidates.contains($0.name) }) else { continue }
            votes[vote.name, default: 0] += 1
        }
        var winner: String?
        for name in candidates where votes[name, default: 0] > votes[winner ?? "", default: 0] { winner = name }
        return winner
    }

    func computeSubscribedTopics() -> Set<String>? {
        guard usesConsumerProtocol else { return nil }
        if members.isEmpty { return [] }
        guard let protocolName else { return nil }
        var topics: Set<String> = []
        for member in members.all {
            guard let own = SubscriptionMetadata.topics(in: member.metadata(for: protocolName)) else { return nil }
            topics.formUnion(own)
        }
        return topics
    }
}
