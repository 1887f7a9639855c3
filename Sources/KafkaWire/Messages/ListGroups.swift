/// Lists the groups of a broker, by state (KIP-518) and type (KIP-848).
package struct ListGroupsRequest: WireMessage {
    package var statesFilter: [String] = []
    package var typesFilter: [String] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 4 { try coder.field(&statesFilter) }
        if coder.version >= 5 { try coder.field(&typesFilter) }
        try coder.noTags()
    }
}

/// The groups of a broker.
package struct ListGroupsResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var groups: [Group] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 1 { try coder.field(&throttleTimeMs) }
        try coder.field(&errorCode)
        try coder.field(&groups)
        try coder.noTags()
    }

    package struct Group: WireMessage {
        package var groupID: String = ""
        package var protocolType: String = ""
        package var state: String = ""
        package var type: String = ""

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&groupID)
            try coder.field(&protocolType)
            if coder.version >= 4 { try coder.field(&state) }
            if coder.version >= 5 { try coder.field(&type) }
            try coder.noTags()
        }
    }
}

/// Deletes empty groups.
package struct DeleteGroupsRequest: WireMessage {
    package var groupIDs: [String] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&groupIDs)
        try coder.noTags()
    }
}

/// The outcome for each group.
package struct DeleteGroupsResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var groups: [Group] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&groups)
        try coder.noTags()
    }

    package struct Group: WireMessage {
        package var groupID: String = ""
        package var errorCode: ErrorCode = .none

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&groupID)
            try coder.field(&errorCode)
            try coder.noTags()
        }
    }
}
