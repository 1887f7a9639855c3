/// Asks for a producer id and fences older producers of the same transactional id.
package struct InitProducerIDRequest: WireMessage {
    package var transactionalID: String? = ""
    package var transactionTimeoutMs: Int32 = 0
    package var producerID: Int64 = -1
    package var producerEpoch: Int16 = -1

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&transactionalID)
        try coder.field(&transactionTimeoutMs)
        if coder.version >= 3 {
            try coder.field(&producerID)
            try coder.field(&producerEpoch)
        }
        try coder.noTags()
    }
}

/// A producer id and its epoch.
package struct InitProducerIDResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var producerID: Int64 = -1
    package var producerEpoch: Int16 = 0

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&errorCode)
        try coder.field(&producerID)
        try coder.field(&producerEpoch)
        try coder.noTags()
    }
}
