import KafkaWire

/// Requests for offsets of logs.
extension BrokerCore {
    private enum SpecialTime {
        static let latest: Int64 = -1
        static let earliest: Int64 = -2
        static let maxTimestamp: Int64 = -3
    }

    func listOffsets(_ request: ListOffsetsRequest) -> ListOffsetsResponse {
        let isolation: Isolation = request.isolationLevel == 1 ? .readCommitted : .readUncommitted
        var counts: [TopicPartition: Int] = [:]
        for topic in request.topics {
            for partition in topic.partitions {
                counts[TopicPartition(topic.name, partition.partition), default: 0] += 1
            }
        }
        return ListOffsetsResponse {
            $0.topics = request.topics.map { topic in
                ListOffsetsResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { partition in
                        var answer = ListOffsetsResponse.Partition()
                        answer.partition = partition.partition
                        do throws(Refusal) {
                            let name = TopicPartition(topic.name, partition.partition)
                            guard counts[name] == 1 else { throw Refusal(.invalidRequest) }
                            try find(partition, in: name, isolation, &answer)
                        } catch { answer.errorCode = error.code }
                        return answer
                    }
                }
            }
        }
    }

    private func find(
        _ wanted: ListOffsetsRequest.Partition, in name: TopicPartition, _ isolation: Isolation,
        _ answer: inout ListOffsetsResponse.Partition
    ) throws(Refusal) {
        guard let log = log(name.topic, name.partition) else { throw Refusal(.unknownTopicOrPartition) }
        try check(leaderEpoch: wanted.currentLeaderEpoch)
        switch wanted.timestamp {
        case SpecialTime.latest: answer.offset = log.endOffset(isolation)
        case SpecialTime.earliest: answer.offset = log.startOffset
        case SpecialTime.maxTimestamp, 0...:
            let found: TimestampOffset?
            do throws(StorageError) {
                found =
                    wanted.timestamp < 0
                    ? try log.maxTimestamp(isolation: isolation)
                    : try log.offset(forTimestamp: wanted.timestamp, isolation: isolation)
            } catch { throw Refusal(error) }
            guard let found else { return }
            answer.offset = found.offset
            answer.timestamp = found.timestamp
        default: throw Refusal(.unsupportedVersion)
        }
        answer.leaderEpoch = 0
    }

    func offsetForLeaderEpoch(_ request: OffsetForLeaderEpochRequest) -> OffsetForLeaderEpochResponse {
        OffsetForLeaderEpochResponse {
            $0.topics = request.topics.map { topic in
                OffsetForLeaderEpochResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { partition in
                        var answer = OffsetForLeaderEpochResponse.Partition()
                        answer.partition = partition.partition
                        do throws(Refusal) {
                            guard let log = log(topic.name, partition.partition) else {
                                throw Refusal(.unknownTopicOrPartition)
                            }
                            try check(leaderEpoch: partition.currentLeaderEpoch)
                            if partition.leaderEpoch == 0 {
                                answer.leaderEpoch = 0
                                answer.endOffset = log.endOffset
                            }
                        } catch { answer.errorCode = error.code }
                        return answer
                    }
                }
            }
        }
    }

    func deleteRecords(_ request: DeleteRecordsRequest) -> DeleteRecordsResponse {
        DeleteRecordsResponse {
            $0.topics = request.topics.map { topic in
                DeleteRecordsResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { partition in
                        var answer = DeleteRecordsResponse.Partition()
                        answer.partition = partition.partition
                        answer.lowWatermark = -1
                        do throws(Refusal) {
                            guard let log = log(topic.name, partition.partition) else {
                                throw Refusal(.unknownTopicOrPartition)
                            }
                            guard log.config.isDeleted else { throw Refusal(.policyViolation) }
                            do throws(ReadError) {
                                answer.lowWatermark = try log.deleteRecords(before: partition.offset)
                            } catch { throw Refusal(error) }
                            // Who waits behind the end is told that the log starts elsewhere.
                            fetches.touch(TopicPartition(topic.name, partition.partition), bytes: .max)
                        } catch { answer.errorCode = error.code }
                        return answer
                    }
                }
            }
        }
    }
}
