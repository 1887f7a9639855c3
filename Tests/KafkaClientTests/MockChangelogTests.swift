import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

/// Against librdkafka's mock cluster: what needs no judge of exactly-once.
@Suite(.serialized)
struct MockChangelogTests {
    @Test func manyPartitionsInBlocksOfBoundedSize() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("state", partitions: 3)
        let value = String(repeating: "x", count: 1000)
        for partition in 0..<3 as Range<Int32> {
            try fill(cluster.settings, "state", (0..<1000).map { "\($0)\(value)" }, partition: partition)
        }
        let driver = try ChangelogDriver(cluster.settings)
        defer { driver.close() }
        let splits = (0..<3).map { Split("state", PartitionID($0)) }
        driver.read(Dictionary(uniqueKeysWithValues: splits.map { ($0, 0) }), .toEnd)
        try driver.until("the ends") { $0.ends.count == 3 }
        for split in splits {
            #expect(driver.began?[split] == 1000 && driver.ends[split] == 1000)
            #expect(driver.offsets[split] == Array(0..<1000))
        }
        // About: the last record may go over it.
        #expect(driver.blockBytesMax < (1 << 20) + 1100)
    }

    @Test func nothingToReadBeginsAndEnds() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("state", partitions: 1)
        let driver = try ChangelogDriver(cluster.settings)
        defer { driver.close() }
        driver.read([:], .toEnd)
        try driver.until("the beginning") { $0.began == [:] }
        driver.read([Split("state", 0): 0], .toEnd)
        try driver.until("the end") { $0.ends == [Split("state", 0): 0] }
        driver.port.requestStableEnds([])
        try driver.until("no ends") { $0.stable == [:] }
    }

    /// Full memory takes no records, and everything else goes on.
    @Test func withoutRoomOnlyEventsCome() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("state", partitions: 1)
        try fill(cluster.settings, "state", ["a"])
        let driver = try ChangelogDriver(cluster.settings)
        defer { driver.close() }
        driver.read([Split("state", 0): 0], .toEnd)
        try wait("the beginning") {
            driver.step(bytesMax: 0)
            return driver.began != nil
        }
        driver.port.requestStableEnds([Split("state", 0)])
        try wait("the stable ends") {
            driver.step(bytesMax: 0)
            return driver.stable == [Split("state", 0): 1]
        }
        #expect(driver.values.isEmpty)
        try driver.until("the end") { $0.ends == [Split("state", 0): 1] }
    }

    @Test func noPermissionIsForAPerson() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("state", partitions: 1)
        cluster.setError("state", .topicAuthorization)
        let driver = try ChangelogDriver(cluster.settings)
        defer { driver.close() }
        driver.read([Split("state", 0): 0], .toEnd)
        try driver.until("trouble") { $0.troubles.contains { $0.recovery == .stop } }
        let trouble = try #require(driver.troubles.first { $0.recovery == .stop })
        #expect(trouble.code == "KAFKA_TOPIC_AUTHORIZATION_FAILED" && trouble.remedy.contains("READ"))
    }

    @Test func aClusterThatIsAwayIsWaitedFor() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("state", partitions: 1)
        try fill(cluster.settings, "state", ["a", "b"])
        cluster.setBroker(1, isUp: false)
        let driver = try ChangelogDriver(cluster.settings)
        defer { driver.close() }
        driver.read([Split("state", 0): 0], .toEnd)
        try driver.until("trouble") { !$0.troubles.isEmpty }
        #expect(driver.onlyWaited, "\(driver.troubles)")
        cluster.setBroker(1, isUp: true)
        try driver.until("the end", within: .seconds(40)) { $0.ends == [Split("state", 0): 2] }
        #expect(driver.onlyWaited, "\(driver.troubles)")
    }

    @Test func aTopicThatVanishesIsForAPerson() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("state", partitions: 1)
        try fill(cluster.settings, "state", ["a"])
        var settings = cluster.settings
        // How soon librdkafka sees it, and how long it takes it for a topic that is about to appear.
        settings.properties["topic.metadata.refresh.interval.ms"] = "200"
        settings.properties["topic.metadata.propagation.max.ms"] = "100"
        let driver = try ChangelogDriver(settings)
        // Once a topic vanished, librdkafka may wait for ever for a reference to its broker (librdkafka #4362).
        defer { driver.port.close(within: .milliseconds(200)) }
        driver.read([Split("state", 0): 0], .follow)
        try driver.until("the end") { $0.ends == [Split("state", 0): 1] }
        cluster.setError("state", .unknownTopic)
        try driver.until("the stop") { $0.troubles.contains { $0.recovery == .stop } }
        #expect(driver.troubles.allSatisfy { $0.code == "KAFKA_UNKNOWN_TOPIC_OR_PART" }, "\(driver.troubles)")
    }

    @Test func aPermissionThatIsTakenAwayIsForAPerson() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("state", partitions: 1)
        let driver = try ChangelogDriver(cluster.settings)
        defer { driver.close() }
        driver.read([Split("state", 0): 0], .follow)
        try driver.until("the end") { $0.ends == [Split("state", 0): 0] }
        cluster.pushErrors(1, Array(repeating: .topicAuthorization, count: 5))
        try driver.until("the stop") { $0.troubles.contains { $0.recovery == .stop } }
        #expect(driver.troubles.map(\.code) == ["KAFKA_TOPIC_AUTHORIZATION_FAILED"])
    }
}
