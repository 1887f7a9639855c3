import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

@Suite(.enabled(if: RealBroker.isThere, RealBroker.reason), .serialized)
struct RealChangelogTests {
    /// A changelog of so many partitions, a writer of transactions and a reader.
    private func withChangelog(
        _ name: String, partitions: Int = 1, _ body: (TopicName, Transactions, ChangelogDriver) throws -> Void
    ) throws {
        let topic = TopicName(RealBroker.unique(name))
        try RealBroker.withTopics([.changelog(topic, partitions: partitions)]) {
            let writer = Transactions()
            defer { writer.close() }
            let driver = try ChangelogDriver(RealBroker.settings)
            defer { driver.close() }
            try body(topic, writer, driver)
        }
    }

    @Test func abortedRecordsNeverAppearAndMarkersDoNotHideTheEnd() throws {
        try withChangelog("restore", partitions: 3) { topic, writer, driver in
            let (one, two, empty) = (Split(topic, 0), Split(topic, 1), Split(topic, 2))
            try writer.commit(one, ["a", "b"])  // 0, 1, marker 2
            try writer.abort(one, ["x", "y"])  // 3, 4, marker 5
            try writer.commit(one, ["c"])  // 6, marker 7
            try writer.abort(one, ["z"])  // 8, marker 9
            try writer.commit(two, ["d"])  // 0, marker 1
            driver.read([one: 0, two: 0, empty: 0], .toEnd)
            try driver.until("the ends") { $0.ends.count == 3 }
            #expect(driver.began == [one: 10, two: 2, empty: 0])
            #expect(driver.ends == [one: 10, two: 2, empty: 0])
            #expect(driver.values == [one: ["a", "b", "c"], two: ["d"]])
            #expect(driver.offsets == [one: [0, 1, 6], two: [0]])

            // From a local copy's position on.
            driver.read([one: 2, two: 2], .toEnd)
            try driver.until("the rest") { $0.ends.count == 2 }
            #expect(driver.ends == [one: 10, two: 2])
            #expect(driver.offsets == [one: [6]])
            #expect(driver.lost.isEmpty && driver.onlyWaited)
        }
    }

    /// A record without a transaction may be the last thing of a partition.
    @Test func endsWithARecord() throws {
        try withChangelog("plain") { topic, _, driver in
            let split = Split(topic, 0)
            try fillKeyed(split, (0..<100).map { "v\($0)" })
            driver.read([split: 90], .toEnd)
            try driver.until("the end") { $0.ends[split] == 100 }
            #expect(driver.values[split] == (90..<100).map { "v\($0)" })
        }
    }

    @Test(arguments: [true, false])
    func whatIsOpenAtTheBeginningIsWaitedFor(_ commits: Bool) throws {
        try withChangelog("open") { topic, writer, driver in
            let split = Split(topic, 0)
            try writer.commit(split, ["a"])  // 0, marker 1
            try writer.begin(split, ["b", "c"])  // 2, 3
            driver.read([split: 0], .toEnd)
            try driver.until("what is committed") { $0.values[split] == ["a"] }
            driver.port.requestStableEnds([split])
            try driver.until("the stable end") { $0.stable == [split: 2] }
            #expect(driver.began == [split: 4])
            if commits {
                // It says what it waits for.
                try driver.until("the reason") { $0.troubles.contains { $0.code == "CHANGELOG_WAITS" } }
            }
            #expect(driver.ends.isEmpty && driver.onlyWaited)
            commits ? try writer.commit() : try writer.abort()  // marker 4
            try driver.until("the end") { !$0.ends.isEmpty }
            // The last record is the end that was seen at the beginning; where it is aborted, its marker tells.
            #expect(driver.ends[split].map { $0 >= (commits ? 4 : 5) } == true)
            #expect(driver.values[split] == (commits ? ["a", "b", "c"] : ["a"]))
            driver.port.requestStableEnds([split])
            try driver.until("the new stable end") { $0.stable == [split: 5] }
        }
    }

    @Test func followsWhatIsCommittedLater() throws {
        try withChangelog("follow", partitions: 2) { topic, writer, driver in
            let (one, two) = (Split(topic, 0), Split(topic, 1))
            driver.read([one: 0, two: 0], .follow)
            try driver.until("the empty ends") { $0.ends == [one: 0, two: 0] }
            try writer.commit(one, ["a"])  // 0, marker 1
            try driver.until("the first") { $0.ends[one] == 2 }
            try writer.abort(one, ["x"])  // 2, marker 3
            try driver.until("the aborted") { $0.ends[one] == 4 }
            try writer.begin(one, ["b"])  // 4
            try writer.commit()  // marker 5
            try writer.commit(two, ["c"])  // 0, marker 1
            try driver.until("the last") { $0.ends == [one: 6, two: 2] }
            #expect(driver.values == [one: ["a", "b"], two: ["c"]])
            #expect(driver.onlyWaited)
        }
    }

    /// Nobody may delete the beginning of a compacted topic, but it may have been another kind of topic before.
    @Test func deletedBeginningIsSkipped() throws {
        let topic = TopicName(RealBroker.unique("low"))
        try RealBroker.withTopics([NewTopic(topic, partitions: 1)]) {
            let driver = try ChangelogDriver(RealBroker.settings)
            defer { driver.close() }
            let split = Split(topic, 0)
            try fillKeyed(split, (0..<10).map { "v\($0)" })
            try Self.admin { try $0.deleteRecords([split: 6]) }
            driver.read([split: 2], .toEnd)
            try driver.until("the end") { $0.ends[split] == 10 }
            #expect(driver.offsets[split] == [6, 7, 8, 9] && driver.lost.isEmpty)
        }
    }

