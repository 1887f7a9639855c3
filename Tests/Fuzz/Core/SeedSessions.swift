import EmbeddedBroker
import KafkaWire

/// What clients do, from the creation of a topic to the end of a transaction: a fuzzer would not find the way.
enum SeedSessions {
    static let all: [(name: String, session: @Sendable (SeedRecorder) -> Void)] = [
        ("plain", plain), ("idempotent", idempotent), ("compacted", compacted), ("retained", retained),
        ("committed", { transaction($0, isCommit: true) }), ("aborted", { transaction($0, isCommit: false) }),
        ("expired", expired), ("group", group), ("rebalance", rebalance), ("administration", administration),
    ]

    /// Batches of every compression: the broker keeps what is compressed as it is.
    private static func plain(_ client: SeedRecorder) {
        client.createTopic("t", partitions: 2)
        client.produce("t", batch("a", "b"))
        for compression in Int16(1)...4 { client.produce("t", compressed(compression)) }
        client.produce("t", batch("c"), partition: 1, acks: 0)
        client.fetch("t")
        client.fetch("t", from: 6, maxWaitMs: 500)
        client.produce("t", batch("d"))
        for time in [-3, -2, -1, 1_000] as [Int64] { client.listOffsets("t", at: time) }
        client.deleteRecords("t", before: 3)
        client.restart()
        client.fetch("t", from: 3)
    }

    private static func idempotent(_ client: SeedRecorder) {
        client.createTopic("t")
        let id = client.initProducer(nil)
        for sequence in [0, 1, 1, 3, 2] as [Int32] {
            client.produce("t", batch("a", producer: id, sequence: sequence))
        }
        client.restart()
        client.produce("t", batch("b", producer: id, sequence: 3))
        client.describe("t", transactions: [])
    }

    private static func compacted(_ client: SeedRecorder) {
        let configs = ["cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "delete.retention.ms": "1000"]
        client.createTopic("t", configs: configs)
        for round in 0..<3 {
            for key in ["k", "l"] { client.produce("t", batch("\(round)", key: key)) }
        }
        client.produce("t", batch(nil, key: "k"))
        client.pass(60)
        client.fetch("t")
        client.produce("t", batch("z", key: "l"))
        client.pass(60)
        client.fetch("t")
        client.restart()
        client.fetch("t")
    }

    private static func retained(_ client: SeedRecorder) {
        client.createTopic("t", configs: ["retention.ms": "1000", "retention.bytes": "100"])
        for _ in 0..<4 { client.produce("t", batch(String(repeating: "a", count: 2_000))) }
        client.pass(200)
        client.fetch("t")
        client.pass(200)
        client.fetch("t", from: 4)
        client.listOffsets("t", at: -2)
    }

    /// Twice, so that the second one's batches follow a marker.
    private static func transaction(_ client: SeedRecorder, isCommit: Bool) {
        client.createTopic("t")
        for round in 0..<2 {
            let id = client.initProducer("p")
            client.addPartition(to: id, "t")
            client.produce("t", batch("a", producer: id, sequence: 0, isTransactional: true), transactionalId: "p")
            client.produce("t", batch("b", producer: id, sequence: 1, isTransactional: true), transactionalId: "p")
            client.fetch("t", isCommitted: true)
            client.commit(in: id, "g", "t", Int64(round))
            client.describe("t", transactions: ["p"])
            if round == 1 { client.restart() }
            client.end(id, isCommit: isCommit)
            client.fetch("t", isCommitted: true)
            client.committed("g", "t")
        }
    }

    private static func expired(_ client: SeedRecorder) {
        client.createTopic("t", configs: ["cleanup.policy": "compact"])
        let id = client.initProducer("p")
        client.addPartition(to: id, "t")
        client.produce("t", batch("a", producer: id, sequence: 0, isTransactional: true), transactionalId: "p")
        client.pass(30)
        client.produce("t", batch("b", producer: id, sequence: 1, isTransactional: true), transactionalId: "p")
        client.end(id, isCommit: true)
        client.describe("t", transactions: ["p"])
        client.fetch("t", isCommitted: true)
    }

    private static func group(_ client: SeedRecorder) {
        client.createTopic("t")
        let member = client.join("g", "")
        let joined = client.join("g", member.id)
        client.sync("g", joined)
        client.heartbeat("g", joined)
        client.commit("g", "t", 5, as: joined)
        client.committed("g", "t")
        client.describe(group: "g")
        client.restart()
        client.heartbeat("g", joined)
        client.leave("g", joined)
        client.deleteOffsets("g", "t")
        client.ask(.deleteGroups, .deleteGroups(DeleteGroupsRequest { $0.groupIDs = ["g"] }))
    }

    private static func rebalance(_ client: SeedRecorder) {
        let first = client.join("g", client.join("g", "").id)
        client.sync("g", first)
        let fixed = client.join("g", "", instance: "i")
        client.heartbeat("g", first)
        client.pass(5)
        let again = client.join("g", first.id)
        client.sync("g", again)
        client.describe(group: "g")
        client.pass(8)
        client.heartbeat("g", again)
        client.pass(8)
        client.join("g", fixed.id, instance: "i")
        client.pass(45)
        client.describe(group: "g")
    }

    private static func administration(_ client: SeedRecorder) {
        client.createTopic("t")
        client.createTopic("u", configs: ["max.message.bytes": "100"])
        client.produce("u", batch(String(repeating: "a", count: 200)))
        client.alter("t", "cleanup.policy", "compact,delete", operation: 0)
        client.alter("t", "cleanup.policy", "delete", operation: 3)
        client.alter("t", "retention.ms", nil, operation: 1)
        client.describe(configsOf: "t")
        client.createPartitions("t", 4)
        client.metadata(["t", "made"])
        client.restart()
        client.metadata(nil)
        client.deleteTopic("t")
        client.createTopic("t")
    }

    // MARK: - Batches

    private static func batch(
        _ values: String?..., key: String? = "k", producer: (id: Int64, epoch: Int16) = (-1, -1), sequence: Int32 = -1,
        isTransactional: Bool = false
    ) -> [UInt8] {
        var builder = RecordBatchBuilder(
            producerId: producer.id, producerEpoch: producer.epoch, baseSequence: sequence,
            isTransactional: isTransactional)
        for value in values {
            builder.add(
                key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) }, timestamp: 1_000_000,
                headers: [RecordHeader(key: [104], value: nil)])
        }
        return builder.build()
    }

    private static func compressed(_ compression: Int16) -> [UInt8] {
        var header = RecordBatchHeader()
        header.attributes = compression
        header.baseTimestamp = 1_000_000
        header.maxTimestamp = 1_000_000
        header.count = 1
        return header.batch(records: [0x1f, 0x8b, 0x08, 0x00][...])
    }
}
