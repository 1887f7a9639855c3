/// One setting that a topic can have, with Kafka's name, type, default and range.
struct ConfigDefinition {
    enum Kind {
        case boolean
        case int(ClosedRange<Int64>)
        case long(ClosedRange<Int64>)
        case double(ClosedRange<Double>)
        case string([String])
        case list([String])

        /// As DescribeConfigs numbers types (KIP-569).
        var code: Int8 {
            switch self {
            case .boolean: 1
            case .string: 2
            case .int: 3
            case .long: 5
            case .double: 6
            case .list: 7
            }
        }
    }

    var name: String
    var kind: Kind
    var initial: String
    /// What the broker's setting for all topics is called; nil where there is none.
    var brokerName: String?

    /// Why a text is no value of the setting, or nil.
    func fault(in value: String) -> String? {
        let text = value.trimmed
        let isFine =
            switch kind {
            case .boolean: ["true", "false"].contains(text.lowercased())
            case .int(let range): (Int32(text).map { range.contains(Int64($0)) }) ?? false
            case .long(let range): Int64(text).map(range.contains) ?? false
            case .double(let range): Double(text).map(range.contains) ?? false
            case .string(let values): values.contains(text)
            case .list(let values): values.isEmpty || Self.items(of: text).allSatisfy(values.contains)
            }
        return isFine ? nil : "Invalid value \(value) for configuration \(name)"
    }

    var isList: Bool {
        if case .list = kind { true } else { false }
    }

    static func items(of list: String) -> [String] {
        list.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
    }
}

extension String {
    /// Without blanks around it.
    var trimmed: String {
        let isBlank = { (character: Character) in character.isWhitespace }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}

extension ConfigDefinition {
    private static let notNegative = 0...Int64.max
    private static let positive = 1...Int64.max

    private static func define(_ name: String, _ kind: Kind, _ initial: String, _ brokerName: String? = nil)
        -> ConfigDefinition
    {
        ConfigDefinition(name: name, kind: kind, initial: initial, brokerName: brokerName)
    }

    /// All that Kafka knows, so that tools which set them work. What has no effect here says the decision on the
    /// embedded broker.
    static let all: [ConfigDefinition] = [
        define("cleanup.policy", .list(["compact", "delete"]), "delete", "log.cleanup.policy"),
        define("compression.gzip.level", .int(-1...9), "-1", "compression.gzip.level"),
        define("compression.lz4.level", .int(1...17), "9", "compression.lz4.level"),
        define(
            "compression.type", .string(["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), "producer",
            "compression.type"),
        define("compression.zstd.level", .int(-131_072...22), "3", "compression.zstd.level"),
        define("delete.retention.ms", .long(notNegative), "86400000", "log.cleaner.delete.retention.ms"),
        define("file.delete.delay.ms", .long(notNegative), "60000", "log.segment.delete.delay.ms"),
        define("flush.messages", .long(positive), "9223372036854775807", "log.flush.interval.messages"),
        define("flush.ms", .long(notNegative), "9223372036854775807", "log.flush.interval.ms"),
        define("follower.replication.throttled.replicas", .list([]), ""),
        define("index.interval.bytes", .int(notNegative), "4096", "log.index.interval.bytes"),
        define("leader.replication.throttled.replicas", .list([]), ""),
        define("local.retention.bytes", .long(-2...Int64.max), "-2", "log.local.retention.bytes"),
        define("local.retention.ms", .long(-2...Int64.max), "-2", "log.local.retention.ms"),
        define(
            "max.compaction.lag.ms", .long(positive), "9223372036854775807", "log.cleaner.max.compaction.lag.ms"),
        define("max.message.bytes", .int(notNegative), "1048588", "message.max.bytes"),
        define(
            "message.timestamp.after.max.ms", .long(notNegative), "3600000", "log.message.timestamp.after.max.ms"),
        define(
            "message.timestamp.before.max.ms", .long(notNegative), "9223372036854775807",
            "log.message.timestamp.before.max.ms"),
        define(
            "message.timestamp.type", .string(["CreateTime", "LogAppendTime"]), "CreateTime",
            "log.message.timestamp.type"),
        define("min.cleanable.dirty.ratio", .double(0...1), "0.5", "log.cleaner.min.cleanable.ratio"),
        define("min.compaction.lag.ms", .long(notNegative), "0", "log.cleaner.min.compaction.lag.ms"),
        define("min.insync.replicas", .int(positive), "1", "min.insync.replicas"),
        define("preallocate", .boolean, "false", "log.preallocate"),
        define("remote.log.copy.disable", .boolean, "false"),
        define("remote.log.delete.on.disable", .boolean, "false"),
        define("remote.storage.enable", .boolean, "false"),
        define("retention.bytes", .long(Int64.min...Int64.max), "-1", "log.retention.bytes"),
        define("retention.ms", .long(-1...Int64.max), "604800000", "log.retention.ms"),
        define("segment.bytes", .int(1_048_576...Int64.max), "1073741824", "log.segment.bytes"),
        define("segment.index.bytes", .int(4...Int64.max), "10485760", "log.index.size.max.bytes"),
        define("segment.jitter.ms", .long(notNegative), "0", "log.roll.jitter.ms"),
        define("segment.ms", .long(positive), "604800000", "log.roll.ms"),
        define("unclean.leader.election.enable", .boolean, "false", "unclean.leader.election.enable"),
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
