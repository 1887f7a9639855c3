/// Asks for the brokers of a cluster (KIP-700).
package struct DescribeClusterRequest: WireMessage {
    package var includeClusterAuthorizedOperations: Bool = false
    package var endpointType: Int8 = 1
    package var includeFencedBrokers: Bool = false

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&includeClusterAuthorizedOperations)
        if coder.version >= 1 { try coder.field(&endpointType) }
        if coder.version >= 2 { try coder.field(&includeFencedBrokers) }
        try coder.noTags()
    }
}

/// The brokers and controller of a cluster.
package struct DescribeClusterResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var errorMessage: String?
    package var endpointType: Int8 = 1
    package var clusterID: String = ""
    package var controllerID: Int32 = -1
    package var brokers: [Broker] = []
    package var clusterAuthorizedOperations: Int32 = .min

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&errorCode)
        try coder.field(&errorMessage)
        if coder.version >= 1 { try coder.field(&endpointType) }
        try coder.field(&clusterID)
        try coder.field(&controllerID)
        try coder.field(&brokers)
        try coder.field(&clusterAuthorizedOperations)
        try coder.noTags()
    }

    package struct Broker: WireMessage {
        package var brokerID: Int32 = 0
        package var host: String = ""
        package var port: Int32 = 0
        package var rack: String?
        package var isFenced: Bool = false

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&brokerID)
            try coder.field(&host)
            try coder.field(&port)
            try coder.field(&rack)
            if coder.version >= 2 { try coder.field(&isFenced) }
            try coder.noTags()
        }
    }
}
