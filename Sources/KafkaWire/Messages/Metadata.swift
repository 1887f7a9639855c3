/// Asks for brokers and topics; no list means all topics (in version 0: an empty one).
package struct MetadataRequest: WireMessage {
    package var topics: [Topic]? = []
    package var allowAutoTopicCreation: Bool = true
    package var includeClusterAuthorizedOperations: Bool = false
    package var includeTopicAuthorizedOperations: Bool = false

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&topics, nullable: coder.version >= 1)
        if coder.version >= 4 { try coder.field(&allowAutoTopicCreation) }
        if (8...10).contains(coder.version) { try coder.field(&includeClusterAuthorizedOperations) }
        if coder.version >= 8 { try coder.field(&includeTopicAuthorizedOperations) }
        try coder.noTags()
    }

    package struct Topic: WireMessage {
        package var topicID: WireUUID = .zero
        package var name: String? = ""

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            if coder.version >= 10 { try coder.field(&topicID) }
            try coder.field(&name, nullable: coder.version >= 10)
            try coder.noTags()
        }
    }
}

/// The brokers, and each topic with its partitions and their leaders.
package struct MetadataResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var brokers: [Broker] = []
    package var clusterID: String?
    package var controllerID: Int32 = -1
    package var topics: [Topic] = []
    package var clusterAuthorizedOperations: Int32 = .min

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 3 { try coder.field(&throttleTimeMs) }
        try coder.field(&brokers)
        if coder.version >= 2 { try coder.field(&clusterID) }
        if coder.version >= 1 { try coder.field(&controllerID) }
        try coder.field(&topics)
        if (8...10).contains(coder.version) { try coder.field(&clusterAuthorizedOperations) }
        try coder.noTags()
    }

    package struct Broker: WireMessage {
        package var nodeID: Int32 = 0
        package var host: String = ""
        package var port: Int32 = 0
        package var rack: String?

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&nodeID)
            try coder.field(&host)
            try coder.field(&port)
            if coder.version >= 1 { try coder.field(&rack) }
            try coder.noTags()
        }
    }

    package struct Topic: WireMessage {
        package var errorCode: ErrorCode = .none
        package var name: String? = ""
        package var topicID: WireUUID = .zero
        package var isInternal: Bool = false
        package var partitions: [Partition] = []
        package var topicAuthorizedOperations: Int32 = .min

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&errorCode)
            try coder.field(&name, nullable: coder.version >= 12)
            if coder.version >= 10 { try coder.field(&topicID) }
            if coder.version >= 1 { try coder.field(&isInternal) }
            try coder.field(&partitions)
            if coder.version >= 8 { try coder.field(&topicAuthorizedOperations) }
            try coder.noTags()
        }
    }

    package struct Partition: WireMessage {
        package var errorCode: ErrorCode = .none
        package var partition: Int32 = 0
        package var leaderID: Int32 = 0
        package var leaderEpoch: Int32 = -1
        package var replicaNodes: [Int32] = []
        package var isrNodes: [Int32] = []
        package var offlineReplicas: [Int32] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&errorCode)
            try coder.field(&partition)
            try coder.field(&leaderID)
            if coder.version >= 7 { try coder.field(&leaderEpoch) }
            try coder.field(&replicaNodes)
            try coder.field(&isrNodes)
            if coder.version >= 5 { try coder.field(&offlineReplicas) }
            try coder.noTags()
        }
    }
}
