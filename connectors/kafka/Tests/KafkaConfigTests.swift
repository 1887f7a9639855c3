import ConnectorKit
import StreamCore
import Testing

@testable import KafkaConnector

@Suite struct KafkaConfigTests {
    @Test(arguments: [
        ("orders", nil), ("a.b_c-D9", nil), ("", "must not be empty"), (".", "must not be '.' or '..'"),
        ("ä", "may hold only letters a-z, digits, '.', '_' and '-', as Kafka's topics do"),
        (String(repeating: "x", count: 249), nil),
        (String(repeating: "x", count: 250), "is longer than 249 characters"),
    ])
    func topicNames(name: String, complaint: String?) {
        #expect(KafkaNames.topicComplaint(name) == complaint)
    }

    @Test(arguments: [
        ("localhost:9092", true), ("a:1,b:2", true), ("[::1]:9092", true), ("SASL_SSL://h:1", true), ("host", true),
        ("", false), (",", false), ("a:0", false), ("a:70000", false), ("a:b", false), ("::1:9092", false),
        ("a b:1", false),
        ("embedded", true), ("embedded:9092", true), ("embedded,a:1", false), ("embedded:0", false),
        ("http://h:1", false), ("[]:1", false), (":9092", false),
    ])
    func brokers(text: String, isRight: Bool) {
        #expect((KafkaNames.brokersComplaint(text) == nil) == isRight)
    }

    @Test func protectedPropertiesSayWhy() {
        for name in [
            "group.id", "transactional.id", "enable.idempotence", "isolation.level", "auto.offset.reset",
            "enable.auto.commit", "bootstrap.servers", "acks", "plugin.library.paths",
        ] {
            #expect(ProtectedProperty.reason(for: name)?.isEmpty == false)
        }
        for name in [
            "fetch.min.bytes", "linger.ms", "compression.type", "sasl.password", "security.protocol", "client.id",
            "socket.timeout.ms", "session.timeout.ms",
        ] {
            #expect(ProtectedProperty.reason(for: name) == nil)
        }
        #expect(Set(ProtectedProperty.all.map(\.name)).count == ProtectedProperty.all.count)
    }

    @Test func secretsAreKnownByName() throws {
        let place = ConfigPlace(file: "f")
        let names = [
            "sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config", "sasl.username", "ssl.ca.location", "ssl.key.location",
        ]
        let options = ConfigValue(
            .map(
                names.map {
                    ConfigEntry($0, at: place, ConfigValue(.scalar(ConfigScalar("v", written: "${V}")), at: place))
                }),
            at: place)
        let settings = ConfigValue(
            .map([
                ConfigEntry("topic", at: place, .text("t", at: place)), ConfigEntry("options", at: place, options),
            ]), at: place)
        var checker = ConfigChecker(environment: ConfigEnvironment())
        let spec = try #require(KafkaConnector.spec.sink)
        let checked = checker.section(settings, spec.settings, path: "")
        let section = try #require(checked)
        #expect(checker.issues.isEmpty)
        let config = try #require(KafkaSinkConfig(section))
        let shown = config.connection.options.filter { $0.value == .text("v") }.keys.sorted()
        #expect(shown == ["sasl.username", "ssl.ca.location", "ssl.key.location"])
        #expect(config.connection.loginOptions.count == names.count)
    }
}
