import CommitProtocol
import StreamCore
import Synchronization
import Testing

@testable import KafkaClient

/// Against librdkafka's mock cluster: what needs no judge of exactly-once.
@Suite(.serialized)
struct MockTests {
    private static func read(_ settings: KafkaSettings, _ split: Split, count: Int) throws -> RecordBlock {
        let consumer = try Consumer(settings, ConsumerOptions(groupID: "reader"))
        defer { consumer.close(within: .seconds(5)) }
        consumer.open([split: 0])
        let all = RecordBlock(topics: [split.topic])
        try wait("\(count) records") {
            while let event = consumer.poll(bytesMax: 4 << 20) {
                guard case .records(let block) = event else { continue }
                for slot in block.slots {
                    var copy = slot
                    copy.key = all.arena.append(slot.key, from: block.arena)
                    copy.value = all.arena.append(slot.value, from: block.arena)
                    copy.headers = all.arena.append(slot.headers, from: block.arena)
                    all.slots.append(copy)
                }
            }
            return all.count >= count
        }
        return all
    }

    @Test func everyKindOfRecordComesBackAsItWas() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("kinds", partitions: 1)
        let out = RecordBlock(topics: ["kinds"])
        let headers = [
            RecordHeader("twice", [1]), RecordHeader("twice", [2, 3]), RecordHeader("none", nil),
            RecordHeader("empty", []),
            RecordHeader("", [9]), RecordHeader("ümlaut", Array("ß".utf8)),
        ]
        let megabyte = [UInt8](repeating: 7, count: 1_000_000)
        func add(_ key: [UInt8]?, _ value: [UInt8]?, _ headers: [RecordHeader] = [], _ time: Int64 = -1) {
            out.slots.append(
                RecordSlot(
                    key: key.map { out.arena.append(contentsOf: $0) } ?? .null,
                    value: value.map { out.arena.append(contentsOf: $0) } ?? .null,
                    headers: RecordHeaders.encode(headers, into: out.arena), timestamp: time, partition: 0))
        }
        add([1], [2])
        add([1], nil)
        add(nil, [])
        add([], [3], headers)
        add(nil, nil, headers, 1_234_567_890_123)
        add(nil, [4], [], 42)
        add([5], megabyte)
        let producer = try Producer(cluster.settings, ProducerOptions(linger: .milliseconds(1)))
        defer { producer.close(within: .seconds(5)) }
        try producer.produce(out, number: 0, within: .seconds(5))
        try producer.flush(within: .seconds(10))
        #expect(producer.takeDeliveryFailure() == nil)

