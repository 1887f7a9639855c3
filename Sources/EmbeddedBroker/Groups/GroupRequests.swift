/// One protocol that a member offers, with the metadata that the leader reads.
package struct MemberProtocol: Sendable, Hashable {
    package var name: String
    package var metadata: [UInt8]

    package init(name: String, metadata: [UInt8]) {
        self.name = name
        self.metadata = metadata
    }
}

package struct JoinRequest: Sendable {
    /// Empty for a member that has none yet.
    package var memberId: String
    /// What the member is to be called if it needs a name; made from random bytes by the caller.
    package var freshMemberId: String
    package var instanceId: String?
    package var clientId = ""
    package var clientHost = ""
    package var sessionTimeoutMs: Int32 = 45_000
    package var rebalanceTimeoutMs: Int32 = 300_000
    package var protocolType = "consumer"
    package var protocols: [MemberProtocol]
    /// KIP-394, from version 4: a dynamic member gets its id first and joins with it.
    package var requiresKnownMemberId = true
    /// KIP-814, from version 9: a leader may be told to leave the assignment as it is.
    package var supportsSkippingAssignment = true

    package init(
        memberId: String = "", freshMemberId: String, instanceId: String? = nil, protocols: [MemberProtocol]
    ) {
        self.memberId = memberId
        self.freshMemberId = freshMemberId
        self.instanceId = instanceId
        self.protocols = protocols
    }
}

package struct SyncRequest: Sendable {
    package var memberId: String
    package var instanceId: String?
    package var generation: Int32
    /// From version 5; nil where the client does not say.
    package var protocolType: String?
    package var protocolName: String?
    package var assignments: [String: [UInt8]]

    package init(
        memberId: String, instanceId: String? = nil, generation: Int32, protocolType: String? = nil,
        protocolName: String? = nil, assignments: [String: [UInt8]] = [:]
    ) {
        self.memberId = memberId
        self.instanceId = instanceId
        self.generation = generation
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignments = assignments
    }
}

/// Who leaves: by member id, or (as administrators do) by instance id with an empty member id.
package struct LeavingMember: Sendable, Hashable {
    package var memberId: String
    package var instanceId: String?

    package init(memberId: String, instanceId: String? = nil) {
        self.memberId = memberId
        self.instanceId = instanceId
    }
}

package struct JoinAnswer: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package var memberId: String
        package var instanceId: String?
        package var metadata: [UInt8]
    }

    package var error: CoordinationError?
    package var memberId: String
    package var generation: Int32 = -1
    package var protocolType: String?
    package var protocolName: String?
    package var leader = ""
    /// For the leader only.
    package var members: [Member] = []
    package var skipsAssignment = false

    init(error: CoordinationError?, memberId: String) {
        self.error = error
        self.memberId = memberId
    }
}

package struct SyncAnswer: Sendable, Hashable {
    package var error: CoordinationError?
    package var protocolType: String?
    package var protocolName: String?
    package var assignment: [UInt8] = []
}

/// What is to be done after a step, in this order: a record is kept before the answers behind it are sent.
package enum GroupEffect: Sendable, Hashable {
    case store(GroupRecord)
    case joined(RequestToken, JoinAnswer)
    case synced(RequestToken, SyncAnswer)
}

/// The broker's `group.*` settings, with Kafka's defaults.
package struct GroupSettings: Sendable {
    package var initialRebalanceDelayMs: Int64 = 3_000
    package var minSessionTimeoutMs: Int32 = 6_000
    package var maxSessionTimeoutMs: Int32 = 1_800_000
    package var maxSize = Int(Int32.max)
    /// How long a member may wait in its first rebalance: it cannot send heartbeats before it knows its id.
    package var newMemberJoinTimeoutMs: Int64 = 300_000
    package var offsetMetadataMaxBytes = 4_096
    package var offsetsRetentionMs: Int64 = 7 * 24 * 3_600_000

    package init() {}
}
