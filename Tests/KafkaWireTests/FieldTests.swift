import Testing

@testable import KafkaWire

/// Decoded fields against the values that Golden.java gave them. With n the place of a field on the wire, from 1 on:
/// an INT8 is 1 + n, an INT16 1,000 + n, an INT32 100,000 + n, an INT64 10,000,000,000 + n, a text "text-n", bytes are
/// n, n + 1 and 255, a boolean says whether n is odd, and an error code is 1 + n modulo 50.
@Suite struct FieldTests {
    private func request(_ key: APIKey, _ version: Int16, _ variant: String = "full") throws -> Request {
        let line = try #require(GoldenLine.find(key, version, request: true, variant))
        return try RequestFrame(decoding: line.bytes[...]).request
    }

    private func response(_ key: APIKey, _ version: Int16, _ variant: String = "full") throws -> Response {
        let line = try #require(GoldenLine.find(key, version, request: false, variant))
        return try ResponseFrame(decoding: line.bytes[...], key: key, version: version).response
    }

    private func int64(_ place: Int64) -> Int64 { 10_000_000_000 + place }

    @Test(arguments: [Int16(3), 8, 9]) func produceRequest(version: Int16) throws {
        let expected = ProduceRequest {
            $0.transactionalID = "text-1"
            $0.acks = 1_002
            $0.timeoutMs = 100_003
            $0.topics = [4, 9].map { place in
                ProduceRequest.Topic {
                    $0.name = "text-\(place)"
                    $0.partitions = [place + 1, place + 3].map { place in
                        ProduceRequest.Partition {
                            $0.partition = 100_000 + Int32(place)
                            $0.records = [UInt8(place + 1), UInt8(place + 2), 255]
                        }
                    }
                }
            }
        }
        #expect(try request(.produce, version) == .produce(expected))
    }

    @Test func produceResponse() throws {
        guard case .produce(let produce) = try response(.produce, 9) else { throw WireError.truncated }
        #expect(produce.topics.map(\.name) == ["text-1", "text-22"])
        let partition = try #require(produce.topics.first?.partitions.first)
        #expect(partition.partition == 100_002)
        #expect(partition.errorCode == .invalidFetchSize)
        #expect(partition.baseOffset == int64(4))
        #expect(partition.logAppendTimeMs == int64(5))
        #expect(partition.logStartOffset == int64(6))
        #expect(partition.recordErrors.map(\.batchIndex) == [100_007, 100_009])
        #expect(partition.recordErrors.map(\.message) == ["text-8", "text-10"])
        #expect(partition.errorMessage == "text-11")
        #expect(produce.throttleTimeMs == 100_043)
    }

    @Test func fetchRequest() throws {
        guard case .fetch(let fetch) = try request(.fetch, 12) else { throw WireError.truncated }
        #expect(fetch.replicaID == 100_001)
        #expect(fetch.maxWaitMs == 100_002)
        #expect(fetch.minBytes == 100_003)
        #expect(fetch.maxBytes == 100_004)
        #expect(fetch.isolationLevel == 6)
        #expect(fetch.sessionID == 100_006)
        #expect(fetch.sessionEpoch == 100_007)
        #expect(fetch.topics.map(\.name) == ["text-8", "text-21"])
        let partition = try #require(fetch.topics.first?.partitions.first)
        #expect(partition.partition == 100_009)
        #expect(partition.currentLeaderEpoch == 100_010)
        #expect(partition.fetchOffset == int64(11))
        #expect(partition.lastFetchedEpoch == 100_012)
        #expect(partition.logStartOffset == int64(13))
        #expect(partition.maxBytes == 100_014)
        #expect(fetch.forgottenTopics.map(\.name) == ["text-34", "text-37"])
        #expect(fetch.forgottenTopics.map(\.partitions) == [[100_035, 100_036], [100_038, 100_039]])
        #expect(fetch.rackID == "text-40")
        #expect(fetch.clusterID == "text-41")
    }

