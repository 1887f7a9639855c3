/// Asks for the offsets of a consumer group, from version 8 on of several groups.
package struct OffsetFetchRequest: WireMessage {
    package var groupID: String = ""
    package var topics: [Topic]? = []
    package var groups: [Group] = []
    package var requireStable: Bool = false

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version <= 7 {
            try coder.field(&groupID)
            try coder.field(&topics, nullable: coder.version >= 2)
        }
        if coder.version >= 8 { try coder.field(&groups) }
        if coder.version >= 7 { try coder.field(&requireStable) }
        try coder.noTags()
    }

    package struct Topic: WireMessage {
        package var name: String = ""
        package var partitions: [Int32] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&partitions)
            try coder.noTags()
        }
    }

    package struct Group: WireMessage {
        package var groupID: String = ""
        package var topics: [Topic]? = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&groupID)
            try coder.field(&topics)
            try coder.noTags()
        }
    }
}

/// Committed offsets, -1 where there is none.
package struct OffsetFetchResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var topics: [Topic] = []
    package var errorCode: ErrorCode = .none
    package var groups: [Group] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 3 { try coder.field(&throttleTimeMs) }
        if coder.version <= 7 { try coder.field(&topics) }
        if (2...7).contains(coder.version) { try coder.field(&errorCode) }
        if coder.version >= 8 { try coder.field(&groups) }
        try coder.noTags()
    }

    package struct Topic: WireMessage {
        package var name: String = ""
        package var partitions: [Partition] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&partitions)
            try coder.noTags()
        }
    }

    package struct Partition: WireMessage {
        package var partition: Int32 = 0
        package var committedOffset: Int64 = 0
        package var committedLeaderEpoch: Int32 = -1
        package var metadata: String? = ""
        package var errorCode: ErrorCode = .none

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&committedOffset)
            if coder.version >= 5 { try coder.field(&committedLeaderEpoch) }
            try coder.field(&metadata)
            try coder.field(&errorCode)
            try coder.noTags()
        }
    }

    package struct Group: WireMessage {
        package var groupID: String = ""
        package var topics: [Topic] = []
        package var errorCode: ErrorCode = .none

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&groupID)
            try coder.field(&topics)
            try coder.field(&errorCode)
            try coder.noTags()
        }
    }
}
