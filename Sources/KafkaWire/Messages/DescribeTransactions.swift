/// Asks for the state of transactional ids (KIP-664).
package struct DescribeTransactionsRequest: WireMessage {
    package var transactionalIDs: [String] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&transactionalIDs)
        try coder.noTags()
    }
}

/// The state of each transactional id.
package struct DescribeTransactionsResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var transactions: [Transaction] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&transactions)
        try coder.noTags()
    }

    package struct Transaction: WireMessage {
        package var errorCode: ErrorCode = .none
        package var transactionalID: String = ""
        package var state: String = ""
        package var timeoutMs: Int32 = 0
        package var startTimeMs: Int64 = 0
        package var producerID: Int64 = 0
        package var producerEpoch: Int16 = 0
        package var topics: [Topic] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&errorCode)
            try coder.field(&transactionalID)
            try coder.field(&state)
            try coder.field(&timeoutMs)
            try coder.field(&startTimeMs)
            try coder.field(&producerID)
            try coder.field(&producerEpoch)
            try coder.field(&topics)
            try coder.noTags()
        }
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
}

/// Lists transactions by state, producer and age (KIP-664, KIP-994).
package struct ListTransactionsRequest: WireMessage {
    package var stateFilters: [String] = []
    package var producerIDFilters: [Int64] = []
    package var durationFilterMs: Int64 = -1

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&stateFilters)
        try coder.field(&producerIDFilters)
        if coder.version >= 1 { try coder.field(&durationFilterMs) }
        try coder.noTags()
    }
}

/// The transactions of a coordinator.
package struct ListTransactionsResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var unknownStateFilters: [String] = []
    package var transactions: [Transaction] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&errorCode)
        try coder.field(&unknownStateFilters)
        try coder.field(&transactions)
        try coder.noTags()
    }

    package struct Transaction: WireMessage {
        package var transactionalID: String = ""
        package var producerID: Int64 = 0
        package var state: String = ""

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&transactionalID)
            try coder.field(&producerID)
            try coder.field(&state)
            try coder.noTags()
        }
    }
}
