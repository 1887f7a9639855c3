import Testing

@testable import KafkaWire

/// Every API, version and direction against the bytes of Apache Kafka's classes.
@Suite struct GoldenTests {
    @Test func coversAllThatIsServed() {
        var expected: Set<String> = []
        for key in APIKey.allCases {
            for version in key.versions {
                let variants = ["full", "null", "default", "blank"] + (key.isFlexible(version) ? ["tagged"] : [])
                for variant in variants {
                    expected.insert("\(key) \(version) request \(variant)")
                    expected.insert("\(key) \(version) response \(variant)")
                }
            }
        }
        #expect(Set(GoldenLine.all.map(\.description)) == expected)
        #expect(GoldenLine.all.count == 1_418)
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

    @Test func startsNestedStructsFromKafkasDefaults() throws {
        var compared = 0
        for line in GoldenLine.all where line.variant == "blank" {
            compared += expectBlank(try line.decode().message, line)
        }
        // Each of the 326 messages, and the structs in them.
        #expect(compared > 700)
    }

    /// Compares all but lists with a new struct of the same type, and goes on with the lists' elements.
    private func expectBlank(_ message: any WireMessage, _ line: GoldenLine) -> Int {
        let fields = Mirror(reflecting: message).children
        let defaults = Mirror(reflecting: type(of: message).init()).children
        var compared = 1
        for (field, value) in zip(fields, defaults) {
            if let elements = field.value as? [any WireMessage], !elements.isEmpty {
                for element in elements { compared += expectBlank(element, line) }
            } else {
                let (found, expected) = (String(describing: field.value), String(describing: value.value))
                #expect(found == expected, "\(field.label ?? "") in \(line)")
            }
        }
        return compared
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
