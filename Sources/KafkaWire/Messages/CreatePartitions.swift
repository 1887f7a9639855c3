/// Adds partitions to topics.
package struct CreatePartitionsRequest: WireMessage {
    package var topics: [Topic] = []
    package var timeoutMs: Int32 = 0
    package var validateOnly: Bool = false

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&topics)
        try coder.field(&timeoutMs)
        try coder.field(&validateOnly)
        try coder.noTags()
    }

    package struct Topic: WireMessage {
        package var name: String = ""
        package var count: Int32 = 0
        package var assignments: [Assignment]? = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&count)
            try coder.field(&assignments)
            try coder.noTags()
        }
    }

    package struct Assignment: WireMessage {
        package var brokerIDs: [Int32] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&brokerIDs)
            try coder.noTags()
        }
    }
}

/// The outcome for each topic.
package struct CreatePartitionsResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&topics)
        try coder.noTags()
    }

    package struct Topic: WireMessage {
        package var name: String = ""
        package var errorCode: ErrorCode = .none
        package var errorMessage: String?

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&errorCode)
            try coder.field(&errorMessage)
            try coder.noTags()
        }
    }
}
