/// Asks which broker coordinates a group (key type 0) or a transactional id (1).
package struct FindCoordinatorRequest: WireMessage {
    package var key: String = ""
    package var keyType: Int8 = 0
    package var coordinatorKeys: [String] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version <= 3 { try coder.field(&key) }
        if coder.version >= 1 { try coder.field(&keyType) }
        if coder.version >= 4 { try coder.field(&coordinatorKeys) }
        try coder.noTags()
    }
}

/// The coordinator of a key, from version 4 on of each key (KIP-699).
package struct FindCoordinatorResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var errorMessage: String? = ""
    package var nodeID: Int32 = 0
    package var host: String = ""
    package var port: Int32 = 0
    package var coordinators: [Coordinator] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 1 { try coder.field(&throttleTimeMs) }
        if coder.version <= 3 { try coder.field(&errorCode) }
        if (1...3).contains(coder.version) { try coder.field(&errorMessage) }
        if coder.version <= 3 {
            try coder.field(&nodeID)
            try coder.field(&host)
            try coder.field(&port)
        }
        if coder.version >= 4 { try coder.field(&coordinators) }
        try coder.noTags()
    }

    package struct Coordinator: WireMessage {
        package var key: String = ""
        package var nodeID: Int32 = 0
        package var host: String = ""
        package var port: Int32 = 0
        package var errorCode: ErrorCode = .none
        package var errorMessage: String? = ""

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&key)
            try coder.field(&nodeID)
            try coder.field(&host)
            try coder.field(&port)
            try coder.field(&errorCode)
            try coder.field(&errorMessage)
            try coder.noTags()
        }
    }
}