    @Test func aTopicMadeAnewIsNoState() throws {
        try withChangelog("anew") { topic, _, driver in
            let split = Split(topic, 0)
            try fillKeyed(split, (0..<10).map { "v\($0)" })
            driver.read([split: 0], .follow)
            try driver.until("the end") { $0.ends[split] == 10 }
            try Self.remake(topic)
            try driver.until("the loss of what is followed", within: .seconds(40)) { $0.lost == [split] }
            #expect(!driver.troubles.contains { $0.recovery == .stop }, "\(driver.troubles)")
            driver.read([split: 10], .toEnd)
            try driver.until("the loss at the beginning") { $0.lost == [split] }
            #expect(driver.values.isEmpty && driver.ends.isEmpty)
            // Anew.
            try fillKeyed(split, ["w0"])
            driver.read([split: 0], .toEnd)
            try driver.until("the new end") { $0.ends[split] == 1 }
            #expect(driver.values[split] == ["w0"])
        }
    }

    @Test func aReplacedReadingSaysNothingMore() throws {
        try withChangelog("replace", partitions: 2) { topic, _, driver in
            let (one, two) = (Split(topic, 0), Split(topic, 1))
            try fillKeyed(one, (0..<5000).map { "v\($0)" })
            try fillKeyed(two, ["w"])
            for start in [0, 4990, 17, 2500] as [Int64] {
                driver.read([one: 0, two: 0], .toEnd)
                while driver.offsets[one] == nil { driver.step(bytesMax: 1000) }
                driver.read([one: Position(start)], .toEnd)
                try driver.until("the end from \(start)") { $0.ends[one] == 5000 }
                #expect(driver.began == [one: 5000] && driver.ends.count == 1)
                #expect(driver.offsets == [one: Array(start..<5000)])
            }
            // Also right behind one that has not begun.
            driver.read([one: 0, two: 0], .follow)
            driver.read([two: 0], .toEnd)
            try driver.until("the other's end") { $0.ends[two] == 1 }
            #expect(driver.began == [two: 1] && driver.values == [two: ["w"]])

            driver.read([one: 0], .follow)
            try driver.until("records") { $0.offsets[one] != nil }
            driver.port.stop()
            let count = driver.offsets[one]?.count
            driver.port.requestStableEnds([one, two])
            driver.stable = nil
            try driver.until("an answer beside it") { $0.stable == [one: 5000, two: 1] }
            #expect(driver.offsets[one]?.count == count && driver.onlyWaited)
        }
    }

    @Test func compactionGapsAreNormal() throws {
        let topic = TopicName(RealBroker.unique("compacted"))
        let eager = NewTopic(
            topic, partitions: 1,
            config: [
                "cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001",
                "max.compaction.lag.ms": "100",
            ])
        try RealBroker.withTopics([eager]) {
            let split = Split(topic, 0)
            let driver = try ChangelogDriver(RealBroker.settings)
            defer { driver.close() }
            var written = 0
            // Segments close with the next record after their time; the cleaner takes its own.
            try wait("compaction", within: .seconds(60)) {
                try fillKeyed(split, (written..<written + 10).map { "v\($0)" }, key: "key")
                written += 10
                driver.read([split: 0], .toEnd)
                try driver.until("the end") { $0.ends[split] == Position(Int64(written)) }
                return (driver.offsets[split]?.count ?? 0) < written - 10
            }
            let offsets = driver.offsets[split] ?? []
            #expect(offsets.last == Int64(written - 1) && offsets == offsets.sorted())
            #expect(driver.values[split]?.last == "v\(written - 1)")
        }
    }

    @Test func aMissingTopicIsForAPerson() throws {
        let name = RealBroker.unique("absent")
        let driver = try ChangelogDriver(RealBroker.settings)
        defer { driver.close() }
        driver.read([Split(TopicName(name), 0): 0], .toEnd)
        try driver.until("the stop") { $0.troubles.last?.recovery == .stop }
        let trouble = try #require(driver.troubles.last)
        #expect(trouble.code == "KAFKA_UNKNOWN_TOPIC_OR_PART" && trouble.message.contains(name))
        // It may have been about to appear.
        #expect(driver.troubles.count > 1 && driver.troubles.dropLast().allSatisfy { $0.recovery == .retry })
        #expect(driver.began == nil)
    }

    @Test func aPartitionThatIsNotThereIsForAPerson() throws {
        try withChangelog("few") { topic, _, driver in
            driver.read([Split(topic, 0): 0, Split(topic, 3): 0], .toEnd)
            try driver.until("the stop") { $0.troubles.last?.recovery == .stop }
            #expect(driver.troubles.last?.code == "KAFKA_UNKNOWN_PARTITION")
        }
    }

    // MARK: -

    private static func admin(_ body: (Admin) throws -> Void) throws {
        let admin = try Admin(RealBroker.settings)
        defer { admin.close() }
        try body(admin)
    }

    /// Deletes a topic and creates it again, empty.
    private static func remake(_ topic: TopicName) throws {
        try admin { admin in
            try admin.delete([topic])
            try wait("the new topic") {
                try admin.create([.changelog(topic, partitions: 1)]).contains(topic)
            }
        }
    }
}