        let back = try Self.read(cluster.settings, Split("kinds", 0), count: 7)
        #expect(back.slots.map(\.offset) == [0, 1, 2, 3, 4, 5, 6])
        #expect((0..<7).map { back.key($0) } == [[1], [1], nil, [], nil, nil, [5]])
        #expect((0..<7).map { back.value($0) } == [[2], nil, [], [3], nil, [4], megabyte])
        #expect((0..<7).map { back.headers($0) } == [[], [], [], headers, headers, [], []])
        #expect(back.slots[4].timestamp == 1_234_567_890_123 && back.slots[5].timestamp == 42)
        #expect(back.slots.allSatisfy { $0.timestampType == .createTime })
    }

    @Test func keysGoWhereJavaClientsSendThem() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("keys", partitions: 4)
        let out = RecordBlock(topics: ["keys"])
        for key in ["21", "foobar", "a-little-bit-long-string"] {
            out.slots.append(RecordSlot(key: out.arena.append(key), value: out.arena.append(key)))
        }
        let producer = try Producer(cluster.settings, ProducerOptions())
        defer { producer.close(within: .seconds(5)) }
        try producer.produce(out, number: 0, within: .seconds(5))
        try producer.flush(within: .seconds(10))
        // murmur2 of Kafka's own UtilsTest: -973932308, -790332482, -985981536; positive (& 0x7fffffff) modulo 4.
        let expected: [(String, Int32)] = [("21", 0), ("foobar", 2), ("a-little-bit-long-string", 0)]
        for (key, partition) in expected {
            let block = try Self.read(cluster.settings, Split("keys", PartitionID(partition)), count: 1)
            #expect((0..<block.count).contains { block.key($0) == Array(key.utf8) }, "\(key)")
        }
    }

    @Test func fullQueueWaitsAndThenGivesUp() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("full", partitions: 1)
        var settings = cluster.settings
        settings.properties["queue.buffering.max.messages"] = "50"
        let producer = try Producer(settings, ProducerOptions(linger: .zero))
        defer { producer.close(within: .seconds(5)) }
        let values = (0..<3000).map { "value \($0)" }
        try producer.produce(block("full", values), number: 0, within: .seconds(20))
        try producer.flush(within: .seconds(10))
        let back = try Self.read(cluster.settings, Split("full", 0), count: 3000)
        #expect((0..<back.count).map { back.arena.string(back.slots[$0].value) } == values)

        cluster.setBroker(1, isUp: false)
        let begin = SystemClock().now
        let failure = #expect(throws: ProduceFailure.self) {
            try producer.produce(block("full", values), number: 1, within: .milliseconds(300))
        }
        #expect(failure?.error.code == .queueFull && failure?.record == nil)
        let waited = SystemClock().now - begin
        #expect(waited >= .milliseconds(300) && waited < .seconds(3))
    }

    @Test func brokerAwayIsTroubleThatPassesAndFewLines() throws {
        final class Lines: LogHandler {
            let count = Mutex(0)
            func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) {
                if level >= .notice { count.withLock { $0 += 1 } }
            }
        }
        let cluster = try MockCluster()
        try cluster.createTopic("away", partitions: 1)
        let lines = Lines()
        let input = try AssignedInput(cluster.settings, groupID: "away", topics: ["away"], log: lines)
        let driver = InputDriver(input)
        defer { input.close(within: .seconds(5)) }
        input.start()
        let split = Split("away", 0)
        try driver.until("assignment") { $0.assigned == [split] }
        input.open([split: 0])
        try driver.until("the end") { $0.ends[split] == 0 }
        cluster.setBroker(1, isUp: false)
        let begin = SystemClock().now
        try driver.until("trouble") { $0.troubles.count > 0 && SystemClock().now - begin > .seconds(3) }
        #expect(driver.troubles.allSatisfy { $0.recovery == .retry })
        #expect(driver.troubles.count <= 4 && lines.count.withLock { $0 } <= 4)
        cluster.setBroker(1, isUp: true)
        try fill(cluster.settings, "away", ["back"])
        try driver.until("work goes on") { $0.values == ["back"] }
    }

    @Test func groupOnTheMock() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("grouped", partitions: 3)
        let input = try GroupInput(cluster.settings, GroupInputOptions(groupID: "g", topics: ["grouped"]))
        let driver = InputDriver(input)
        defer { input.close(within: .seconds(5)) }
        input.start()
        try driver.until("assignment") { $0.assigned.count == 3 }
        input.resolve(Dictionary(uniqueKeysWithValues: driver.assigned.map { ($0, .earliest) }))
        try driver.until("positions") { $0.resolved != nil }
        input.open(driver.resolved ?? [:])
        for partition in 0..<3 { try fill(cluster.settings, "grouped", ["v\(partition)"], partition: Int32(partition)) }
        try driver.until("records") { Set($0.values) == ["v0", "v1", "v2"] }
        // Memory full: the group goes on, records wait.
        try fill(cluster.settings, "grouped", ["later"])
        driver.step(bytesMax: 0)
        #expect(driver.values.count == 3)
        try driver.until("the last") { $0.values.contains("later") }
    }

    @Test func atLeastOnce() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("in", partitions: 1)
        try cluster.createTopic("out", partitions: 1)
        let input = try GroupInput(cluster.settings, GroupInputOptions(groupID: "q", topics: ["in"]))
        let driver = InputDriver(input)
        input.start()
        try driver.until("assignment") { $0.assigned.count == 1 }
        let options = CommitOptions(query: QueryName("q"), transactionalID: "unused", outputTopics: ["out"])
        let writer = KafkaWriter(cluster.settings, options, membership: input.membership)
        defer {
            writer.close(within: .seconds(5))
            input.close(within: .seconds(5))
        }
        let split = Split("in", 0)
        #expect(try writer.ask(.initialize).isInitialized)
        #expect(try writer.ask(.recover([split])).recovered?.positions == [:])
        _ = try writer.ask(.begin(1))
        _ = try writer.ask(.produce(block("out", ["a", "b"])))
        #expect(try writer.ask(.commit(EpochCommit(epoch: 1, positions: [split: 2]))).isCommitted)
        #expect(try writer.ask(.recover([split])).recovered?.positions == [split: 2])
        #expect(try Self.read(cluster.settings, Split("out", 0), count: 2).count == 2)
    }

    @Test func unreachableBrokerIsUnavailable() throws {
        // Nothing listens on port 1.
        let settings = KafkaSettings(brokers: ["127.0.0.1:1"])
        let input = try GroupInput(settings, GroupInputOptions(groupID: "q", topics: ["in"]))
        var options = CommitOptions(query: QueryName("q"), transactionalID: "q-0", outputTopics: ["out"])
        options.callTimeout = .seconds(1)
        let output = KafkaTransactions(settings, options, membership: input.membership)
        defer {
            output.close(within: .seconds(5))
            input.close(within: .seconds(5))
        }
        for _ in 0..<2 {
            let failure = try #require(try output.ask(.initialize).failure)
            #expect(failure.kind == .unavailable)
            #expect(failure.error.description.contains("127.0.0.1:1"), "\(failure.error)")
            #expect(failure.error.recovery == .retry)
        }
    }
}
