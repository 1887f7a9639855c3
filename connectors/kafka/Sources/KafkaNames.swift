/// What Kafka accepts as names and addresses.
public enum KafkaNames {
    /// What is wrong with the name of a topic, or nil.
    /// - Parameter suffixMax: characters that will be appended to it.
    public static func topicComplaint(_ name: String, suffixMax: Int = 0) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name == "." || name == ".." { return "must not be '.' or '..'" }
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        if !isPlain { return "may hold only letters a-z, digits, '.', '_' and '-', as Kafka's topics do" }
        let lengthMax = 249 - suffixMax
        return name.utf8.count > lengthMax ? "is longer than \(lengthMax) characters" : nil
    }

    /// What is wrong with `host:port` (a comma separated list of them) or `embedded`, or nil.
    public static func brokersComplaint(_ text: String) -> String? {
        let addresses = brokers(text)
        if addresses.isEmpty { return "must not be empty" }
        if addresses.count > 1, addresses.contains(where: { embeddedPort($0) != nil }) {
            return "'\(embedded)' stands alone: it is a cluster of its own"
        }
        for address in addresses where !isAddress(address) {
            return "expected HOST:PORT, such as localhost:9092"
        }
        return nil
    }

    /// `a:9092, b:9092` as a list.
    public static func brokers(_ text: String) -> [String] {
        text.split(separator: ",").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }

    /// In place of a host: a broker inside this process.
    public static let embedded = "embedded"

    /// Where `embedded` or `embedded:PORT` listens; 0: on a port that the system chooses. Nil for any other address.
    public static func embeddedPort(_ address: String) -> UInt16? {
        let parts = address.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts[0] == embedded else { return nil }
        return parts.count == 1 ? 0 : UInt16(parts[1])
    }

    private static func isAddress(_ address: String) -> Bool {
        guard address.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return false }
        var rest = address[...]
        for scheme in ["PLAINTEXT://", "SSL://", "SASL_PLAINTEXT://", "SASL_SSL://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]"), rest.distance(from: rest.startIndex, to: end) > 1 else {
                return false
            }
            rest = "h" + rest[end...].dropFirst()
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty, !host.contains("/") else { return false }
        return parts.count == 1 || UInt16(parts[1]).map { $0 > 0 } ?? false
    }
}
