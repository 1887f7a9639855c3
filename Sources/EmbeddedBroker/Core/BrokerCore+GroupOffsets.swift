import KafkaWire

extension BrokerCore {
    func offsetCommit(_ request: OffsetCommitRequest, _ call: Call) -> OffsetCommitResponse {
        var offsets: [OffsetToCommit] = []
        for topic in request.topics {
            for partition in topic.partitions where log(topic.name, partition.partition) != nil {
                var value = CommittedOffset(
                    offset: partition.committedOffset, leaderEpoch: partition.committedLeaderEpoch,
                    metadata: partition.committedMetadata ?? "", commitTimestampMs: call.now)
                if call.version <= 4, request.retentionTimeMs >= 0 {
                    value.expireTimestampMs = time(call.now, plus: request.retentionTimeMs)
                }
                offsets.append(OffsetToCommit(TopicPartition(topic.name, partition.partition), value))
            }
        }
        let result = keep(offsets, request.groupID, call.now) { () throws(CoordinationError) in
            try groups.commit(
                groupId: request.groupID, memberId: request.memberID, instanceId: request.groupInstanceID,
                generation: request.generationID, offsets, now: call.now)
        }
        return OffsetCommitResponse {
            $0.topics = request.topics.map { topic in
                OffsetCommitResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { partition in
                        OffsetCommitResponse.Partition {
                            $0.partition = partition.partition
                            $0.errorCode = result(TopicPartition(topic.name, partition.partition))
                        }
                    }
                }
            }
        }
    }

    func txnOffsetCommit(_ request: TxnOffsetCommitRequest, _ call: Call) -> TxnOffsetCommitResponse {
        let producer = ProducerIdentity(id: request.producerID, epoch: request.producerEpoch)
        var offsets: [OffsetToCommit] = []
        for topic in request.topics {
            for partition in topic.partitions where log(topic.name, partition.partition) != nil {
                offsets.append(
                    OffsetToCommit(
                        TopicPartition(topic.name, partition.partition),
                        CommittedOffset(
                            offset: partition.committedOffset, leaderEpoch: partition.committedLeaderEpoch,
                            metadata: partition.committedMetadata ?? "", commitTimestampMs: call.now)))
            }
        }
        let result: (TopicPartition) -> ErrorCode
        if !offsets.isEmpty,
            let refusal = unverified(
                request.transactionalID, producer, contains: { $0.groups.contains(request.groupID) })
        {
            // What a client that commits offsets tries again has another name.
            let code = refusal.code == .notEnoughReplicas ? .coordinatorLoadInProgress : refusal.code
            result = { _ in code }
        } else {
            result = keep(offsets, request.groupID, call.now) { () throws(CoordinationError) in
                try groups.commit(
                    groupId: request.groupID, memberId: request.memberID, instanceId: request.groupInstanceID,
                    generation: request.generationID, inTransactionOf: producer.id, offsets, now: call.now)
            }
        }
        return TxnOffsetCommitResponse {
            $0.topics = request.topics.map { topic in
                TxnOffsetCommitResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { partition in
                        TxnOffsetCommitResponse.Partition {
                            $0.partition = partition.partition
                            $0.errorCode = result(TopicPartition(topic.name, partition.partition))
                        }
                    }
                }
            }
        }
    }

    /// Keeps a commit of offsets of partitions that are there, and says what became of any partition. Where there are
    /// none, nobody is asked, and no group comes to be by it.
    private func keep(
        _ offsets: [OffsetToCommit], _ groupId: String, _ now: Int64,
        _ commit: () throws(CoordinationError) -> OffsetOutcome
    ) -> (TopicPartition) -> ErrorCode {
        guard !offsets.isEmpty else { return { _ in .unknownTopicOrPartition } }
        let outcome: OffsetOutcome
        do throws(CoordinationError) { outcome = try commit() } catch {
            let code = ErrorCode(error)
            return { _ in code }
        }
        keep(outcome.records.flatMap { records(.offset(groupId: groupId, $0)) }, now: now)
        let errors = Dictionary(outcome.answers.map { ($0.partition, ErrorCode($0.error)) }) { $1 }
        return { errors[$0] ?? .unknownTopicOrPartition }
    }

    func offsetFetch(_ request: OffsetFetchRequest, _ call: Call) -> OffsetFetchResponse {
        OffsetFetchResponse {
            guard call.version >= 8 else {
                // In version 1 a list was needed.
                $0.topics = offsets(of: request.groupID, request.topics, isStable: request.requireStable)
                return
            }
            $0.groups = request.groups.map { group in
                OffsetFetchResponse.Group {
                    $0.groupID = group.groupID
                    $0.topics = offsets(of: group.groupID, group.topics, isStable: request.requireStable)
                }
            }
        }
    }

    private func offsets(of groupId: String, _ wanted: [OffsetFetchRequest.Topic]?, isStable: Bool)
        -> [OffsetFetchResponse.Topic]
    {
        let offsets = groups.offsets(of: groupId)
        let names = wanted.map { topics in
            topics.flatMap { topic in topic.partitions.map { TopicPartition(topic.name, $0) } }
        }
        var answers: [OffsetFetchResponse.Topic] = []
        var places: [String: Int] = [:]
        for topic in wanted ?? [] { place(of: topic.name, in: &answers, &places) }
        for found in offsets.fetch(names, requireStable: isStable) {
            let place = place(of: found.partition.topic, in: &answers, &places)
            answers[place].partitions.append(
                OffsetFetchResponse.Partition {
                    $0.partition = found.partition.partition
                    $0.committedOffset = found.value?.offset ?? -1
                    $0.committedLeaderEpoch = found.value?.leaderEpoch ?? -1
                    $0.metadata = found.value?.metadata ?? ""
                    $0.errorCode = ErrorCode(found.error)
                })
        }
        return answers
    }

    @discardableResult
    private func place(
        of topic: String, in answers: inout [OffsetFetchResponse.Topic], _ places: inout [String: Int]
    ) -> Int {
        if let place = places[topic] { return place }
        places[topic] = answers.count
        answers.append(OffsetFetchResponse.Topic { $0.name = topic })
        return answers.count - 1
    }
}
