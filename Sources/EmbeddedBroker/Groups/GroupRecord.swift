/// A change of a group that has to outlive the process; `nil` says that the group is gone.
package struct GroupRecord: Sendable, Hashable {
    package var groupId: String
    package var value: GroupSnapshot?

    package init(groupId: String, value: GroupSnapshot?) {
        self.groupId = groupId
        self.value = value
    }
}

/// A group between two rebalances, as Kafka keeps it in `__consumer_offsets`.
package struct GroupSnapshot: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package var memberId: String
        package var instanceId: String?
        package var clientId: String
        package var clientHost: String
        package var rebalanceTimeoutMs: Int32
        package var sessionTimeoutMs: Int32
        /// The member's metadata for the protocol that was chosen.
        package var subscription: [UInt8]
        package var assignment: [UInt8]

        package init(
            memberId: String, instanceId: String?, clientId: String, clientHost: String, rebalanceTimeoutMs: Int32,
            sessionTimeoutMs: Int32, subscription: [UInt8], assignment: [UInt8]
        ) {
            self.memberId = memberId
            self.instanceId = instanceId
            self.clientId = clientId
            self.clientHost = clientHost
            self.rebalanceTimeoutMs = rebalanceTimeoutMs
            self.sessionTimeoutMs = sessionTimeoutMs
            self.subscription = subscription
            self.assignment = assignment
        }
    }

    package var protocolType: String?
    package var generation: Int32
    package var protocolName: String?
    package var leader: String?
    package var stateTimestampMs: Int64
    package var members: [Member]

    package init(
        protocolType: String?, generation: Int32, protocolName: String?, leader: String?, stateTimestampMs: Int64,
        members: [Member]
    ) {
        self.protocolType = protocolType
        self.generation = generation
        self.protocolName = protocolName
        self.leader = leader
        self.stateTimestampMs = stateTimestampMs
        self.members = members
    }
}
