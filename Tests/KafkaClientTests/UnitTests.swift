import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct ErrorTests {
    @Test func mapsToStreamErrors() {
        let cases: [(KafkaError.Code, String, StreamError.Domain, StreamError.Recovery)] = [
            (.unknownTopic, "KAFKA_UNKNOWN_TOPIC_OR_PART", .user, .retry),
            (.topicAuthorization, "KAFKA_TOPIC_AUTHORIZATION_FAILED", .user, .stop),
            (.timedOut, "KAFKA_TIMED_OUT", .external, .retry),
            (.authentication, "KAFKA_AUTHENTICATION", .user, .retry),
            (.illegalGeneration, "KAFKA_ILLEGAL_GENERATION", .external, .rejoin),
            (.producerFenced, "KAFKA_PRODUCER_FENCED", .external, .abortEpoch),
            (.messageTooLarge, "KAFKA_MSG_SIZE_TOO_LARGE", .external, .stop),
        ]
        for (code, name, domain, recovery) in cases {
            let error = KafkaError(code, "Could not.").streamError
            #expect(error.code.name == name)
            #expect(error.domain == domain && error.recovery == recovery, "\(name)")
        }
    }

    @Test func troublesOfPeopleSayWhatToDo() {
        let needed: [KafkaError.Code] = [
            .unknownTopic, .topicAuthorization, .groupAuthorization, .transactionalIDAuthorization, .authentication,
            .tls,
            .allBrokersDown, .timedOut, .messageTooLarge, .producerFenced,
        ]
        for code in needed { #expect(!KafkaError(code, "x").remedy.isEmpty, "\(code)") }
    }

    @Test func scramIsExplainedWhereItFails() {
        var settings = KafkaSettings(brokers: ["b"])
        #expect(settings.scramRemedy(version: 0x0200_02ff) == nil)
        settings.properties["sasl.mechanism"] = "SCRAM-SHA-512"
        let remedy = settings.scramRemedy(version: 0x0200_02ff) ?? ""
        for way in ["PLAIN", "OAUTHBEARER", "TLS certificates", "2.6.1"] { #expect(remedy.contains(way)) }
        #expect(settings.scramRemedy(version: 0x0206_01ff) == nil)
        settings.properties["sasl.mechanism"] = "PLAIN"
        #expect(settings.scramRemedy(version: 0x0200_02ff) == nil)
    }

    @Test func everyFailureHasItsClass() {
        typealias Kind = TransactionFailure.Kind
        let table: [(KafkaError, CommitStep, Duration, Kind)] = [
            (KafkaError(.timedOut, ""), .initialize, .zero, .unavailable),
            (KafkaError(.timedOut, ""), .recover, .zero, .unavailable),
            (KafkaError(.authentication, ""), .initialize, .zero, .unavailable),
            (KafkaError(.transactionalIDAuthorization, "", isFatal: true), .initialize, .zero, .hopeless),
            (KafkaError(.invalidTransactionTimeout, "", isFatal: true), .initialize, .zero, .hopeless),
            (KafkaError(.unknownTopic, ""), .initialize, .zero, .hopeless),
            (KafkaError(.producerFenced, "", isFatal: true), .initialize, .zero, .fenced),
            (KafkaError(.fatal, "", isFatal: true), .initialize, .zero, .fatal),
            (KafkaError(.timedOut, ""), .flush, .seconds(1), .abortable),
            (KafkaError(.timedOut, ""), .offsets, .seconds(1), .abortable),
            (KafkaError(.timedOut, ""), .commit, .seconds(1), .indefinite),
            (KafkaError(.transport, ""), .commit, .seconds(1), .indefinite),
            (KafkaError(.timedOut, "", requiresAbort: true), .commit, .seconds(1), .abortable),
            (KafkaError(.illegalGeneration, "", requiresAbort: true), .offsets, .seconds(1), .fenced),
            (KafkaError(.unknownMember, "", requiresAbort: true), .offsets, .seconds(1), .fenced),
            (KafkaError(.fencedInstance, "", requiresAbort: true), .offsets, .seconds(1), .fenced),
            (KafkaError(.producerFenced, "", isFatal: true), .commit, .seconds(1), .fenced),
            (KafkaError(.fenced, "", isFatal: true), .produce, .seconds(1), .fenced),
            (KafkaError(.invalidProducerEpoch, "", isFatal: true), .commit, .seconds(1), .fenced),
            (KafkaError(.invalidProducerEpoch, "", isFatal: true), .commit, .seconds(11), .expired),
            (KafkaError(.invalidTransactionState, "", isFatal: true), .commit, .seconds(11), .expired),
            (KafkaError(.invalidTransactionState, "", isFatal: true), .commit, .seconds(1), .fatal),
            (KafkaError(.topicAuthorization, "", requiresAbort: true), .flush, .seconds(1), .hopeless),
            (KafkaError(.messageTooLarge, ""), .produce, .seconds(1), .abortable),
            (KafkaError(.queueFull, ""), .produce, .seconds(1), .abortable),
            (KafkaError(.state, ""), .begin, .zero, .abortable),
        ]
        for (error, step, age, kind) in table {
            let found = Kind.classify(error, at: step, age: age, timeout: .seconds(10))
            #expect(found == kind, "\(error.code) at \(step)")
        }
    }
}

@Suite struct SettingsTests {
    @Test func allMistakesAtOnce() {
        var settings = KafkaSettings(brokers: ["localhost:9092"])
        settings.properties = [
            "fetch.min.bytes": "1", "fetch.min.bites": "1", "linger.ms": "soon", "isolation.level": "read_uncommitted",
            "acks": "1", "security.protocol": "SASL_TLS",
        ]
        #expect(
            settings.problems().map(\.property) == [
                "acks", "fetch.min.bites", "isolation.level", "linger.ms", "security.protocol",
            ])
        #expect(KafkaSettings(brokers: []).problems().map(\.property) == ["brokers"])
        settings.properties = ["fetch.min.bytes": "1", "ssl.endpoint.identification.algorithm": "none"]
        #expect(settings.problems().isEmpty)
    }

    @Test func everyProtectedPropertyHasAReason() {
        for name in [
            "transactional.id", "group.id", "group.instance.id", "enable.auto.commit", "enable.idempotence", "acks",
        ] {
            #expect(KafkaSettings.protectedProperties[name]?.isEmpty == false)
        }
        let error = #expect(throws: KafkaError.self) {
            try Producer(KafkaSettings(brokers: ["b:1"], properties: ["transactional.id": "x"]), ProducerOptions())
        }
        #expect(error?.property == "transactional.id")
    }

    @Test func secretsAreNotShown() {
        let settings = KafkaSettings(brokers: ["b:1"], properties: ["sasl.password": "hunter2"])
        #expect(!"\(settings)".contains("hunter2"))
        #expect(!String(reflecting: settings).contains("hunter2"))
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        var wrong = KafkaSettings(brokers: ["b:1"])
        wrong.properties = ["ssl.key.password.typo": "hunter2"]
        #expect(wrong.problems().count == 1 && !"\(wrong.problems())".contains("hunter2"))
    }

    @Test func versionOfTheLibraryThatRuns() {
        #expect(KafkaSettings.librdkafkaVersion.split(separator: ".").count >= 3)
        #expect(KafkaSettings.librdkafkaVersionNumber >= 0x0200_00ff)
    }
}

