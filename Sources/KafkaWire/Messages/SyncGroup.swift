/// Waits for a member's assignment; the leader's request brings everyone's.
package struct SyncGroupRequest: WireMessage {
    package var groupID: String = ""
    package var generationID: Int32 = 0
    package var memberID: String = ""
    package var groupInstanceID: String?
    package var protocolType: String?
    package var protocolName: String?
    package var assignments: [Assignment] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&groupID)
        try coder.field(&generationID)
        try coder.field(&memberID)
        if coder.version >= 3 { try coder.field(&groupInstanceID) }
        if coder.version >= 5 {
            try coder.field(&protocolType)
            try coder.field(&protocolName)
        }
        try coder.field(&assignments)
        try coder.noTags()
    }

    package struct Assignment: WireMessage {
        package var memberID: String = ""
        package var assignment: [UInt8] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&memberID)
            try coder.field(&assignment)
            try coder.noTags()
        }
    }
}

/// The assignment of one member.
package struct SyncGroupResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var protocolType: String?
    package var protocolName: String?
    package var assignment: [UInt8] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 1 { try coder.field(&throttleTimeMs) }
        try coder.field(&errorCode)
        if coder.version >= 5 {
            try coder.field(&protocolType)
            try coder.field(&protocolName)
        }
        try coder.field(&assignment)
        try coder.noTags()
    }
}
