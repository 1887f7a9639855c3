import KafkaWire

extension BrokerCore {
    func initProducerId(_ request: InitProducerIDRequest, _ call: Call) -> InitProducerIDResponse {
        InitProducerIDResponse {
            let (producer, error) = initProducer(request, call.now)
            $0.errorCode = ErrorCode(error?.asAnswered(knowsProducerFenced: call.version >= 4))
            $0.producerID = producer?.id ?? -1
            $0.producerEpoch = producer?.epoch ?? (error == nil ? 0 : -1)
        }
    }

    private func initProducer(_ request: InitProducerIDRequest, _ now: Int64)
        -> (ProducerIdentity?, CoordinationError?)
    {
        guard (request.producerID < 0) == (request.producerEpoch < 0) else { return (nil, .invalidRequest) }
        guard let transactionalId = request.transactionalID else {
            let id = transactions.allocateProducerId()
            keep([producerIdsRecord], now: now)
            return (ProducerIdentity(id: id, epoch: 0), nil)
        }
        let expected =
            request.producerID < 0 ? nil : ProducerIdentity(id: request.producerID, epoch: request.producerEpoch)
        let first = initialize(transactionalId, expected: expected, request.transactionTimeoutMs, now)
        // The open transaction of a predecessor was aborted. In Kafka that takes a while and the client tries again;
        // here its markers are written by now.
        guard first.1 == .concurrentTransactions, expected == nil,
            transactions.machine(transactionalId)?.state.isPrepared == false
        else { return first }
        return initialize(transactionalId, expected: nil, request.transactionTimeoutMs, now)
    }

    private func initialize(
        _ transactionalId: String, expected: ProducerIdentity?, _ timeoutMs: Int32, _ now: Int64
    ) -> (ProducerIdentity?, CoordinationError?) {
        let known = transactions.nextProducerId
        let (producer, outcome) = transactions.initialize(
            transactionalId, expected: expected, timeoutMs: timeoutMs, now: now)
        finish(outcome, with: transactions.nextProducerId == known ? [] : [producerIdsRecord], now: now)
        return (producer, outcome.error)
    }

    /// Every id below it may have been given out.
    private var producerIdsRecord: StateRecord {
        StateRecord(
            StateKey(.producerIds), StateNumber { $0.low = UInt64(clamping: transactions.nextProducerId) })
    }

    func addPartitionsToTxn(_ request: AddPartitionsToTxnRequest, _ call: Call) -> AddPartitionsToTxnResponse {
        let partitions = request.topics.flatMap { topic in topic.partitions.map { TopicPartition(topic.name, $0) } }
        let unknown = Set(partitions.filter { log($0.topic, $0.partition) == nil })
        var code = ErrorCode.operationNotAttempted
        if unknown.isEmpty {
            let outcome = transactions.add(
                request.transactionalID, partitions: partitions,
                producer: ProducerIdentity(id: request.producerID, epoch: request.producerEpoch), now: call.now)
            finish(outcome, now: call.now)
            code = ErrorCode(outcome.error?.asAnswered(knowsProducerFenced: call.version >= 2))
        }
        return AddPartitionsToTxnResponse {
            $0.topics = request.topics.map { topic in
                AddPartitionsToTxnResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { partition in
                        AddPartitionsToTxnResponse.Partition {
                            $0.partition = partition
                            $0.errorCode =
                                unknown.contains(TopicPartition(topic.name, partition))
                                ? .unknownTopicOrPartition : code
                        }
                    }
                }
            }
        }
    }

    func addOffsetsToTxn(_ request: AddOffsetsToTxnRequest, _ call: Call) -> AddOffsetsToTxnResponse {
        let outcome = transactions.add(
            request.transactionalID, groupId: request.groupID,
            producer: ProducerIdentity(id: request.producerID, epoch: request.producerEpoch), now: call.now)
        finish(outcome, now: call.now)
        return AddOffsetsToTxnResponse {
            $0.errorCode = ErrorCode(outcome.error?.asAnswered(knowsProducerFenced: call.version >= 2))
        }
    }

    func endTxn(_ request: EndTxnRequest, _ call: Call) -> EndTxnResponse {
        let outcome = transactions.end(
            request.transactionalID, isCommit: request.committed,
            producer: ProducerIdentity(id: request.producerID, epoch: request.producerEpoch), now: call.now)
        finish(outcome, now: call.now)
        return EndTxnResponse {
            $0.errorCode = ErrorCode(outcome.error?.asAnswered(knowsProducerFenced: call.version >= 2))
        }
    }

    // MARK: - What a step came to

    /// Keeps the step's record, and then ends the transaction if that was decided.
    func finish(_ outcome: TransactionOutcome, with more: [StateRecord] = [], now: Int64) {
        guard keep(more + (outcome.record.map { [record($0)] } ?? []), now: now) else { return }
        if let order = outcome.markers { complete(order, now: now) }
    }

    /// Writes the markers, and then in one batch what the groups' offsets are from now on and that all is done. What
    /// a stop leaves undone is done when the broker is opened: markers may be there twice.
    func complete(_ order: MarkerOrder, now: Int64) {
        guard failure == nil else { return }
        coordinatorDeadline = nil
        let isWritten = order.partitions.map { writeMarker(order, $0, now) }.allSatisfy(\.self)
        guard isWritten else {
            maintenance.markersAt = time(now, plus: settings.markerRetryMs)
            return
        }
        var offsets: [StateRecord] = []
        for groupId in order.groups {
            offsets += endOffsets(of: groupId, order.producer.id, isCommit: order.isCommit)
        }
        finish(transactions.markersWritten(order.transactionalId, now: now), with: offsets, now: now)
    }

    /// False where it has to be tried again.
    private func writeMarker(_ order: MarkerOrder, _ partition: TopicPartition, _ now: Int64) -> Bool {
        guard let log = log(partition.topic, partition.partition) else { return true }
        do throws(AppendError) {
            _ = try log.appendMarker(
                order.isCommit ? .commit : .abort, producerId: order.producer.id, producerEpoch: order.producer.epoch,
                coordinatorEpoch: 0, at: now)
        } catch {
            // Where a later epoch has written there is nothing of this one that is open.
            if case .storage = error { return false }
            return true
        }
        fetches.touch(partition, bytes: .max)
        return true
    }

    private func endOffsets(of groupId: String, _ producerId: Int64, isCommit: Bool) -> [StateRecord] {
        let partitions = groups.offsets(of: groupId).pendingPartitions(of: producerId)
        guard !partitions.isEmpty else { return [] }
        let before = partitions.map { groups.offsets(of: groupId)[$0] }
        _ = groups.endTransaction(groupId: groupId, producerId: producerId, isCommit: isCommit)
        var ended: [StateRecord] = []
        for (partition, before) in zip(partitions, before) {
            ended.append(StateRecord(StateKey(.pendingOffset, groupId, partition, producerId: producerId), nil))
            guard let value = groups.offsets(of: groupId)[partition], value != before else { continue }
            ended.append(StateRecord(StateKey(.offset, groupId, partition), StateOffset(value)))
        }
        return ended
    }
}
