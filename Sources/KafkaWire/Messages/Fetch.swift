/// Reads record batches from partitions, waiting for some to arrive.
package struct FetchRequest: WireMessage {
    package var clusterID: String?
    package var replicaID: Int32 = -1
    package var maxWaitMs: Int32 = 0
    package var minBytes: Int32 = 0
    package var maxBytes: Int32 = .max
    package var isolationLevel: Int8 = 0
    package var sessionID: Int32 = 0
    package var sessionEpoch: Int32 = -1
    package var topics: [Topic] = []
    package var forgottenTopics: [ForgottenTopic] = []
    package var rackID: String = ""

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&replicaID)
        try coder.field(&maxWaitMs)
        try coder.field(&minBytes)
        try coder.field(&maxBytes)
        try coder.field(&isolationLevel)
        if coder.version >= 7 {
            try coder.field(&sessionID)
            try coder.field(&sessionEpoch)
        }
        try coder.field(&topics)
        if coder.version >= 7 { try coder.field(&forgottenTopics) }
        if coder.version >= 11 { try coder.field(&rackID) }
        var tags = try coder.startTags()
        try coder.tagged(0, in: &tags, isSet: clusterID != nil) { coder throws(WireError) in
            try coder.field(&clusterID)
        }
        try coder.endTags(tags)
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
        package var currentLeaderEpoch: Int32 = -1
        package var fetchOffset: Int64 = 0
        package var lastFetchedEpoch: Int32 = -1
        package var logStartOffset: Int64 = -1
        package var maxBytes: Int32 = 0

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            if coder.version >= 9 { try coder.field(&currentLeaderEpoch) }
            try coder.field(&fetchOffset)
            if coder.version >= 12 { try coder.field(&lastFetchedEpoch) }
            if coder.version >= 5 { try coder.field(&logStartOffset) }
            try coder.field(&maxBytes)
            try coder.noTags()
        }
    }

    package struct ForgottenTopic: WireMessage {
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

/// Record batches, with the aborted transactions that a read_committed reader skips.
package struct FetchResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var errorCode: ErrorCode = .none
    package var sessionID: Int32 = 0
    package var topics: [Topic] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        if coder.version >= 7 {
            try coder.field(&errorCode)
            try coder.field(&sessionID)
        }
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
        package var highWatermark: Int64 = 0
        package var lastStableOffset: Int64 = -1
        package var logStartOffset: Int64 = -1
        package var divergingEpoch: EpochEnd = EpochEnd()
        package var currentLeader: Leader = Leader()
        package var snapshotID: Snapshot = Snapshot()
        package var abortedTransactions: [AbortedTransaction]? = []
        package var preferredReadReplica: Int32 = -1
        package var records: ArraySlice<UInt8>?

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&partition)
            try coder.field(&errorCode)
            try coder.field(&highWatermark)
            try coder.field(&lastStableOffset)
            if coder.version >= 5 { try coder.field(&logStartOffset) }
            try coder.field(&abortedTransactions)
            if coder.version >= 11 { try coder.field(&preferredReadReplica) }
            try coder.field(&records)
            var tags = try coder.startTags()
            try coder.tagged(0, in: &tags, isSet: divergingEpoch != EpochEnd()) { coder throws(WireError) in
                try divergingEpoch.code(&coder)
            }
            try coder.tagged(1, in: &tags, isSet: currentLeader != Leader()) { coder throws(WireError) in
                try currentLeader.code(&coder)
            }
            try coder.tagged(2, in: &tags, isSet: snapshotID != Snapshot()) { coder throws(WireError) in
                try snapshotID.code(&coder)
            }
            try coder.endTags(tags)
        }
    }

    package struct EpochEnd: WireMessage {
        package var epoch: Int32 = -1
        package var endOffset: Int64 = -1

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&epoch)
            try coder.field(&endOffset)
            try coder.noTags()
        }
    }

    package struct Leader: WireMessage {
        package var leaderID: Int32 = -1
        package var leaderEpoch: Int32 = -1

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&leaderID)
            try coder.field(&leaderEpoch)
            try coder.noTags()
        }
    }

    package struct Snapshot: WireMessage {
        package var endOffset: Int64 = -1
        package var epoch: Int32 = -1

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&endOffset)
            try coder.field(&epoch)
            try coder.noTags()
        }
    }

    package struct AbortedTransaction: WireMessage {
        package var producerID: Int64 = 0
        package var firstOffset: Int64 = 0

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&producerID)
            try coder.field(&firstOffset)
            try coder.noTags()
        }
    }
}
