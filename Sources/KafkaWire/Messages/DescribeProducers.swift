/// Asks for the producers with state in partitions (KIP-664).
package struct DescribeProducersRequest: WireMessage {
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&topics)
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
}

/// The producers of each partition.
package struct DescribeProducersResponse: WireMessage {
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
        package var errorMessage: String?
        package var activeProducers: [Producer] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&errorCode)
            try coder.field(&errorMessage)
            try coder.field(&activeProducers)
            try coder.noTags()
        }
    }

    package struct Producer: WireMessage {
        package var producerID: Int64 = 0
        package var producerEpoch: Int32 = 0
        package var lastSequence: Int32 = -1
        package var lastTimestamp: Int64 = -1
        package var coordinatorEpoch: Int32 = 0
        package var currentTxnStartOffset: Int64 = -1

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&producerID)
            try coder.field(&producerEpoch)
            try coder.field(&lastSequence)
            try coder.field(&lastTimestamp)
            try coder.field(&coordinatorEpoch)
            try coder.field(&currentTxnStartOffset)
            try coder.noTags()
        }
    }
}