    @Test func fetchResponse() throws {
        guard case .fetch(let fetch) = try response(.fetch, 12) else { throw WireError.truncated }
        #expect(fetch.throttleTimeMs == 100_001)
        #expect(fetch.sessionID == 100_003)
        let partition = try #require(fetch.topics.first?.partitions.first)
        #expect(partition.partition == 100_005)
        #expect(partition.highWatermark == int64(7))
        #expect(partition.lastStableOffset == int64(8))
        #expect(partition.logStartOffset == int64(9))
        #expect(partition.abortedTransactions?.map(\.producerID) == [int64(10), int64(12)])
        #expect(partition.abortedTransactions?.map(\.firstOffset) == [int64(11), int64(13)])
        #expect(partition.preferredReadReplica == 100_014)
        #expect(partition.records == [15, 16, 255])
        #expect(partition.divergingEpoch.epoch == 100_016 && partition.divergingEpoch.endOffset == int64(17))
        #expect(partition.currentLeader.leaderID == 100_018 && partition.currentLeader.leaderEpoch == 100_019)
        #expect(partition.snapshotID.endOffset == int64(20) && partition.snapshotID.epoch == 100_021)

        guard case .fetch(let nulls) = try response(.fetch, 12, "null") else { throw WireError.truncated }
        let bare = try #require(nulls.topics.first?.partitions.first)
        #expect(bare.records == nil)
        #expect(bare.abortedTransactions == nil)
    }

    @Test func metadata() throws {
        #expect(try request(.metadata, 1, "null") == .metadata(MetadataRequest { $0.topics = nil }))
        guard case .metadata(let metadata) = try response(.metadata, 12) else { throw WireError.truncated }
        #expect(metadata.brokers.map(\.nodeID) == [100_002, 100_006])
        #expect(metadata.brokers.map(\.host) == ["text-3", "text-7"])
        #expect(metadata.brokers.map(\.rack) == ["text-5", "text-9"])
        #expect(metadata.clusterID == "text-10")
        #expect(metadata.controllerID == 100_011)
        let topic = try #require(metadata.topics.first)
        #expect(topic.name == "text-13")
        #expect(topic.topicID == WireUUID(high: 14, low: UInt64(bitPattern: -14)))
        #expect(topic.isInternal)
        #expect(topic.partitions.first?.replicaNodes == [100_020, 100_021])
        #expect(topic.partitions.first?.offlineReplicas == [100_024, 100_025])
    }

    @Test func joinAndSyncGroup() throws {
        guard case .joinGroup(let join) = try request(.joinGroup, 9) else { throw WireError.truncated }
        #expect(join.groupID == "text-1")
        #expect(join.sessionTimeoutMs == 100_002)
        #expect(join.rebalanceTimeoutMs == 100_003)
        #expect(join.memberID == "text-4")
        #expect(join.groupInstanceID == "text-5")
        #expect(join.protocolType == "text-6")
        #expect(join.protocols.map(\.name) == ["text-7", "text-9"])
        #expect(join.protocols.map(\.metadata) == [[8, 9, 255], [10, 11, 255]])
        #expect(join.reason == "text-11")
        guard case .syncGroup(let sync) = try request(.syncGroup, 0) else { throw WireError.truncated }
        #expect(sync.generationID == 100_002)
        #expect(sync.groupInstanceID == nil && sync.protocolType == nil)
        #expect(sync.assignments.map(\.assignment) == [[5, 6, 255], [7, 8, 255]])
    }

    /// Version 8 put a list of groups in the place of one.
    @Test func offsetFetch() throws {
        guard case .offsetFetch(let single) = try request(.offsetFetch, 7) else { throw WireError.truncated }
        #expect(single.groupID == "text-1")
        #expect(single.topics?.map(\.partitions) == [[100_003, 100_004], [100_006, 100_007]])
        #expect(single.groups.isEmpty && !single.requireStable)
        guard case .offsetFetch(let several) = try request(.offsetFetch, 8, "null") else { throw WireError.truncated }
        #expect(several.groups.map(\.groupID) == ["text-1"])
        #expect(several.groups.first?.topics == nil)
    }
}
