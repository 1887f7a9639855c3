import KafkaWire

/// A topic with its logs, by partition.
final class Topic {
    let name: String
    let id: WireUUID
    var config: TopicConfig
    var logs: [PartitionLog]

    init(name: String, id: WireUUID, config: TopicConfig, logs: [PartitionLog]) {
        self.name = name
        self.id = id
        self.config = config
        self.logs = logs
    }

    func log(_ partition: Int32) -> PartitionLog? {
        partition >= 0 && Int(partition) < logs.count ? logs[Int(partition)] : nil
    }

    /// As it is kept, with so many partitions.
    func record(partitions: Int, isDeleted: Bool = false) -> StateRecord {
        StateRecord(
            StateKey(.topic, name),
            StateTopic {
                $0.id.high = id.high
                $0.id.low = id.low
                $0.partitions = Int32(clamping: partitions)
                $0.isDeleted = isDeleted ? 1 : 0
                $0.configs = config.own.sorted { $0.key < $1.key }.map { name, value in
                    StateTopic.Config {
                        $0.name = name
                        $0.value = value
                    }
                }
            })
    }
}

/// The rules for topics' names.
enum TopicName {
    static let lengthMax = 249

    /// Why it is none, in Kafka's words; nil where it is one.
    static func fault(in name: String) -> String? {
        if name.isEmpty { return "Topic name is invalid: the empty string is not allowed" }
        if name == "." || name == ".." { return "Topic name is invalid: '\(name)' is not allowed" }
        if name.utf8.count > lengthMax {
            return "Topic name is invalid: the length of '\(name)' is longer than the max allowed length \(lengthMax)"
        }
        if name.utf8.allSatisfy(isLegal) { return nil }
        return "Topic name is invalid: '\(name)' contains one or more characters other than ASCII alphanumerics, "
            + "'.', '_' and '-'"
    }

    /// Names that differ in '.' and '_' alone were one name for Kafka's metrics, and are refused to this day.
    static func collisionKey(_ name: String) -> String {
        String(name.map { $0 == "." ? "_" : $0 })
    }

    private static func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
