import KafkaWire

/// What a record of the broker's own log is about. The newest record of a key holds; one without a value ends it.
struct StateKey: WireMessage, Hashable {
    enum Kind: Int8 {
        case cluster = 0
        case producerIds = 1
        case topic = 2
        case group = 3
        case offset = 4
        /// An offset in a transaction that is not over.
        case pendingOffset = 5
        case transaction = 6
    }

    var rawKind: Int8 = 0
    /// The topic, group or transactional id.
    var name = ""
    /// An offset's partition.
    var topic = ""
    var partition: Int32 = -1
    var producerId: Int64 = -1

    init() {}

    init(_ kind: Kind, _ name: String = "", _ partition: TopicPartition? = nil, producerId: Int64 = -1) {
        rawKind = kind.rawValue
        self.name = name
        topic = partition?.topic ?? ""
        self.partition = partition?.partition ?? -1
        self.producerId = producerId
    }

    var kind: Kind? { Kind(rawValue: rawKind) }
    var topicPartition: TopicPartition { TopicPartition(topic, partition) }

    mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.integer(&rawKind)
        try coder.text(&name)
        try coder.text(&topic)
        try coder.integer(&partition)
        try coder.integer(&producerId)
    }
}

/// A cluster's or a topic's id, or the next producer id (in `low`).
struct StateNumber: WireMessage {
    var high: UInt64 = 0
    var low: UInt64 = 0

    mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.integer(&high)
        try coder.integer(&low)
    }
}

struct StateTopic: WireMessage {
    var id = StateNumber()
    var partitions: Int32 = 0
    /// 1 where the topic is gone and its logs may still be there.
    var isDeleted: Int8 = 0
    var configs: [Config] = []

    struct Config: WireMessage {
        var name = ""
        var value = ""

        mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.text(&name)
            try coder.text(&value)
        }
    }

    mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try id.code(&coder)
        try coder.integer(&partitions)
        try coder.integer(&isDeleted)
        try coder.list(&configs)
    }
}

struct StateOffset: WireMessage {
    var offset: Int64 = 0
    var leaderEpoch: Int32 = -1
    var metadata = ""
    var commitTimestampMs: Int64 = 0
    /// -1 is none.
    var expireTimestampMs: Int64 = -1

    mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.integer(&offset)
        try coder.integer(&leaderEpoch)
        try coder.text(&metadata)
        try coder.integer(&commitTimestampMs)
        try coder.integer(&expireTimestampMs)
    }
}

struct StateGroup: WireMessage {
    var protocolType: String?
    var generation: Int32 = 0
    var protocolName: String?
    var leader: String?
    var stateTimestampMs: Int64 = 0
    var members: [Member] = []

    struct Member: WireMessage {
        var memberId = ""
        var instanceId: String?
        var clientId = ""
        var clientHost = ""
        var rebalanceTimeoutMs: Int32 = 0
        var sessionTimeoutMs: Int32 = 0
        var subscription: [UInt8] = []
        var assignment: [UInt8] = []

        mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.text(&memberId)
            try coder.string(&instanceId, nullable: true)
            try coder.text(&clientId)
            try coder.text(&clientHost)
            try coder.integer(&rebalanceTimeoutMs)
            try coder.integer(&sessionTimeoutMs)
            try coder.field(&subscription)
            try coder.field(&assignment)
        }
    }

    mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.string(&protocolType, nullable: true)
        try coder.integer(&generation)
        try coder.string(&protocolName, nullable: true)
        try coder.string(&leader, nullable: true)
        try coder.integer(&stateTimestampMs)
        try coder.list(&members)
    }
}

struct StateTransaction: WireMessage {
    var state = ""
    var producerId: Int64 = -1
    var producerEpoch: Int16 = -1
    var previousId: Int64 = -1
    var previousEpoch: Int16 = -1
    var timeoutMs: Int32 = 0
    var startTimestampMs: Int64 = -1
    var lastUpdateTimestampMs: Int64 = 0
    var partitions: [Partition] = []
    var groups: [Group] = []

    struct Partition: WireMessage {
        var topic = ""
        var partition: Int32 = 0

        mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.text(&topic)
            try coder.integer(&partition)
        }
    }

    struct Group: WireMessage {
        var groupId = ""

        mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) { try coder.text(&groupId) }
    }

    mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.text(&state)
        try coder.integer(&producerId)
        try coder.integer(&producerEpoch)
        try coder.integer(&previousId)
        try coder.integer(&previousEpoch)
        try coder.integer(&timeoutMs)
        try coder.integer(&startTimestampMs)
        try coder.integer(&lastUpdateTimestampMs)
        try coder.list(&partitions)
        try coder.list(&groups)
    }
}

extension WireCoder {
    fileprivate mutating func text(_ value: inout String) throws(WireError) {
        var text: String? = value
        try string(&text, nullable: false)
        value = text ?? ""
    }

    fileprivate mutating func list<Message: WireMessage>(_ value: inout [Message]) throws(WireError) {
        var list: [Message]? = value
        try array(&list, nullable: false, blank: Message()) { coder, element throws(WireError) in
            try element.code(&coder)
        }
        value = list ?? []
    }
}
