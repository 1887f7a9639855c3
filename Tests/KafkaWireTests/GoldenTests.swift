import Testing

@testable import KafkaWire

/// Every API, version and direction against the bytes of Apache Kafka's classes.
@Suite struct GoldenTests {
    @Test func coversAllThatIsServed() {
        var expected: Set<String> = []
        for key in APIKey.allCases {
            for version in key.versions {
                let variants = ["full", "null", "default"] + (key.isFlexible(version) ? ["tagged"] : [])
                for variant in variants {
                    expected.insert("\(key) \(version) request \(variant)")
                    expected.insert("\(key) \(version) response \(variant)")
                }
            }
        }
        #expect(Set(GoldenLine.all.map(\.description)) == expected)
        #expect(GoldenLine.all.count == 1_092)
    }

    @Test func readsAndWritesTheSameBytes() throws {
        for line in GoldenLine.all where line.variant != "tagged" {
            let decoded = try line.decode()
            #expect(try line.encode(decoded) == line.bytes, "\(line)")
        }
    }

    @Test func startsFromKafkasDefaults() throws {
        func isDefault<Message: WireMessage>(_ message: Message) -> Bool { message == Message() }
        for line in GoldenLine.all where line.variant == "default" {
            let equal = isDefault(try line.decode().message)
            #expect(equal, "\(line)")
        }
    }

    /// A later version may add tagged fields: they change nothing for who does not know them (KIP-482).
    @Test func passesOverUnknownTags() throws {
        for line in GoldenLine.all where line.variant == "tagged" {
            let plain = try #require(GoldenLine.find(line.key, line.version, request: line.isRequest))
            #expect(line.bytes.count > plain.bytes.count || line.key == .apiVersions, "\(line)")
            #expect(try line.decode() == plain.decode(), "\(line)")
        }
    }

    @Test func readsTheHeader() throws {
        for line in GoldenLine.all {
            switch try line.decode() {
            case .request(let frame):
                #expect(frame.header.key == line.key && frame.header.version == line.version)
                #expect(frame.header.correlationID == 77)
                #expect(frame.header.clientID == (line.variant == "null" ? nil : "golden"))
            case .response(let frame): #expect(frame.correlationID == 77)
            }
        }
    }
}
