import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

private enum SecureBroker {
    static var servers: String? { environment("MILLRACE_TEST_SECURE_BROKERS") }
    static var authority: String? { environment("MILLRACE_TEST_CA") }
    static var isThere: Bool { servers != nil && authority != nil }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

/// TLS and logins on a real broker: `MILLRACE_TEST_SECURE_BROKERS` (host:port) and `MILLRACE_TEST_CA` (a PEM file),
/// with the users alice / alice-secret (PLAIN) and bob / bob-secret (SCRAM-SHA-512).
@Suite(
    .enabled(
        if: SecureBroker.isThere, "needs a secure broker: set MILLRACE_TEST_SECURE_BROKERS and MILLRACE_TEST_CA"),
    .serialized)
struct SecureTests {
    private static func settings(_ changes: [String: String]) -> KafkaSettings {
        var settings = KafkaSettings(brokers: [SecureBroker.servers ?? ""])
        settings.properties = [
            "security.protocol": "SASL_SSL", "ssl.ca.location": SecureBroker.authority ?? "",
            "sasl.mechanism": "PLAIN", "sasl.username": "alice", "sasl.password": "alice-secret",
        ].merging(changes) { $1 }
        return settings
    }

    /// The first trouble that an input with these settings reports.
    private static func trouble(_ changes: [String: String]) throws -> StreamError {
        let input = try AssignedInput(settings(changes), groupID: "secure", topics: ["any"])
        let driver = InputDriver(input)
        defer { input.close(within: .seconds(5)) }
        input.start()
        let telling: Set<StreamError.Code> = ["KAFKA_AUTHENTICATION", "KAFKA_SSL"]
        return try waitFor("trouble", within: .seconds(20)) {
            driver.step()
            return driver.troubles.first { telling.contains($0.code) }
        }
    }

    @Test func plainLogin() throws {
        let admin = try Admin(Self.settings([:]))
        defer { admin.close() }
        #expect(try !admin.clusterID().isEmpty)
    }

    @Test func wrongPassword() throws {
        let error = try Self.trouble(["sasl.password": "wrong-one"])
        #expect(error.code == "KAFKA_AUTHENTICATION" && error.domain == .user && error.recovery == .retry)
        #expect(error.remedy.contains("sasl.username") && !error.description.contains("wrong-one"))
    }

    @Test func scramIsExplained() throws {
        guard KafkaSettings.librdkafkaVersionNumber < 0x0206_01ff else { return }
        let error = try Self.trouble([
            "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "bob", "sasl.password": "bob-secret",
        ])
        #expect(error.remedy.contains("2.6.1") && error.remedy.contains("PLAIN"), "\(error)")
    }

    @Test func unknownAuthority() throws {
        let error = try Self.trouble(["ssl.ca.location": "/etc/ssl/certs"])
        #expect(error.code == "KAFKA_SSL" && error.remedy.contains("ssl.ca.location"), "\(error)")
    }
}