@Suite struct LogGateTests {
    @Test func oneLineASecondAndIdenticalOnesOnce() {
        var gate = LogGate()
        func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }
        #expect(gate.admit("down", at: at(100)) == "down")
        #expect(gate.admit("other", at: at(100.5)) == nil)
        #expect(gate.admit("down", at: at(102)) == nil)
        #expect(gate.admit("news", at: at(103)) == "news (2 more lines left out)")
        #expect(gate.admit("news", at: at(114)) == "news")
    }
}

@Suite struct IdentityTests {
    private func folder() -> String { "/tmp/millrace-test-\(UInt64.random(in: 0 ... .max))" }

    private func remove(_ folder: String) {
        for name in ["slots/q.0", "slots/q.1", "slots/other.0", "installation"] { unlink("\(folder)/\(name)") }
        rmdir("\(folder)/slots")
        rmdir(folder)
    }

    @Test func slotsAreUniqueWhileHeldAndStableAfterwards() throws {
        let folder = folder()
        defer { remove(folder) }
        var first: InstanceIdentity? = try InstanceIdentity(query: QueryName("q"), folder: folder)
        let second = try InstanceIdentity(query: QueryName("q"), folder: folder)
        let other = try InstanceIdentity(query: QueryName("other"), folder: folder)
        #expect(first?.slot == 0 && second.slot == 1 && other.slot == 0)
        #expect(first?.installation == second.installation && second.installation.count == 16)
        let name = first?.name
        #expect(name == "q-\(second.installation)-0")
        first = nil
        #expect(try InstanceIdentity(query: QueryName("q"), folder: folder).name == name)
        #expect(second.isStable)
    }

    @Test func withoutAFolderEachIsItsOwn() throws {
        let one = try InstanceIdentity(query: QueryName("q"), folder: nil)
        let two = try InstanceIdentity(query: QueryName("q"), folder: nil)
        #expect(one.name != two.name && !one.isStable)
    }

    @Test func anUnusableFolderIsExplained() {
        let error = #expect(throws: StreamError.self) {
            try InstanceIdentity(query: QueryName("q"), folder: "/proc/no/such/folder")
        }
        #expect(error?.code == "STATE_FOLDER" && error?.domain == .external)
    }
}

@Suite struct ProgressCodingTests {
    @Test func roundTripAndGarbage() throws {
        var record = ProgressRecord(
            phase: .planned, epoch: 7, ranges: [SplitRange(Split("t", 1), from: 3, to: 9)],
            positions: [SplitPosition(Split("t", 1), 9)], batchTimeMs: 5)
        record.watermarks = ["w": -1]
        let bytes = try ProgressCoding.encode(record)
        #expect(try ProgressCoding.decode(bytes, topic: "p") == record)
        for garbage in [[], Array("{}".utf8), Array(bytes.dropLast()), [0xff, 0xfe]] as [[UInt8]] {
            #expect(throws: KafkaError.self) { try ProgressCoding.decode(garbage, topic: "p") }
        }
    }
}

@Suite struct SelectionTests {
    @Test func namesAndExpressions() throws {
        let names = try TopicSelection(["a", "b"])
        #expect(names.names == ["a", "b"] && names.contains("a") && !names.contains("c"))
        let mixed = try TopicSelection(["fixed", "^ord(ers)?-[0-9]+$"])
        #expect(mixed.names == nil)
        #expect(mixed.contains("fixed") && mixed.contains("ord-1") && mixed.contains("orders-22"))
        #expect(!mixed.contains("orders-") && !mixed.contains("xorders-1") && !mixed.contains("__consumer_offsets"))
        #expect(try !TopicSelection(["^.*"]).contains("__consumer_offsets"))
        #expect(throws: KafkaError.self) { try TopicSelection(["^("]) }
    }
}
