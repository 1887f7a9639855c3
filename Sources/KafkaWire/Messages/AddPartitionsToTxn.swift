/// Takes partitions into a transaction before they are written to.
package struct AddPartitionsToTxnRequest: WireMessage {
    package var transactionalID: String = ""
    package var producerID: Int64 = 0
    package var producerEpoch: Int16 = 0
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&transactionalID)
        try coder.field(&producerID)
        try coder.field(&producerEpoch)
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

/// The outcome for each partition.
package struct AddPartitionsToTxnResponse: WireMessage {
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

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&errorCode)
            try coder.noTags()
        }
    }
}

/// Takes a consumer group's offsets into a transaction.
package struct AddOffsetsToTxnRequest: WireMessage {
    package var transactionalID: String = ""
    package var producerID: Int64 = 0
    package var producerEpoch: Int16 = 0
    package var groupID: String = ""

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&transactionalID)
        try coder.field(&producerID)
        try coder.field(&producerEpoch)
        try coder.field(&groupID)
        try coder.noTags()
    }
}

/// Whether the group was taken into the transaction.
package struct AddOffsetsToTxnResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&errorCode)
        try coder.noTags()
    }
}
