import KafkaWire

extension BrokerCore {
    func produce(_ request: ProduceRequest, _ call: Call) -> Response? {
        let fault = faultOfWhole(request)
        var hasError = false
        let response = ProduceResponse {
            $0.topics = request.topics.map { topic in
                ProduceResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { partition in
                        var answer = ProduceResponse.Partition()
                        answer.partition = partition.partition
                        do throws(Refusal) {
                            if let fault { throw fault }
                            let target = TopicPartition(topic.name, partition.partition)
                            try append(
                                partition.records ?? [], to: target, transactionalId: request.transactionalID,
                                now: call.now, &answer)
                        } catch {
                            hasError = true
                            answer.errorCode = error.code
                            answer.errorMessage = error.message
                            answer.baseOffset = -1
                        }
                        return answer
                    }
                }
            }
        }
        guard request.acks == 0 else { return .produce(response) }
        answer(call.address, nil, closesConnection: hasError)
        return nil
    }

    private func faultOfWhole(_ request: ProduceRequest) -> Refusal? {
        guard (-1...1).contains(request.acks) else { return Refusal(.invalidRequiredAcks) }
        if let transactionalId = request.transactionalID {
            // A log whose marker is late would take more into a transaction whose end was decided.
            let isEnding = transactions.machine(transactionalId)?.state.isPrepared ?? false
            return isEnding ? Refusal(.notEnoughReplicas) : nil
        }
        // Without a transactional id nobody can be asked whether the producer may write them.
        let isTransactional = request.topics.contains { topic in
            topic.partitions.contains { partition in
                (partition.records.flatMap { try? RecordBatchHeader($0) })?.isTransactional ?? false
            }
        }
        return isTransactional ? Refusal(.transactionalIDAuthorizationFailed) : nil
    }

    private func append(
        _ records: ArraySlice<UInt8>, to target: TopicPartition, transactionalId: String?, now: Int64,
        _ answer: inout ProduceResponse.Partition
    ) throws(Refusal) {
        guard let log = log(target.topic, target.partition) else { throw Refusal(.unknownTopicOrPartition) }
        var verification: Refusal?
        let result: AppendResult
        do throws(AppendError) {
            result = try log.append(records, at: now) { producerId, epoch in
                verification = unverified(
                    transactionalId ?? "", ProducerIdentity(id: producerId, epoch: epoch)
                ) { $0.partitions.contains(target) }
                return verification == nil
            }
        } catch {
            if let verification { throw verification }
            if error.isOfRecords { answer.logStartOffset = log.startOffset }
            answer.recordErrors = error.recordFaults.map { fault in
                ProduceResponse.RecordError {
                    $0.batchIndex = fault.index
                    $0.message = fault.reason.description
                }
            }
            throw Refusal(error)
        }
        answer.baseOffset = result.firstOffset
        answer.logAppendTimeMs = result.logAppendTime
        answer.logStartOffset = result.logStartOffset
        if !result.isDuplicate { fetches.touch(target, bytes: records.count) }
    }

    /// Why a producer has no open transaction of which a partition or group is a part (KIP-890), as Kafka tells it to
    /// clients that do not know of this check; nil where it has.
    func unverified(
        _ transactionalId: String, _ producer: ProducerIdentity, contains: (TransactionSnapshot) -> Bool
    ) -> Refusal? {
        guard let machine = transactions.machine(transactionalId), machine.producer.id == producer.id else {
            return Refusal(.invalidProducerIDMapping)
        }
        guard machine.producer.epoch == producer.epoch else {
            return Refusal(
                .invalidProducerEpoch, "Producer \(producer.id) has epoch \(machine.producer.epoch) now.")
        }
        // These clients try again after it.
        if machine.state.isPrepared { return Refusal(.notEnoughReplicas) }
        guard machine.state == .ongoing, contains(machine.value) else {
            return Refusal(.invalidTxnState, "Partition was not added to the transaction")
        }
        return nil
    }
}
