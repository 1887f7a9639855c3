/// Asks for the state and members of groups.
package struct DescribeGroupsRequest: WireMessage {
    package var groups: [String] = []
    package var includeAuthorizedOperations: Bool = false

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&groups)
        if coder.version >= 3 { try coder.field(&includeAuthorizedOperations) }
        try coder.noTags()
    }
}

/// Groups with their members.
package struct DescribeGroupsResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var groups: [Group] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 1 { try coder.field(&throttleTimeMs) }
        try coder.field(&groups)
        try coder.noTags()
    }

    package struct Group: WireMessage {
        package var errorCode: ErrorCode = .none
        package var groupID: String = ""
        package var state: String = ""
        package var protocolType: String = ""
        package var protocolData: String = ""
        package var members: [Member] = []
        package var authorizedOperations: Int32 = .min

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&errorCode)
            try coder.field(&groupID)
            try coder.field(&state)
            try coder.field(&protocolType)
            try coder.field(&protocolData)
            try coder.field(&members)
            if coder.version >= 3 { try coder.field(&authorizedOperations) }
            try coder.noTags()
        }
    }

    package struct Member: WireMessage {
        package var memberID: String = ""
        package var groupInstanceID: String?
        package var clientID: String = ""
        package var clientHost: String = ""
        package var metadata: [UInt8] = []
        package var assignment: [UInt8] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&memberID)
            if coder.version >= 4 { try coder.field(&groupInstanceID) }
            try coder.field(&clientID)
            try coder.field(&clientHost)
            try coder.field(&metadata)
            try coder.field(&assignment)
            try coder.noTags()
        }
    }
}
