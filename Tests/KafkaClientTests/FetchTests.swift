import StreamCore
import Testing

@testable import KafkaClient

@Suite struct FetchGaugeTests {
    @Test func nudgesOnceWhenAFullQueueIsHalfEmpty() {
        var gauge = FetchGauge(bytesMax: 1_000_000)
        let seen = [9, 6, 4, 3, 0, 8, 5, 4].map { gauge.note(records: $0, bytesPerRecord: 100_000) }
        #expect(seen == [false, false, true, false, false, false, false, true])
    }

    /// librdkafka stops at so many records as well, however small they are.
    @Test func countsRecordsToo() {
        var gauge = FetchGauge(bytesMax: 1 << 40)
        #expect(gauge.recordsMax == 1_000_000)
        let seen = [900_000, 600_000, 400_000].map { gauge.note(records: $0, bytesPerRecord: 1) }
        #expect(seen == [false, false, true])
        // 26 MiB of values, and 36 MiB for what is kept beside them.
        #expect(FetchGauge(bytesMax: 26 << 20).recordsMax == 106_496)
        #expect(FetchGauge(bytesMax: 1000).recordsMax == 1_000)
    }

    @Test func leavesAQueueAloneThatWasNeverFull() {
        var gauge = FetchGauge(bytesMax: 1_000_000)
        let seen = [0, 6, 3, 6, 0].map { gauge.note(records: $0, bytesPerRecord: 100_000) }
        #expect(seen == [false, false, false, false, false])
    }
}

@Suite(.enabled(if: RealBroker.isThere, RealBroker.reason), .serialized)
struct RealFetchTests {
    /// librdkafka 2.0 sleeps for up to a second at a full queue: 24 MB through a queue of 1 MB took over ten seconds.
    @Test func aFullQueueIsFetchedAgainAtOnce() throws {
        let id = RealBroker.unique("full")
        let split = Split(TopicName(id), PartitionID(0))
        try RealBroker.withTopics([NewTopic(split.topic, partitions: 1)]) {
            let value = String(repeating: "v", count: 512 << 10)
            try fill(RealBroker.settings, split.topic, Array(repeating: value, count: 48))
            var settings = RealBroker.settings
            settings.fetchBytesMax = 1 << 20
            let consumer = try Consumer(settings, ConsumerOptions(groupID: id))
            defer { consumer.close(within: .seconds(10)) }
            consumer.open([split: 0])
            var records = 0
            var first: MonotonicTime?
            try wait("all records", within: .seconds(60)) {
                if case .records(let block) = consumer.poll(bytesMax: 1) {
                    records += block.count
                    first = first ?? SystemClock().now
                }
                return records == 48
            }
            #expect(try SystemClock().now - #require(first) < .seconds(5))
        }
    }
}
