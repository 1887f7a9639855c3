/// Deletes topics by name, from version 6 on by id as well (KIP-516).
package struct DeleteTopicsRequest: WireMessage {
    package var topics: [Topic] = []
    package var topicNames: [String] = []
    package var timeoutMs: Int32 = 0

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 6 { try coder.field(&topics) }
        if coder.version <= 5 { try coder.field(&topicNames) }
        try coder.field(&timeoutMs)
        try coder.noTags()
    }

    package struct Topic: WireMessage {
        package var name: String?
        package var topicID: WireUUID = .zero

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&topicID)
            try coder.noTags()
        }
    }
}

/// The outcome for each topic.
package struct DeleteTopicsResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&topics)
        try coder.noTags()
    }

    package struct Topic: WireMessage {
        package var name: String? = ""
        package var topicID: WireUUID = .zero
        package var errorCode: ErrorCode = .none
        package var errorMessage: String?

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name, nullable: coder.version >= 6)
            if coder.version >= 6 { try coder.field(&topicID) }
            try coder.field(&errorCode)
            if coder.version >= 5 { try coder.field(&errorMessage) }
            try coder.noTags()
        }
    }
}
