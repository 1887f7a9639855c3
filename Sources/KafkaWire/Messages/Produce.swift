/// Appends record batches to partitions.
package struct ProduceRequest: WireMessage {
    package var transactionalID: String?
    package var acks: Int16 = 0
    package var timeoutMs: Int32 = 0
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&transactionalID)
        try coder.field(&acks)
        try coder.field(&timeoutMs)
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
        package var records: ArraySlice<UInt8>?

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&records)
            try coder.noTags()
        }
    }
}

/// Where the batches of a produce request went, or why not.
package struct ProduceResponse: WireMessage {
    package var topics: [Topic] = []
    package var throttleTimeMs: Int32 = 0

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&topics)
        try coder.field(&throttleTimeMs)
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
        package var baseOffset: Int64 = 0
        package var logAppendTimeMs: Int64 = -1
        package var logStartOffset: Int64 = -1
        package var recordErrors: [RecordError] = []
        package var errorMessage: String?

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&errorCode)
            try coder.field(&baseOffset)
            try coder.field(&logAppendTimeMs)
            if coder.version >= 5 { try coder.field(&logStartOffset) }
            if coder.version >= 8 {
                try coder.field(&recordErrors)
                try coder.field(&errorMessage)
            }
            try coder.noTags()
        }
    }

    package struct RecordError: WireMessage {
        package var batchIndex: Int32 = 0
        package var message: String?

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&batchIndex)
            try coder.field(&message)
            try coder.noTags()
        }
    }
}
