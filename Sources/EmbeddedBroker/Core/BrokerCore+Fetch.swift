import KafkaWire

extension BrokerCore {
    /// What a fetch could be answered with now.
    struct Fetched {
        var response = FetchResponse()
        var bytes = 0
        /// Partitions that are there.
        var partitions: Set<TopicPartition> = []
        /// An error that the reader has to know before it waits.
        var hasError = false
    }

    func fetch(_ request: FetchRequest, _ call: Call) -> Response? {
        // A session is never made (KIP-227 lets a broker refuse), so that one can only be begun or ended.
        guard request.sessionEpoch <= 0 else {
            return .fetch(FetchResponse { $0.errorCode = .fetchSessionIDNotFound })
        }
        var request = request
        request.minBytes = min(request.minBytes, Int32(clamping: settings.fetchBytesMax), max(0, request.maxBytes))
        let found = read(request)
        if request.maxWaitMs <= 0 || found.isEnough(for: request) { return .fetch(found.response) }
        fetches.add(
            WaitingFetches.Fetch(
                address: call.address, request: request, deadline: time(call.now, plus: Int64(request.maxWaitMs)),
                partitions: found.partitions, bytes: found.bytes))
        return nil
    }

    /// Answers those that wait for what has happened since.
    func wakeFetches(now: Int64) {
        for (waiting, isForced) in fetches.takeReady() {
            let found = read(waiting.request)
            if isForced || found.isEnough(for: waiting.request) {
                answer(waiting.address, .fetch(found.response))
            } else {
                var again = waiting
                again.bytes = found.bytes
                fetches.add(again)
            }
        }
    }

    func answerLateFetches(now: Int64) {
        for late in fetches.takeLate(now: now) { answer(late.address, .fetch(read(late.request).response)) }
    }

    // MARK: -

    private func read(_ request: FetchRequest) -> Fetched {
        var found = Fetched()
        let isolation: Isolation = request.isolationLevel == 1 ? .readCommitted : .readUncommitted
        var left = min(max(0, Int(request.maxBytes)), settings.fetchBytesMax)
        for topic in request.topics {
            var answer = FetchResponse.Topic()
            answer.name = topic.name
            for partition in topic.partitions {
                var part = FetchResponse.Partition()
                part.partition = partition.partition
                // For clients an empty field of batches is easier than none.
                part.records = []
                do throws(Refusal) {
                    let bytes = try read(partition, of: topic.name, isolation, left, isFirst: found.bytes == 0, &part)
                    left = max(0, left - bytes)
                    found.bytes += bytes
                    found.partitions.insert(TopicPartition(topic.name, partition.partition))
                } catch {
                    part.errorCode = error.code
                    part.highWatermark = -1
                    part.abortedTransactions = nil
                    // Kafka too lets a reader of several topics wait where one is not there.
                    if error.code != .unknownTopicOrPartition { found.hasError = true }
                }
                answer.partitions.append(part)
            }
            found.response.topics.append(answer)
        }
        return found
    }

    private func read(
        _ wanted: FetchRequest.Partition, of topic: String, _ isolation: Isolation, _ left: Int, isFirst: Bool,
        _ answer: inout FetchResponse.Partition
    ) throws(Refusal) -> Int {
        guard let log = log(topic, wanted.partition) else { throw Refusal(.unknownTopicOrPartition) }
        try check(leaderEpoch: wanted.currentLeaderEpoch)
        let read: LogRead
        do throws(ReadError) {
            read = try log.read(
                from: wanted.fetchOffset, bytesMax: min(max(0, Int(wanted.maxBytes)), left), isolation: isolation,
                hasOneBatch: isFirst)
        } catch { throw Refusal(error) }
        answer.highWatermark = read.highWatermark
        answer.lastStableOffset = read.lastStableOffset
        answer.logStartOffset = read.logStartOffset
        answer.abortedTransactions =
            isolation == .readUncommitted
            ? nil
            : read.aborted.map { aborted in
                FetchResponse.AbortedTransaction {
                    $0.producerID = aborted.producerId
                    $0.firstOffset = aborted.firstOffset
                }
            }
        let count = read.records.count
        answer.records = read.records[...]
        return count
    }

    /// The only leader epoch is 0: there is no other broker that could have led.
    func check(leaderEpoch: Int32) throws(Refusal) {
        if leaderEpoch > 0 { throw Refusal(.unknownLeaderEpoch) }
        if leaderEpoch < -1 { throw Refusal(.fencedLeaderEpoch) }
    }
}

extension BrokerCore.Fetched {
    fileprivate func isEnough(for request: FetchRequest) -> Bool {
        hasError || partitions.isEmpty || bytes >= Int(request.minBytes)
    }
}
