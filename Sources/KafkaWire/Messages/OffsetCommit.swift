/// Keeps a consumer group's offsets.
package struct OffsetCommitRequest: WireMessage {
    package var groupID: String = ""
    package var generationID: Int32 = -1
    package var memberID: String = ""
    package var groupInstanceID: String?
    package var retentionTimeMs: Int64 = -1
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&groupID)
        try coder.field(&generationID)
        try coder.field(&memberID)
        if coder.version >= 7 { try coder.field(&groupInstanceID) }
        if coder.version <= 4 { try coder.field(&retentionTimeMs) }
        try coder.field(&topics)
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
        package var committedMetadata: String? = ""

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&committedOffset)
            if coder.version >= 6 { try coder.field(&committedLeaderEpoch) }
            try coder.field(&committedMetadata)
            try coder.noTags()
        }
    }
}

/// Whether the offset of each partition was kept.
package struct OffsetCommitResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 3 { try coder.field(&throttleTimeMs) }
        try coder.field(&topics)
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
        package var errorCode: ErrorCode = .none

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&errorCode)
            try coder.noTags()
        }
    }
}

/// Deletes committed offsets of a group (KIP-496).
package struct OffsetDeleteRequest: WireMessage {
    package var groupID: String = ""
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&groupID)
        try coder.field(&topics)
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

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.noTags()
        }
    }
}

/// The outcome for each partition.
package struct OffsetDeleteResponse: WireMessage {
    package var errorCode: ErrorCode = .none
    package var throttleTimeMs: Int32 = 0
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&errorCode)
        try coder.field(&throttleTimeMs)
        try coder.field(&topics)
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
        package var errorCode: ErrorCode = .none

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&errorCode)
            try coder.noTags()
        }
    }
}
