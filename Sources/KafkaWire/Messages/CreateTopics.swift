/// Creates topics, or only checks whether they could be created.
package struct CreateTopicsRequest: WireMessage {
    package var topics: [Topic] = []
    package var timeoutMs: Int32 = 60_000
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
        package var numPartitions: Int32 = 0
        package var replicationFactor: Int16 = 0
        package var assignments: [Assignment] = []
        package var configs: [Config] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&numPartitions)
            try coder.field(&replicationFactor)
            try coder.field(&assignments)
            try coder.field(&configs)
            try coder.noTags()
        }
    }

    package struct Assignment: WireMessage {
        package var partition: Int32 = 0
        package var brokerIDs: [Int32] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&brokerIDs)
            try coder.noTags()
        }
    }

    package struct Config: WireMessage {
        package var name: String = ""
        package var value: String? = ""

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&value)
            try coder.noTags()
        }
    }
}

/// The topics as created, with their settings from version 5 on (KIP-525).
package struct CreateTopicsResponse: WireMessage {
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
        package var topicID: WireUUID = .zero
        package var errorCode: ErrorCode = .none
        package var errorMessage: String? = ""
        package var topicConfigErrorCode: ErrorCode = .none
        package var numPartitions: Int32 = -1
        package var replicationFactor: Int16 = -1
        package var configs: [Config]? = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            if coder.version >= 7 { try coder.field(&topicID) }
            try coder.field(&errorCode)
            try coder.field(&errorMessage)
            if coder.version >= 5 {
                try coder.field(&numPartitions)
                try coder.field(&replicationFactor)
                try coder.field(&configs)
            }
            var tags = try coder.startTags()
            try coder.tagged(0, in: &tags, isSet: topicConfigErrorCode != .none) { coder throws(WireError) in
                try coder.field(&topicConfigErrorCode)
            }
            try coder.endTags(tags)
        }
    }

    package struct Config: WireMessage {
        package var name: String = ""
        package var value: String? = ""
        package var readOnly: Bool = false
        package var configSource: Int8 = -1
        package var isSensitive: Bool = false

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&value)
            try coder.field(&readOnly)
            try coder.field(&configSource)
            try coder.field(&isSensitive)
            try coder.noTags()
        }
    }
}
