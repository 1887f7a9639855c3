/// Joins a consumer group and offers the protocols (assignors) that a member knows.
package struct JoinGroupRequest: WireMessage {
    package var groupID: String = ""
    package var sessionTimeoutMs: Int32 = 0
    package var rebalanceTimeoutMs: Int32 = -1
    package var memberID: String = ""
    package var groupInstanceID: String?
    package var protocolType: String = ""
    package var protocols: [GroupProtocol] = []
    package var reason: String?

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&groupID)
        try coder.field(&sessionTimeoutMs)
        if coder.version >= 1 { try coder.field(&rebalanceTimeoutMs) }
        try coder.field(&memberID)
        if coder.version >= 5 { try coder.field(&groupInstanceID) }
        try coder.field(&protocolType)
        try coder.field(&protocols)
        if coder.version >= 8 { try coder.field(&reason) }
        try coder.noTags()
    }

    package struct GroupProtocol: WireMessage {
        package var name: String = ""
        package var metadata: [UInt8] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&metadata)
            try coder.noTags()
        }
    }
}

/// The new generation; its leader alone gets the list of members.
package struct JoinGroupResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var generationID: Int32 = -1
    package var protocolType: String?
    package var protocolName: String? = ""
    package var leader: String = ""
    package var skipAssignment: Bool = false
    package var memberID: String = ""
    package var members: [Member] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 2 { try coder.field(&throttleTimeMs) }
        try coder.field(&errorCode)
        try coder.field(&generationID)
        if coder.version >= 7 { try coder.field(&protocolType) }
        try coder.field(&protocolName, nullable: coder.version >= 7)
        try coder.field(&leader)
        if coder.version >= 9 { try coder.field(&skipAssignment) }
        try coder.field(&memberID)
        try coder.field(&members)
        try coder.noTags()
    }

    package struct Member: WireMessage {
        package var memberID: String = ""
        package var groupInstanceID: String?
        package var metadata: [UInt8] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&memberID)
            if coder.version >= 5 { try coder.field(&groupInstanceID) }
            try coder.field(&metadata)
            try coder.noTags()
        }
    }
}
