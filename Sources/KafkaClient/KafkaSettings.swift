import CRDKafka

/// Where the cluster is and how to talk to it: brokers, and any librdkafka property that no guarantee rests on.
///
///     var settings = KafkaSettings(brokers: ["localhost:9092"])
///     settings.properties["security.protocol"] = "SASL_SSL"
///
/// Printing it shows names only, so that no secret gets into a log.
public struct KafkaSettings: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// `host:port`, at least one.
    public var brokers: [String]
    /// librdkafka properties by name, passed on as they are.
    public var properties: [String: String]
    /// Memory for records that were fetched ahead, in bytes, for each consumer.
    public var fetchBytesMax = 64 << 20
    /// Memory for records that wait to be sent, in bytes, for each producer.
    public var sendBytesMax = 256 << 20

    public init(brokers: [String], properties: [String: String] = [:]) {
        self.brokers = brokers
        self.properties = properties
    }

    public var description: String {
        "brokers \(brokers.joined(separator: ",")), properties \(properties.keys.sorted().joined(separator: ","))"
    }

    public var customMirror: Mirror {
        Mirror(self, children: ["brokers": brokers, "properties": properties.keys.sorted()])
    }

    /// Version of the librdkafka that runs, which may be newer than the one that was built against: "2.0.2".
    public static var librdkafkaVersion: String {
        // Safety: a static string.
        unsafe String(cString: rd_kafka_version_str())
    }

    /// The running version as 0xMMmmrrpp.
    static var librdkafkaVersionNumber: Int32 { rd_kafka_version() }

    /// SCRAM logins fail against brokers from 3.9.1 on before librdkafka 2.6.1: the client repeats its nonce wrongly
    /// and the broker began to check it. What to tell a user whose login failed with such a pair.
    func scramRemedy(version: Int32 = KafkaSettings.librdkafkaVersionNumber) -> String? {
        let mechanism = (properties["sasl.mechanism"] ?? properties["sasl.mechanisms"] ?? "").uppercased()
        guard mechanism.hasPrefix("SCRAM"), version < 0x0206_01ff else { return nil }
        return
            "If user name and password are right: librdkafka \(Self.librdkafkaVersion) cannot log in with SCRAM to "
            + "brokers of Kafka 3.9.1 or newer. Use SASL PLAIN, OAUTHBEARER or TLS certificates, or install librdkafka "
            + "2.6.1 or newer."
    }
}

/// A property that cannot be used, by name, so that a configuration's reader can point at the line.
public struct SettingProblem: Sendable, Hashable {
    public var property: String
    /// Never shows the value of a secret.
    public var message: String

    public init(property: String, message: String) {
        self.property = property
        self.message = message
    }
}
