/// Keeps a member of a group alive.
package struct HeartbeatRequest: WireMessage {
    package var groupID: String = ""
    package var generationID: Int32 = 0
    package var memberID: String = ""
    package var groupInstanceID: String?

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&groupID)
        try coder.field(&generationID)
        try coder.field(&memberID)
        if coder.version >= 3 { try coder.field(&groupInstanceID) }
        try coder.noTags()
    }
}

/// Whether the member is still in the group's generation.
package struct HeartbeatResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 1 { try coder.field(&throttleTimeMs) }
        try coder.field(&errorCode)
        try coder.noTags()
    }
}

/// Takes members out of a group, from version 3 on several at once (KIP-345).
package struct LeaveGroupRequest: WireMessage {
    package var groupID: String = ""
    package var memberID: String = ""
    package var members: [Member] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&groupID)
        if coder.version <= 2 { try coder.field(&memberID) }
        if coder.version >= 3 { try coder.field(&members) }
        try coder.noTags()
    }

    package struct Member: WireMessage {
        package var memberID: String = ""
        package var groupInstanceID: String?
        package var reason: String?

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&memberID)
            try coder.field(&groupInstanceID)
            if coder.version >= 5 { try coder.field(&reason) }
            try coder.noTags()
        }
    }
}

/// The outcome for the group and, from version 3 on, for each member.
package struct LeaveGroupResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var members: [Member] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 1 { try coder.field(&throttleTimeMs) }
        try coder.field(&errorCode)
        if coder.version >= 3 { try coder.field(&members) }
        try coder.noTags()
    }

    package struct Member: WireMessage {
        package var memberID: String = ""
        package var groupInstanceID: String? = ""
        package var errorCode: ErrorCode = .none

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&memberID)
            try coder.field(&groupInstanceID)
            try coder.field(&errorCode)
            try coder.noTags()
        }
    }
}
